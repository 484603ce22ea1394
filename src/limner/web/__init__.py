"""The web door: public pages, sign-in, dashboard, administration; server-rendered, alive where scripts run."""
