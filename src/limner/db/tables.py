"""Every table, once: what Alembic compares the database with. The class that owns a table holds its SQL."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

UtcTime = BigInteger
"""Every time: milliseconds since 1970-01-01T00:00:00Z (`types.to_ms`). Databases disagree about time zones, not about whole numbers."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _of_status(status: str, name: str, *columns: str) -> Index:
    """An index of the few rows with that status, however many have ended."""
    where = text(f"status = '{status}'")
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


# --- who ----------------------------------------------------------------------------------------

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="active"),
    Column("status_reason", Text),
    Column("time_zone", Text, nullable=False, server_default="UTC"),
    Column("retention_days", Integer),
    Column("created_at", UtcTime, nullable=False),
    Column("low_balance_credits", Integer),
    Column("low_balance_by_mail", SmallInteger, nullable=False, server_default="1"),
    Column("low_balance_mail_at", UtcTime, index=True),
    CheckConstraint("status IN ('active', 'suspended', 'deleted')", name="status"),
)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True),
    Column("name", Text),
    Column("password_digest", Text),
    Column("email_verified_at", UtcTime),
    Column("is_admin", SmallInteger, nullable=False, server_default="0"),
    Column("disabled_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
)

memberships = Table(
    "memberships",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), primary_key=True),
    Column("role", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    CheckConstraint("role IN ('owner', 'member', 'billing')", name="role"),
    Index(None, "user_id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("acting_account_id", Text, ForeignKey("accounts.id")),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("user_agent", Text),
    Column("last_seen_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "user_id"),
)
"""A signed-in browser. `acting_account_id` is set while an administrator looks after somebody else's account."""

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("id", Text, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("email", Text),
    Column("user_id", Text, ForeignKey("users.id")),
    Column("account_id", Text, ForeignKey("accounts.id")),
    Column("role", Text),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    CheckConstraint("purpose IN ('first-start', 'sign-in', 'sign-up', 'invite', 'verify', 'reset')", name="purpose"),
    Index(None, "account_id"),
    Index(None, "expires_at"),
)
"""Links that work once, handed to a person; only the digest of their secret part is kept."""

identities = Table(
    "identities",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("label", Text),
    Index(None, "user_id"),
)
"""Who an issuer says somebody is. `label` is how they know it: an address, a user name."""

sign_in_questions = Table(
    "sign_in_questions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("browser", LargeBinary, nullable=False),
    Column("issuer_id", Text, nullable=False),
    Column("nonce", Text, nullable=False),
    Column("verifier", Text, nullable=False),
    Column("onward", Text, nullable=False),
    Column("session_id", Text),
    Column("expires_at", UtcTime, nullable=False),
    Index(None, "expires_at"),
)
"""Questions to issuers that were not answered yet, each bound to the browser it was asked in. `session_id` is set where
the answer is to be connected to whoever is signed in."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("parent_key_id", Text, ForeignKey("api_keys.id")),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("last_four", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("models", Text),
    Column("is_test", SmallInteger, nullable=False, server_default="0"),
    Column("max_credits_per_call", Integer),
    Column("confirm_above_credits", Integer),
    Column("client_profile", Text),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("last_used_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("previous_digest", LargeBinary),
    Column("previous_until", UtcTime),
    Index(None, "account_id", "id"),
    Index(None, "parent_key_id"),
    Index(None, "previous_digest"),
)
"""A rotated key keeps its row: `previous_digest` is that of the secret before, good until `previous_until`."""

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Text, primary_key=True),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("account_id", Text),
    Column("target_id", Text),
    Column("detail", Text),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "account_id", "id"),
)

# --- money --------------------------------------------------------------------------------------

balances = Table(
    "balances",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id"), primary_key=True),
    Column("ledger_balance", BigInteger, nullable=False, server_default="0"),
    Column("held", BigInteger, nullable=False, server_default="0"),
    Column("transactions_total", BigInteger, nullable=False, server_default="0"),
    Column("generations_total", BigInteger, nullable=False, server_default="0"),
    Column("images_total", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("held >= 0", name="held"),
)
"""The guarded running totals of an account: the one hot row of every spend. `limner audit` proves them."""

credit_transactions = Table(
    "credit_transactions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("reference_id", Text),
    Column("api_key_id", Text),
    Column("connection_id", Text),
    Column("model_id", Text),
    Column("unique_key", Text, unique=True),
    Column("balance_after", BigInteger, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    CheckConstraint(
        "type IN ('charge', 'refund', 'purchase', 'purchase_refund', 'grant', 'adjustment', 'chargeback')", name="type"
    ),
    Index(None, "account_id", "id"),
    Index(None, "account_id", "model_id", "id"),
    Index(None, "account_id", "api_key_id", "id"),
    Index(None, "reference_id"),
)
"""The ledger: append-only, which triggers enforce. `unique_key` makes an outside event count once."""

spending = Table(
    "spending",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id"), primary_key=True),
    Column("quarter_hour", BigInteger, primary_key=True, autoincrement=False),
    Column("model_id", Text, primary_key=True),
    Column("caller_id", Text, primary_key=True),
    Column("credits", BigInteger, nullable=False),
    Column("pictures", BigInteger, nullable=False),
    info={"follows": "credit_transactions"},
    sqlite_with_rowid=False,
)
"""Charges added up by quarter hour since the epoch, which a trigger on the ledger keeps; empty text where there is no model
or no key. `limner audit` proves it."""

holds = Table(
    "holds",
    metadata,
    Column("generation_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("credits", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    CheckConstraint("state IN ('open', 'captured', 'released')", name="state"),
    CheckConstraint("credits >= 0", name="credits"),
    Index(None, "account_id", "state"),
)

caps = Table(
    "caps",
    metadata,
    Column("owner_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("limit_credits", BigInteger, nullable=False),
    Column("period", Text, nullable=False),
    Column("period_start", UtcTime, nullable=False, server_default="0"),
    Column("spent", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("period IN ('day', 'week', 'month', 'total')", name="period"),
    CheckConstraint("limit_credits >= 0", name="limit"),
)
"""A spend cap of an API key or a connection; `spent` is captured plus held in the period that began at `period_start`."""

capped_holds = Table(
    "capped_holds",
    metadata,
    Column("generation_id", Text, ForeignKey("holds.generation_id"), primary_key=True),
    Column("owner_id", Text, ForeignKey("caps.owner_id"), primary_key=True),
    Column("period_start", UtcTime, nullable=False),
)
"""Which caps a hold counts against, in the period it was opened in."""

purchases = Table(
    "purchases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("credits", BigInteger, nullable=False),
    Column("price_cents", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("checkout_id", Text, unique=True),
    Column("payment_id", Text, unique=True),
    Column("receipt_url", Text),
    Column("returned_cents", BigInteger, nullable=False, server_default="0"),
    Column("returned_credits", BigInteger, nullable=False, server_default="0"),
    Column("created_at", UtcTime, nullable=False),
    Column("paid_at", UtcTime),
    CheckConstraint("status IN ('open', 'paid', 'abandoned')", name="status"),
    Index(None, "account_id", "id"),
    Index(None, "status", "created_at"),
)
"""Credits somebody set out to buy; `returned_…` is what refunds and disputes took back so far."""

credit_codes = Table(
    "credit_codes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("credits", BigInteger, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("description", Text, nullable=False),
    Column("expires_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
    CheckConstraint("uses_left >= 0", name="uses_left"),
    CheckConstraint("credits > 0", name="credits"),
)
"""Codes that can be redeemed for credits, once per account; the code itself is nowhere."""

# --- telling others -----------------------------------------------------------------------------

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("deleted_at", UtcTime),
    Index(None, "account_id", "id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("webhook_id", Text, ForeignKey("webhooks.id"), nullable=False),
    Column("event_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("next_at", UtcTime),
    Column("answered_status", Integer),
    Column("problem", Text),
    Column("created_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    CheckConstraint("status IN ('waiting', 'delivered', 'failed')", name="status"),
    UniqueConstraint("webhook_id", "event_id"),
    Index(None, "status", "next_at"),
    Index(None, "webhook_id", "id"),
)
"""One event on its way to one webhook. Written in the transaction of what happened, so that none is lost."""

# --- pictures -----------------------------------------------------------------------------------

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
    Index(None, "account_id", "caller_id", "request_digest"),
    Index(None, "waiter"),
    Index(None, "caller_id", "wait_name"),
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
    Index(None, "status", "lease_until"),
    _of_status("queued", "ix_generations_line", "provider_id", "turn", "id"),
    _of_status("queued", "ix_generations_own_turns", "account_id", "provider_id", "turn"),
    _of_status("running", "ix_generations_running", "provider_id"),
)
"""`turn` orders the line of a provider: the round in which the account's generation comes up."""

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

# --- clients without a key ------------------------------------------------------------------------

oauth_clients = Table(
    "oauth_clients",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("redirect_uris", Text, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "expires_at"),
)
"""Programs that may ask users for a connection: registered ones, and copies of metadata documents (the id is their URL)."""

consents = Table(
    "consents",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("session_id", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Index(None, "expires_at"),
)
"""Questions put to signed-in users and not answered yet: what a client asks for, word by word."""

connections = Table(
    "connections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("client_id", Text, nullable=False),
    Column("client_name", Text, nullable=False),
    Column("redirect_host", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("began_at", UtcTime),
    Column("last_used_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Index(None, "account_id", "id"),
    Index(None, "client_id"),
)
"""What a user allowed a client; it begins when the client redeems its code, and never again once revoked."""

authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("connection_id", Text, ForeignKey("connections.id"), nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Index(None, "connection_id"),
    Index(None, "expires_at"),
)

connection_tokens = Table(
    "connection_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("connection_id", Text, ForeignKey("connections.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    CheckConstraint("kind IN ('access', 'refresh')", name="kind"),
    Index(None, "connection_id"),
    Index(None, "expires_at"),
)
"""Access and refresh tokens by their digests; a refresh token that was exchanged stays, to be known when it comes again."""

# --- operation ----------------------------------------------------------------------------------

secrets = Table(
    "secrets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("retired_at", UtcTime),
    Index(None, "purpose"),
)

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("bucket", Text, primary_key=True),
    Column("full_at", UtcTime, nullable=False),
)
"""GCRA: `full_at` is the theoretical arrival time of the bucket."""
