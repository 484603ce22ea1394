"""cancelled waits and seeds"""

import sqlalchemy as sa
from alembic import op

revision = "0011_cancelled_waits_and_seeds"
down_revision = "0010_turns"


def upgrade() -> None:
    with op.batch_alter_table("calls", schema=None) as batch_op:
        batch_op.add_column(sa.Column("wait_name", sa.Text(), nullable=True))
        batch_op.create_index(batch_op.f("ix_calls_caller_id_wait_name"), ["caller_id", "wait_name"], unique=False)

    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("seed", sa.BigInteger(), nullable=True))
