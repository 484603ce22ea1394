"""low_balance_and_codes"""

import sqlalchemy as sa
from alembic import op

revision = "0008_low_balance_and_codes"
down_revision = "0007_sign_in_questions"


def upgrade() -> None:
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("low_balance_by_mail", sa.SmallInteger(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("low_balance_mail_at", sa.BigInteger(), nullable=True))
        batch_op.create_index(batch_op.f("ix_accounts_low_balance_mail_at"), ["low_balance_mail_at"], unique=False)

    with op.batch_alter_table("credit_codes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("revoked_at", sa.BigInteger(), nullable=True))
