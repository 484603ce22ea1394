"""lists by model, key or digest read one page, however many rows there are"""

from alembic import op

revision = "0012_list_indexes"
down_revision = "0011_cancelled_waits_and_seeds"

INDEXES = (
    ("credit_transactions", "api_key_id"),
    ("credit_transactions", "model_id"),
    ("generations", "model_id"),
    ("generations", "sha256"),
)


def upgrade() -> None:
    for table, column in INDEXES:
        op.create_index(op.f(f"ix_{table}_account_id_{column}_id"), table, ["account_id", column, "id"])
