"""whether an identical call is under way is asked of the few that are, however many a caller has made"""

import sqlalchemy as sa
from alembic import op

revision = "0015_open_calls"
down_revision = "0014_generations_by_key"

UNSETTLED = sa.text("waiter IS NOT NULL OR broke_off_at IS NOT NULL")


def upgrade() -> None:
    op.drop_index(op.f("ix_calls_account_id_caller_id_request_digest"), "calls")
    op.create_index(
        "ix_calls_unsettled",
        "calls",
        ["account_id", "caller_id", "request_digest"],
        sqlite_where=UNSETTLED,
        postgresql_where=UNSETTLED,
    )
