"""Credit transactions are written once: the database itself refuses to change or delete them.

SQLite loses triggers when a table is copied (`batch_alter_table`): a step that copies this one makes them anew.
"""

from alembic import op

revision = "0002_append_only_ledger"
down_revision = "0001_initial"

_SQLITE = [
    """
    CREATE TRIGGER credit_transactions_no_update BEFORE UPDATE ON credit_transactions
    BEGIN SELECT RAISE(ABORT, 'credit_transactions is append-only'); END
    """,
    """
    CREATE TRIGGER credit_transactions_no_delete BEFORE DELETE ON credit_transactions
    BEGIN SELECT RAISE(ABORT, 'credit_transactions is append-only'); END
    """,
]

_POSTGRESQL = [
    """
    CREATE FUNCTION refuse_change_of_ledger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'credit_transactions is append-only' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER credit_transactions_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_ledger()
    """,
]


def upgrade() -> None:
    connection = op.get_bind()
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.exec_driver_sql(statement)
