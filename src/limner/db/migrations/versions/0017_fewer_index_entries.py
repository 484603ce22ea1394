"""what is over leaves the indexes of what goes on: each was written to at every step of every picture, and only grew"""

import sqlalchemy as sa
from alembic import op

revision = "0017_fewer_index_entries"
down_revision = "0016_meters"


def upgrade() -> None:
    op.drop_index(op.f("ix_calls_caller_id_wait_name"), "calls")
    _index_few("ix_calls_named", "calls", ["caller_id", "wait_name"], "wait_name IS NOT NULL")
    op.drop_index(op.f("ix_calls_waiter"), "calls")
    _index_few("ix_calls_waiting", "calls", ["waiter"], "waiter IS NOT NULL")
    op.drop_index(op.f("ix_generations_status_lease_until"), "generations")
    for name, status, columns in (
        ("ix_generations_line", "queued", ["status", "provider_id", "turn", "id"]),
        ("ix_generations_own_turns", "queued", ["status", "account_id", "provider_id", "turn"]),
        ("ix_generations_running", "running", ["status", "provider_id"]),
    ):
        op.drop_index(name, "generations")
        _index_few(name, "generations", columns, f"status = '{status}'")
    op.drop_index(op.f("ix_holds_account_id_state"), "holds")
    _index_few("ix_holds_open", "holds", ["account_id"], "state = 'open'")


def _index_few(name: str, table: str, columns: list[str], which: str) -> None:
    where = sa.text(which)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
