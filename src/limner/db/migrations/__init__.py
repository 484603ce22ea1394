"""The schema's history, one file per step; `limner.db.migrate` applies it. See docs/architecture.md for how a step is written."""
