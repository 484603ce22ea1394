"""prompts and provenance"""

import sqlalchemy as sa
from alembic import op

revision = "0006_prompts_and_provenance"
down_revision = "0005_connections"


def upgrade() -> None:
    op.create_table(
        "saved_prompts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('template', 'style')", name=op.f("ck_saved_prompts_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_saved_prompts_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_prompts")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_saved_prompts_account_id_name")),
    )
    with op.batch_alter_table("generations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("provenance", sa.Text(), nullable=True))
