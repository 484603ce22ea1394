"""the gallery of one key reads one page, however many pictures there are"""

from alembic import op

revision = "0014_generations_by_key"
down_revision = "0013_spending"


def upgrade() -> None:
    op.create_index(
        op.f("ix_generations_account_id_api_key_id_connection_id_id"),
        "generations",
        ["account_id", "api_key_id", "connection_id", "id"],
    )
