"""Connections: what a user allowed a client, who speaks through one, and its end."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from limner.accounts.oauth_clients import document_host_of
from limner.accounts.principal import DEFAULT_SCOPES, SCOPES, Principal, Scope
from limner.db.base import Row, Transaction
from limner.db.types import new_id, utc, utc_or_none
from limner.errors import NotFound

GRANTABLE: tuple[Scope, ...] = tuple(scope for scope in SCOPES if scope in DEFAULT_SCOPES)
"""What a connection can have. A connection never makes keys: they would outlive it."""

ACCESS_PREFIX = "at_"
REFRESH_PREFIX = "rt_"

UNREDEEMED_AFTER = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class NewConnection:
    """What a user agreed to: `resource` is the path a token will be good at."""

    account_id: str
    user_id: str
    client_id: str
    client_name: str
    redirect_host: str
    resource: str
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class Token:
    """What can be told about a token that still works: everything but the token."""

    kind: Literal["access", "refresh"]
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection as lists show it. `document_host` vouches for the client's name, where it came with a document."""

    id: str
    client_name: str
    document_host: str | None
    redirect_host: str
    resource: str
    scopes: frozenset[Scope]
    email: str
    last_used_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime
    tokens: Sequence[Token]

    @property
    def is_over(self) -> bool:
        """Nobody can speak through it any more: it was ended, or its last token ran out."""
        return self.revoked_at is not None or not self.tokens


def add(tx: Transaction, new: NewConnection, now: datetime) -> str:
    """A connection that waits for its client to redeem the code; its id."""
    connection_id = new_id()
    tx.execute(
        """INSERT INTO connections (id, account_id, user_id, client_id, client_name, redirect_host, resource, scopes, created_at)
           VALUES (:id, :account_id, :user_id, :client_id, :client_name, :redirect_host, :resource, :scopes, :now)""",
        id=connection_id,
        account_id=new.account_id,
        user_id=new.user_id,
        client_id=new.client_id,
        client_name=new.client_name,
        redirect_host=new.redirect_host,
        resource=new.resource,
        scopes=scope_text(new.scopes),
        now=now,
    )
    return connection_id


def of_account(tx: Transaction, account_id: str, now: datetime) -> list[Connection]:
    """Those that began, newest first, revoked ones included."""
    rows = tx.all(
        """SELECT c.*, u.email FROM connections c JOIN users u ON u.id = c.user_id
           WHERE c.account_id = :account_id AND c.began_at IS NOT NULL ORDER BY c.id DESC""",
        account_id=account_id,
    )
    tokens = _tokens(tx, account_id, now)
    return [_connection(row, tokens.get(row["id"], [])) for row in rows]


def revoke(tx: Transaction, account_id: str, connection_id: str, now: datetime) -> None:
    """End a connection for good; ending it twice is fine, an unknown id is NotFound."""
    exists = tx.first(
        "SELECT 1 AS one FROM connections WHERE id = :id AND account_id = :account_id",
        id=connection_id,
        account_id=account_id,
    )
    if exists is None:
        raise NotFound("There is no such connection.")
    end(tx, connection_id, now)


def end(tx: Transaction, connection_id: str, now: datetime) -> None:
    """No token or code of it works from now on."""
    tx.execute(
        "UPDATE connections SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL", id=connection_id, now=now
    )
    tx.execute("DELETE FROM connection_tokens WHERE connection_id = :id AND kind = 'access'", id=connection_id)


def principal_of(tx: Transaction, token: str, now: datetime) -> Principal | None:
    """Who an access token speaks for; None for one that is unknown or over, or whose user left the account."""
    row = tx.first(
        """SELECT c.id, c.account_id, c.resource, t.scopes, u.id AS user_id, u.email, m.role, a.status, a.status_reason
           FROM connection_tokens t JOIN connections c ON c.id = t.connection_id
           JOIN accounts a ON a.id = c.account_id JOIN users u ON u.id = c.user_id
           JOIN memberships m ON m.account_id = c.account_id AND m.user_id = c.user_id
           WHERE t.digest = :digest AND t.kind = 'access' AND t.expires_at > :now AND c.revoked_at IS NULL
             AND u.disabled_at IS NULL AND a.status <> 'deleted'""",
        digest=digest(token),
        now=now,
    )
    return None if row is None else _principal(row)


def touch(tx: Transaction, last_used: Sequence[tuple[str, datetime]]) -> None:
    """Note when connections were last used; called with many at a time."""
    for connection_id, moment in last_used:
        tx.execute(
            "UPDATE connections SET last_used_at = :moment WHERE id = :id AND coalesce(last_used_at, 0) < :moment",
            id=connection_id,
            moment=moment,
        )


def sweep(tx: Transaction, now: datetime) -> None:
    """Forget tokens and codes that are over, and connections whose code nobody redeemed in time.

    A connection without any token left has ended by itself.
    """
    tx.execute("DELETE FROM connection_tokens WHERE expires_at < :now", now=now)
    tx.execute(
        """UPDATE connections SET revoked_at = :now WHERE began_at IS NOT NULL AND revoked_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM connection_tokens t WHERE t.connection_id = connections.id)""",
        now=now,
    )
    tx.execute("DELETE FROM authorization_codes WHERE expires_at < :past", past=now - UNREDEEMED_AFTER)
    unredeemed = "SELECT id FROM connections WHERE began_at IS NULL AND created_at < :past"
    past = now - 2 * UNREDEEMED_AFTER
    tx.execute(f"DELETE FROM authorization_codes WHERE connection_id IN ({unredeemed})", past=past)  # noqa: S608 — our own text
    tx.execute(f"DELETE FROM caps WHERE owner_id IN ({unredeemed})", past=past)  # noqa: S608 — our own text
    tx.execute("DELETE FROM connections WHERE began_at IS NULL AND created_at < :past", past=past)


def granted_by(role: str) -> frozenset[Scope]:
    """What a member of an account can allow a client: never more than they may do themselves."""
    return frozenset(GRANTABLE) if role in ("owner", "member") else frozenset(GRANTABLE) - {"images:generate"}


def scope_text(scopes: frozenset[Scope]) -> str:
    return " ".join(scope for scope in GRANTABLE if scope in scopes)


def scopes_in(text: str) -> frozenset[Scope]:
    """Those of the words that a connection can have."""
    words = text.split()
    return frozenset(scope for scope in GRANTABLE if scope in words)


def digest(secret: str) -> bytes:
    """SHA-256: codes, tickets and tokens have 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()


def _principal(row: Row) -> Principal:
    return Principal(
        account_id=row["account_id"],
        caller_id=row["id"],
        scopes=scopes_in(row["scopes"]) & granted_by(row["role"]),
        user_id=row["user_id"],
        email=row["email"],
        connection_id=row["id"],
        suspended_reason=(row["status_reason"] or "suspended") if row["status"] == "suspended" else None,
        cap_owner_ids=(row["id"],),
        resource=row["resource"],
    )


def _tokens(tx: Transaction, account_id: str, now: datetime) -> dict[str, list[Token]]:
    """Those that still work, newest first, by connection; a refresh token works until it is exchanged."""
    rows = tx.all(
        """SELECT t.connection_id, t.kind, t.scopes, t.created_at, t.expires_at FROM connection_tokens t
           JOIN connections c ON c.id = t.connection_id
           WHERE c.account_id = :account_id AND c.revoked_at IS NULL AND t.expires_at > :now AND t.used_at IS NULL
           ORDER BY t.created_at DESC, t.kind""",
        account_id=account_id,
        now=now,
    )
    found: dict[str, list[Token]] = {}
    for row in rows:
        token = Token(row["kind"], scopes_in(row["scopes"]), utc(row["created_at"]), utc(row["expires_at"]))
        found.setdefault(row["connection_id"], []).append(token)
    return found


def _connection(row: Row, tokens: Sequence[Token]) -> Connection:
    return Connection(
        id=row["id"],
        client_name=row["client_name"],
        document_host=document_host_of(row["client_id"]),
        redirect_host=row["redirect_host"],
        resource=row["resource"],
        scopes=scopes_in(row["scopes"]),
        email=row["email"],
        last_used_at=utc_or_none(row["last_used_at"]),
        revoked_at=utc_or_none(row["revoked_at"]),
        created_at=utc(row["created_at"]),
        tokens=tokens,
    )
