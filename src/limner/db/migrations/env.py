"""What Alembic runs for every command: our tables, on the connection and in the transaction it was handed."""

from alembic import context

from limner.db.tables import metadata

attributes = context.config.attributes

context.configure(
    connection=attributes["connection"],
    target_metadata=metadata,
    render_as_batch=attributes.get("batch", False),
    compare_server_default=True,
)
context.run_migrations()
