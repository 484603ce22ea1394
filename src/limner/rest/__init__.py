"""The REST door: /api/v1, signed links, events."""
