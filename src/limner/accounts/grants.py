"""Codes and tokens: how a client turns a user's consent into access, keeps it fresh, and gives it back.

A refusal is an outcome, not an exception: what a replayed code or token sets off has to be committed.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from limner.accounts import connections
from limner.accounts.connections import ACCESS_PREFIX, REFRESH_PREFIX, digest
from limner.accounts.principal import Scope
from limner.db.base import Row, Transaction
from limner.db.types import to_ms
from limner.issuers.pkce import challenge_of

CODE_LIFETIME = timedelta(seconds=60)
ACCESS_LIFETIME = timedelta(hours=1)
REFRESH_LIFETIME = timedelta(days=90)

GRACE = timedelta(seconds=60)
"""How long a refresh token that was just exchanged still answers: the answer may have been lost on its way."""

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True)
class Issued:
    """A pair of tokens; shown once."""

    access_token: str
    refresh_token: str
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there are no tokens, in the codes of RFC 6749, section 5.2, and RFC 8707."""

    error: Literal["invalid_request", "invalid_client", "invalid_grant", "invalid_scope", "invalid_target"]
    description: str


@dataclass(frozen=True, slots=True)
class Redemption:
    """What a client sends to redeem a code; `resource` is a path of ours, None where it named none."""

    code: str
    client_id: str
    redirect_uri: str | None
    verifier: str
    resource: str | None


def add_code(tx: Transaction, connection_id: str, redirect_uri: str, challenge: str, now: datetime) -> str:
    """A code for the client, good for a minute and for one redemption."""
    code = f"ac_{secrets.token_urlsafe(32)}"
    tx.execute(
        """INSERT INTO authorization_codes (digest, connection_id, redirect_uri, challenge, expires_at)
           VALUES (:digest, :connection_id, :redirect_uri, :challenge, :expires_at)""",
        digest=digest(code),
        connection_id=connection_id,
        redirect_uri=redirect_uri,
        challenge=challenge,
        expires_at=now + CODE_LIFETIME,
    )
    return code


def redeem(tx: Transaction, asked: Redemption, now: datetime) -> Issued | Refusal:
    """One statement decides who gets the tokens; a code that comes again ends its connection."""
    if not _VERIFIER.fullmatch(asked.verifier):
        return Refusal("invalid_request", "code_verifier must have 43 to 128 unreserved characters.")
    row = _code(tx, asked.code)
    if row is not None and row["used_at"] is None and asked.resource not in (None, row["resource"]):
        return Refusal("invalid_target", "The code is for another resource.")
    if row is not None and _use_code(tx, asked, now):
        tx.execute("UPDATE connections SET began_at = :now WHERE id = :id", id=row["connection_id"], now=now)
        return _issue(tx, row["connection_id"], connections.scopes_in(row["scopes"]), now)
    if (used := _code(tx, asked.code)) is not None and used["used_at"] is not None:
        connections.end(tx, used["connection_id"], now)
    return Refusal("invalid_grant", "The code is wrong, was used, or is over.")


def refresh(
    tx: Transaction, token: str, client_id: str, scopes: frozenset[Scope] | None, resource: str | None, now: datetime
) -> Issued | Refusal:
    """A new pair for a refresh token; one that comes again after the grace ends its connection."""
    row = _refresh_token(tx, token, now)
    if row is None or row["client_id"] != client_id:
        return Refusal("invalid_grant", "The refresh token is wrong, was revoked, or is over.")
    granted = connections.scopes_in(row["scopes"])
    if resource not in (None, row["resource"]):
        return Refusal("invalid_target", "The refresh token is for another resource.")
    if scopes is not None and not scopes <= granted:
        return Refusal("invalid_scope", f"The user allowed: {row['scopes']}.")
    if not _use_refresh_token(tx, token, now) and not _is_in_grace(tx, token, now):
        connections.end(tx, row["connection_id"], now)
        return Refusal("invalid_grant", "The refresh token was used before; the connection is over.")
    return _issue(tx, row["connection_id"], granted, now, narrowed=scopes)


def give_back(tx: Transaction, token: str, client_id: str | None, now: datetime) -> None:
    """RFC 7009: an access token ends alone, a refresh token with its whole connection; an unknown one is no failure."""
    row = tx.first(
        """SELECT t.kind, t.connection_id, c.client_id FROM connection_tokens t
           JOIN connections c ON c.id = t.connection_id WHERE t.digest = :digest""",
        digest=digest(token),
    )
    if row is None or client_id not in (None, row["client_id"]):
        return
    if row["kind"] == "refresh":
        connections.end(tx, row["connection_id"], now)
    else:
        tx.execute("DELETE FROM connection_tokens WHERE digest = :digest", digest=digest(token))


def _code(tx: Transaction, code: str) -> Row | None:
    return tx.first(
        """SELECT a.connection_id, a.used_at, c.resource, c.scopes FROM authorization_codes a
           JOIN connections c ON c.id = a.connection_id WHERE a.digest = :digest""",
        digest=digest(code),
    )


def _use_code(tx: Transaction, asked: Redemption, now: datetime) -> bool:
    touched = tx.execute(
        """UPDATE authorization_codes SET used_at = :now
           WHERE digest = :digest AND used_at IS NULL AND expires_at > :now AND challenge = :challenge
             AND redirect_uri = coalesce(:redirect_uri, redirect_uri)
             AND EXISTS (SELECT 1 FROM connections c WHERE c.id = connection_id AND c.client_id = :client_id
                         AND c.revoked_at IS NULL)""",
        digest=digest(asked.code),
        challenge=challenge_of(asked.verifier),
        redirect_uri=asked.redirect_uri,
        client_id=asked.client_id,
        now=now,
    )
    return touched == 1


def _refresh_token(tx: Transaction, token: str, now: datetime) -> Row | None:
    return tx.first(
        """SELECT t.connection_id, c.client_id, c.resource, c.scopes FROM connection_tokens t
           JOIN connections c ON c.id = t.connection_id
           JOIN memberships m ON m.account_id = c.account_id AND m.user_id = c.user_id
           WHERE t.digest = :digest AND t.kind = 'refresh' AND t.expires_at > :now AND c.revoked_at IS NULL""",
        digest=digest(token),
        now=now,
    )


def _use_refresh_token(tx: Transaction, token: str, now: datetime) -> bool:
    touched = tx.execute(
        "UPDATE connection_tokens SET used_at = :now WHERE digest = :digest AND used_at IS NULL",
        digest=digest(token),
        now=now,
    )
    return touched == 1


def _is_in_grace(tx: Transaction, token: str, now: datetime) -> bool:
    used_at = tx.scalar("SELECT used_at FROM connection_tokens WHERE digest = :digest", digest=digest(token))
    return used_at is not None and to_ms(now) - used_at <= GRACE.total_seconds() * 1000


def _issue(
    tx: Transaction,
    connection_id: str,
    granted: frozenset[Scope],
    now: datetime,
    *,
    narrowed: frozenset[Scope] | None = None,
) -> Issued:
    """The refresh token keeps everything that was granted; the access token may have less."""
    scopes = granted if narrowed is None else narrowed
    issued = Issued(
        f"{ACCESS_PREFIX}{secrets.token_urlsafe(32)}", f"{REFRESH_PREFIX}{secrets.token_urlsafe(32)}", scopes
    )
    _put(tx, connection_id, issued.access_token, "access", scopes, now, now + ACCESS_LIFETIME)
    _put(tx, connection_id, issued.refresh_token, "refresh", granted, now, now + REFRESH_LIFETIME)
    return issued


def _put(
    tx: Transaction,
    connection_id: str,
    token: str,
    kind: str,
    scopes: frozenset[Scope],
    now: datetime,
    expires_at: datetime,
) -> None:
    tx.execute(
        """INSERT INTO connection_tokens (digest, connection_id, kind, scopes, expires_at, created_at)
           VALUES (:digest, :connection_id, :kind, :scopes, :expires_at, :now)""",
        digest=digest(token),
        connection_id=connection_id,
        kind=kind,
        scopes=connections.scope_text(scopes),
        expires_at=expires_at,
        now=now,
    )
