"""turns"""

import sqlalchemy as sa
from alembic import op

revision = "0010_turns"
down_revision = "0009_origin_of_generations"


def upgrade() -> None:
    op.create_table(
        "lines",
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("turn", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_lines")),
    )
    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("turn", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.create_index(
            "ix_generations_line",
            ["provider_id", "turn", "id"],
            unique=False,
            sqlite_where=sa.text("status = 'queued'"),
            postgresql_where=sa.text("status = 'queued'"),
        )
        batch_op.create_index(
            "ix_generations_own_turns",
            ["account_id", "provider_id", "turn"],
            unique=False,
            sqlite_where=sa.text("status = 'queued'"),
            postgresql_where=sa.text("status = 'queued'"),
        )
        batch_op.create_index(
            "ix_generations_running",
            ["provider_id"],
            unique=False,
            sqlite_where=sa.text("status = 'running'"),
            postgresql_where=sa.text("status = 'running'"),
        )
