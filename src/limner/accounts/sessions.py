"""Signed-in browsers: rows that end when they are told to, when they expire, or when their user is gone."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from limner.accounts.principal import SCOPES, Principal
from limner.db.base import Row, Transaction
from limner.db.types import new_id, utc
from limner.errors import InvalidRequest

LIFETIME = timedelta(days=30)
"""How long a browser stays signed in without being used."""

NOTED_EVERY = timedelta(minutes=10)
"""How fresh `last_seen_at` is kept: a page view is mostly a read."""

Role = Literal["owner", "member", "billing"]


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, and on which account. `acting` is an administrator looking after another's account."""

    id: str
    user_id: str
    email: str
    name: str | None
    has_password: bool
    is_verified: bool
    is_admin: bool
    account_id: str
    account_name: str
    time_zone: str
    retention_days: int | None
    role: Role
    acting: bool
    suspended_reason: str | None
    last_seen_at: datetime
    expires_at: datetime

    @property
    def may_spend(self) -> bool:
        return self.role in ("owner", "member")

    @property
    def may_pay(self) -> bool:
        return self.role in ("owner", "billing")

    @property
    def owns(self) -> bool:
        return self.role == "owner"

    def principal(self) -> Principal:
        """A session may do everything its role allows: billing reads, a member also makes."""
        scopes = frozenset(SCOPES) if self.may_spend else frozenset(SCOPES) - {"images:generate", "keys:write"}
        return Principal(
            account_id=self.account_id,
            caller_id=self.id,
            scopes=scopes,
            user_id=self.user_id,
            email=self.email,
            is_admin=self.is_admin,
            suspended_reason=self.suspended_reason,
        )


def begin(tx: Transaction, user_id: str, now: datetime, *, user_agent: str | None = None) -> str:
    """Sign a user in on their first account; the secret for the cookie, which is stored nowhere.

    InvalidRequest for somebody who was taken out of every account.
    """
    secret = secrets.token_urlsafe(32)
    account_id = tx.scalar(
        """SELECT m.account_id FROM memberships m JOIN accounts a ON a.id = m.account_id
           WHERE m.user_id = :user_id AND a.status <> 'deleted'
           ORDER BY CASE m.role WHEN 'owner' THEN 0 ELSE 1 END, m.created_at LIMIT 1""",
        user_id=user_id,
    )
    if account_id is None:
        raise InvalidRequest("You belong to no account of this server.", next_step="Ask its owner to invite you again.")
    tx.execute(
        """INSERT INTO sessions (id, user_id, account_id, digest, user_agent, last_seen_at, expires_at, created_at)
           VALUES (:id, :user_id, :account_id, :digest, :user_agent, :now, :expires_at, :now)""",
        id=new_id(),
        user_id=user_id,
        account_id=account_id,
        digest=digest(secret),
        user_agent=user_agent[:300] if user_agent else None,
        expires_at=now + LIFETIME,
        now=now,
    )
    return secret


def find(tx: Transaction, secret: str, now: datetime) -> Session | None:
    """The session of a cookie; None once it ended, expired, or its user, membership or account is gone."""
    row = tx.first(
        """SELECT s.id, s.user_id, s.last_seen_at, s.expires_at, u.email, u.name, u.is_admin, u.password_digest,
                  u.email_verified_at, m.role, a.id AS account_id, a.name AS account_name, a.time_zone, a.retention_days,
                  a.status, a.status_reason, s.acting_account_id
           FROM sessions s JOIN users u ON u.id = s.user_id
           JOIN accounts a ON a.id = CASE WHEN u.is_admin = 1 THEN coalesce(s.acting_account_id, s.account_id)
                                          ELSE s.account_id END
           LEFT JOIN memberships m ON m.user_id = u.id AND m.account_id = a.id
           WHERE s.digest = :digest AND s.expires_at > :now AND u.disabled_at IS NULL AND a.status <> 'deleted'
             AND (m.role IS NOT NULL OR (u.is_admin = 1 AND s.acting_account_id IS NOT NULL))""",
        digest=digest(secret),
        now=now,
    )
    return None if row is None else _session(row)


def note_seen(tx: Transaction, session: Session, now: datetime) -> None:
    """Stay signed in while the browser is used; writes only now and then."""
    if now - session.last_seen_at >= NOTED_EVERY:
        tx.execute(
            "UPDATE sessions SET last_seen_at = :now, expires_at = :expires_at WHERE id = :id",
            id=session.id,
            now=now,
            expires_at=now + LIFETIME,
        )


def is_due(session: Session, now: datetime) -> bool:
    return now - session.last_seen_at >= NOTED_EVERY


def act_for(tx: Transaction, session_id: str, account_id: str | None) -> None:
    """An administrator looks after an account; None goes back to their own."""
    tx.execute(
        "UPDATE sessions SET acting_account_id = :account_id WHERE id = :id", id=session_id, account_id=account_id
    )


def switch(tx: Transaction, session_id: str, account_id: str) -> bool:
    """Turn to another account the user belongs to; false when they do not."""
    return (
        tx.execute(
            """UPDATE sessions SET account_id = :account_id, acting_account_id = NULL
               WHERE id = :id AND EXISTS (SELECT 1 FROM memberships m JOIN accounts a ON a.id = m.account_id
                                          WHERE m.user_id = sessions.user_id AND m.account_id = :account_id
                                            AND a.status <> 'deleted')""",
            id=session_id,
            account_id=account_id,
        )
        == 1
    )


def end(tx: Transaction, session_id: str) -> None:
    tx.execute("DELETE FROM sessions WHERE id = :id", id=session_id)


def end_all(tx: Transaction, user_id: str, *, but: str | None = None) -> int:
    """Sign a user out everywhere, or everywhere but here; how many browsers that were."""
    return tx.execute("DELETE FROM sessions WHERE user_id = :user_id AND id <> :but", user_id=user_id, but=but or "")


def count_of(tx: Transaction, user_id: str, now: datetime) -> int:
    return tx.scalar(
        "SELECT count(*) FROM sessions WHERE user_id = :user_id AND expires_at > :now", user_id=user_id, now=now
    )


def sweep(tx: Transaction, now: datetime) -> None:
    tx.execute("DELETE FROM sessions WHERE expires_at < :now", now=now)


def digest(secret: str) -> bytes:
    """SHA-256: the secret has 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()


def _session(row: Row) -> Session:
    suspended = row["status"] == "suspended"
    return Session(
        id=row["id"],
        user_id=row["user_id"],
        email=row["email"],
        name=row["name"],
        has_password=row["password_digest"] is not None,
        is_verified=row["email_verified_at"] is not None,
        is_admin=bool(row["is_admin"]),
        account_id=row["account_id"],
        account_name=row["account_name"],
        time_zone=row["time_zone"],
        retention_days=row["retention_days"],
        role=row["role"] or "owner",
        acting=bool(row["is_admin"]) and row["acting_account_id"] is not None,
        suspended_reason=(row["status_reason"] or "suspended") if suspended else None,
        last_seen_at=utc(row["last_seen_at"]),
        expires_at=utc(row["expires_at"]),
    )
