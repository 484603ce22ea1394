"""sign in questions"""

import sqlalchemy as sa
from alembic import op

revision = "0007_sign_in_questions"
down_revision = "0006_prompts_and_provenance"


def upgrade() -> None:
    op.create_table(
        "sign_in_questions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("browser", sa.LargeBinary(), nullable=False),
        sa.Column("issuer_id", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("onward", sa.Text(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_in_questions")),
    )
    with op.batch_alter_table("sign_in_questions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_questions_expires_at"), ["expires_at"], unique=False)

    with op.batch_alter_table("identities", schema=None) as batch_op:
        batch_op.add_column(sa.Column("label", sa.Text(), nullable=True))
