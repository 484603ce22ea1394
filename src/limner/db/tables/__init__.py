"""Every table, once: what Alembic compares the database with. The class that owns a table holds its SQL."""

from limner.db.tables import accounts, connections, credits, images, operation, webhooks
from limner.db.tables.schema import metadata

__all__ = ["accounts", "connections", "credits", "images", "metadata", "operation", "webhooks"]
