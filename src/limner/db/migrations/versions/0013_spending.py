"""what was charged, added up by quarter hour, so that no page adds up the ledger

A trigger keeps it: every charge counts, also one that a process of the version before writes during an upgrade.
SQLite loses triggers when a table is copied (`batch_alter_table`): a step that copies the ledger makes it anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013_spending"
down_revision = "0012_list_indexes"

_ADD = """
    INSERT INTO spending (account_id, quarter_hour, model_id, caller_id, credits, pictures)
    VALUES (NEW.account_id, NEW.created_at / 900000, coalesce(NEW.model_id, ''),
            coalesce(NEW.api_key_id, NEW.connection_id, ''), -NEW.amount, 1)
    ON CONFLICT (account_id, quarter_hour, model_id, caller_id) DO UPDATE
    SET credits = spending.credits + excluded.credits, pictures = spending.pictures + 1;
"""

_SQLITE = [
    f"""
    CREATE TRIGGER credit_transactions_spending AFTER INSERT ON credit_transactions WHEN NEW.type = 'charge'
    BEGIN {_ADD} END
    """
]

_POSTGRESQL = [
    f"CREATE FUNCTION add_to_spending() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_ADD} RETURN NULL; END $$",
    """
    CREATE TRIGGER credit_transactions_spending AFTER INSERT ON credit_transactions
    FOR EACH ROW WHEN (NEW.type = 'charge') EXECUTE FUNCTION add_to_spending()
    """,
]

_WHAT_STANDS_THERE = """
    INSERT INTO spending (account_id, quarter_hour, model_id, caller_id, credits, pictures)
    SELECT account_id, created_at / 900000, coalesce(model_id, ''), coalesce(api_key_id, connection_id, ''),
           -sum(amount), count(*)
    FROM credit_transactions WHERE type = 'charge' GROUP BY 1, 2, 3, 4
"""


def upgrade() -> None:
    op.create_table(
        "spending",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("quarter_hour", sa.BigInteger(), nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("pictures", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_spending_account_id")),
        sa.PrimaryKeyConstraint("account_id", "quarter_hour", "model_id", "caller_id", name=op.f("pk_spending")),
        sqlite_with_rowid=False,  # read by ranges of its key
    )
    connection = op.get_bind()
    # The trigger first: on PostgreSQL it locks the ledger, so that no charge falls between the two.
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(_WHAT_STANDS_THERE)
