"""Calls, generations and the pictures they made; what is brought, kept and shared."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from limner.db.tables.schema import UtcTime, metadata, of_few

_UNSETTLED = "waiter IS NOT NULL OR broke_off_at IS NOT NULL"

calls = Table(
    "calls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("caller_id", Text, nullable=False),
    Column("request_digest", Text, nullable=False),
    Column("idempotency_key", Text),
    Column("waiter", Text),
    Column("broke_off_at", UtcTime),
    Column("delivered_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("wait_name", Text),
    UniqueConstraint("account_id", "idempotency_key"),
    of_few(_UNSETTLED, "ix_calls_unsettled", "account_id", "caller_id", "request_digest"),
    of_few("waiter IS NOT NULL", "ix_calls_waiting", "waiter"),
    of_few("wait_name IS NOT NULL", "ix_calls_named", "caller_id", "wait_name"),
)
"""One request for one or more pictures: what paying once is decided by. `broke_off_at` is set while another call may adopt
it; `wait_name` is what its caller calls it by, should it cancel the wait."""

generations = Table(
    "generations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("call_id", Text, ForeignKey("calls.id"), nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("api_key_id", Text),
    Column("connection_id", Text),
    Column("status", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("prompt", Text),
    Column("style", Text),
    Column("model_id", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("options", Text, nullable=False),
    Column("inputs", Text),
    Column("credits", BigInteger, nullable=False),
    Column("warnings", Text),
    Column("error", Text),
    Column("served_by", Text),
    Column("cost_usd", Text),
    Column("provider_request_id", Text),
    Column("provider_handle", Text),
    Column("sent_at", UtcTime),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("lease", Text),
    Column("lease_until", UtcTime),
    Column("phase", Text),
    Column("fraction_percent", SmallInteger),
    Column("cancel_requested_at", UtcTime),
    Column("deadline_at", UtcTime, nullable=False),
    Column("blob_key", Text),
    Column("media_type", Text),
    Column("width", Integer),
    Column("height", Integer),
    Column("size_bytes", BigInteger),
    Column("sha256", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("completed_at", UtcTime),
    Column("deleted_at", UtcTime),
    Column("provenance", Text),
    Column("origin", Text),
    Column("turn", BigInteger, nullable=False, server_default="0"),
    Column("seed", BigInteger),
    CheckConstraint("status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name="status"),
    CheckConstraint("operation IN ('generate', 'edit')", name="operation"),
    UniqueConstraint("call_id", "position"),
    Index(None, "account_id", "id"),
    Index(None, "account_id", "status", "id"),
    Index(None, "account_id", "model_id", "id"),
    Index(None, "account_id", "sha256", "id"),
    Index(None, "account_id", "api_key_id", "connection_id", "id"),
    of_few("status = 'queued'", "ix_generations_line", "status", "provider_id", "turn", "id"),
    of_few("status = 'queued'", "ix_generations_own_turns", "status", "account_id", "provider_id", "turn"),
    of_few("status = 'running'", "ix_generations_running", "status", "provider_id"),
)
"""`turn` orders the line of a provider: the round in which the account's generation comes up. An index of one status names it
all the same: SQLite takes a longer way to all of that status where nothing in the index is compared."""

lines = Table(
    "lines",
    metadata,
    Column("provider_id", Text, primary_key=True),
    Column("turn", BigInteger, nullable=False, server_default="0"),
)
"""How far the line of each provider has come: the turn that was served last. Its row is the lock of whoever takes the next."""

saved_prompts = Table(
    "saved_prompts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("settings", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    CheckConstraint("kind IN ('template', 'style')", name="kind"),
    UniqueConstraint("account_id", "name"),
)
"""Prompt templates and styles an account keeps."""

uploads = Table(
    "uploads",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("declared_media_type", Text, nullable=False),
    Column("blob_key", Text),
    Column("media_type", Text),
    Column("width", Integer),
    Column("height", Integer),
    Column("size_bytes", BigInteger),
    Column("sha256", Text),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "account_id", "id"),
    Index(None, "expires_at"),
)

shares = Table(
    "shares",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("generation_id", Text, ForeignKey("generations.id"), nullable=False),
    Column("filename", Text, nullable=False),
    Column("revoked_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "generation_id"),
)
"""Public links that last until they are revoked or their image is deleted; the id is the secret part."""
