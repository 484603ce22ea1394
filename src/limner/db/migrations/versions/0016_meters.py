"""what was charged, as meters show it, so that any span of time is the difference of two readings

The sums of quarter hours that stood in `spending` were few for a small account and many for a large one: a page of ninety
days added up as many as there were. No version was ever published that reads them. Again a trigger keeps the readings:
every charge counts, also one that a process of the version before writes during an upgrade. SQLite loses triggers when a
table is copied (`batch_alter_table`): a step that copies the ledger makes it anew.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016_meters"
down_revision = "0015_open_calls"

# Charges of one account come one after the other: each has changed the account's row of `balances` before.
_METER = """account_id = NEW.account_id AND model_id = coalesce(NEW.model_id, '')
              AND caller_id = coalesce(NEW.api_key_id, NEW.connection_id, '')"""
_QUARTER_HOUR = "NEW.created_at / 900000"

_COUNT = f"""
    UPDATE readings SET credits = credits - NEW.amount, pictures = pictures + 1
    WHERE meter_id = (SELECT id FROM meters WHERE {_METER}) AND quarter_hour >= {_QUARTER_HOUR}
"""  # noqa: S608 — only our own fragments
"""Later readings too: the clock of the process may be behind that of another."""

_FIRST_OF_QUARTER_HOUR = f"""
    INSERT INTO meters (account_id, model_id, caller_id)
    SELECT NEW.account_id, coalesce(NEW.model_id, ''), coalesce(NEW.api_key_id, NEW.connection_id, '')
    WHERE NOT EXISTS (SELECT 1 FROM meters WHERE {_METER});

    INSERT INTO readings (meter_id, quarter_hour, credits, pictures)
    SELECT m.id, {_QUARTER_HOUR},
           coalesce((SELECT r.credits FROM readings r WHERE r.meter_id = m.id AND r.quarter_hour < {_QUARTER_HOUR}
                     ORDER BY r.quarter_hour DESC LIMIT 1), 0) - NEW.amount,
           coalesce((SELECT r.pictures FROM readings r WHERE r.meter_id = m.id AND r.quarter_hour < {_QUARTER_HOUR}
                     ORDER BY r.quarter_hour DESC LIMIT 1), 0) + 1
    FROM meters m WHERE {_METER}
      AND NOT EXISTS (SELECT 1 FROM readings r WHERE r.meter_id = m.id AND r.quarter_hour = {_QUARTER_HOUR});
"""  # noqa: S608 — only our own fragments

_SQLITE = [
    "DROP TRIGGER credit_transactions_spending",
    f"""
    CREATE TRIGGER credit_transactions_meters AFTER INSERT ON credit_transactions WHEN NEW.type = 'charge'
    BEGIN {_COUNT}; {_FIRST_OF_QUARTER_HOUR} END
    """,
]

_POSTGRESQL = [
    "DROP TRIGGER credit_transactions_spending ON credit_transactions",
    "DROP FUNCTION add_to_spending()",
    f"""
    CREATE FUNCTION count_charge() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE is_counted boolean;
    BEGIN
        WITH counted AS ({_COUNT} RETURNING quarter_hour)
        SELECT bool_or(quarter_hour = {_QUARTER_HOUR}) INTO is_counted FROM counted;
        IF is_counted IS NOT TRUE THEN {_FIRST_OF_QUARTER_HOUR} END IF;
        RETURN NULL;
    END $$
    """,  # noqa: S608 — only our own fragments
    """
    CREATE TRIGGER credit_transactions_meters AFTER INSERT ON credit_transactions
    FOR EACH ROW WHEN (NEW.type = 'charge') EXECUTE FUNCTION count_charge()
    """,
]

_WHAT_STANDS_THERE = [
    "INSERT INTO meters (account_id, model_id, caller_id) SELECT DISTINCT account_id, model_id, caller_id FROM spending",
    """
    INSERT INTO readings (meter_id, quarter_hour, credits, pictures)
    SELECT m.id, s.quarter_hour, sum(s.credits) OVER until_then, sum(s.pictures) OVER until_then
    FROM spending s JOIN meters m ON m.account_id = s.account_id AND m.model_id = s.model_id AND m.caller_id = s.caller_id
    WINDOW until_then AS (PARTITION BY m.id ORDER BY s.quarter_hour)
    """,
    "DROP TABLE spending",
]


def upgrade() -> None:
    op.create_table(
        "meters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("model_id", sa.Text(), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_meters_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meters")),
        sa.UniqueConstraint(
            "account_id", "model_id", "caller_id", name=op.f("uq_meters_account_id_model_id_caller_id")
        ),
    )
    op.create_table(
        "readings",
        sa.Column("meter_id", sa.Integer(), nullable=False),
        sa.Column("quarter_hour", sa.BigInteger(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.Column("pictures", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["meter_id"], ["meters.id"], name=op.f("fk_readings_meter_id")),
        sa.PrimaryKeyConstraint("meter_id", "quarter_hour", name=op.f("pk_readings")),
        sqlite_with_rowid=False,  # read by its key alone
    )
    connection = op.get_bind()
    # The trigger first: on PostgreSQL it locks the ledger, so that no charge falls between the two.
    for statement in [*(_SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL), *_WHAT_STANDS_THERE]:
        connection.exec_driver_sql(statement)
