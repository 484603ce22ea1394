"""origin of generations"""

import sqlalchemy as sa
from alembic import op

revision = "0009_origin_of_generations"
down_revision = "0008_low_balance_and_codes"


def upgrade() -> None:
    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("origin", sa.Text(), nullable=True))
