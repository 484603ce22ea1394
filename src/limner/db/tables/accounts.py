"""Who there is: accounts, their people and how these sign in, API keys, and who did what."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Table, Text

from limner.db.tables.schema import UtcTime, metadata

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
