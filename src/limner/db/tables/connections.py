"""Clients that came without a key: what they asked for and were allowed, and their tokens."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, LargeBinary, Table, Text

from limner.db.tables.schema import UtcTime, metadata

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
