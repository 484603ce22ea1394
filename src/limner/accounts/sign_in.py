"""One-time links: how somebody without a password comes in, the first administrator included.

The secret part is 256 random bits and stands only in the link; what is stored is its digest. Looking
at a link does not use it up (mail scanners look), following it with the button does, once.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from limner.accounts import accounts, sessions, users
from limner.accounts.sessions import Role
from limner.db.base import Row, Transaction
from limner.db.types import new_id, utc
from limner.errors import InvalidRequest, NotFound

Purpose = Literal["first-start", "sign-in", "sign-up", "invite", "verify", "reset"]

TTL = timedelta(hours=24)
INVITE_TTL = timedelta(days=7)

Welcome = Callable[[Transaction, str], None]
"""What a new account is given, in the transaction that makes it."""


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """What a link is good for; `email` is whose it is, where that is known."""

    id: str
    purpose: Purpose
    email: str | None
    user_id: str | None
    account_id: str | None
    role: Role | None
    expires_at: datetime


def sign_in_link(tx: Transaction, email: str, now: datetime) -> str:
    """The path of a link that signs a user in once, within 24 hours; NotFound when nobody has the address."""
    user = users.find(tx, email)
    if user is None or user.is_disabled:
        raise NotFound(f"There is no user {email}.")
    return path_of(make(tx, "sign-in", now, email=user.email, user_id=user.id))


def first_start_link(tx: Transaction, now: datetime) -> str | None:
    """The path of a link that makes the first administrator, within 24 hours; None once there is any user."""
    return None if users.any_exist(tx) else path_of(make(tx, "first-start", now))


def path_of(secret: str) -> str:
    """Where a link leads, after the public URL."""
    return f"/sign-in/{secret}"


def make(
    tx: Transaction,
    purpose: Purpose,
    now: datetime,
    *,
    email: str | None = None,
    user_id: str | None = None,
    account_id: str | None = None,
    role: Role | None = None,
    ttl: timedelta = TTL,
) -> str:
    """A new link; its secret."""
    secret = secrets.token_urlsafe(32)
    tx.execute(
        """INSERT INTO one_time_links (id, purpose, digest, email, user_id, account_id, role, expires_at, created_at)
           VALUES (:id, :purpose, :digest, :email, :user_id, :account_id, :role, :expires_at, :now)""",
        id=new_id(),
        purpose=purpose,
        digest=sessions.digest(secret),
        email=email,
        user_id=user_id,
        account_id=account_id,
        role=role,
        expires_at=now + ttl,
        now=now,
    )
    return secret


def look(tx: Transaction, secret: str, now: datetime) -> OneTimeLink | None:
    """What a link is good for, without using it; None when it was used, expired or never was."""
    row = tx.first(
        "SELECT * FROM one_time_links WHERE digest = :digest AND used_at IS NULL AND expires_at > :now",
        digest=sessions.digest(secret),
        now=now,
    )
    return None if row is None else _link(row)


def use(tx: Transaction, secret: str, now: datetime) -> OneTimeLink | None:
    """Use a link up: of many who follow it at once, one gets it and the others None."""
    row = tx.first(
        """UPDATE one_time_links SET used_at = :now WHERE digest = :digest AND used_at IS NULL AND expires_at > :now
           RETURNING *""",
        digest=sessions.digest(secret),
        now=now,
    )
    return None if row is None else _link(row)


def enter(
    tx: Transaction,
    secret: str,
    now: datetime,
    *,
    email: str | None,
    password_digest: str | None,
    welcome: Welcome,
) -> str | None:
    """Follow a link to the end: make, join or verify what it is for. The user id to sign in, or None."""
    link = use(tx, secret, now)
    if link is None or (link.purpose == "first-start" and users.any_exist(tx)):
        return None
    user_id = _user_of(tx, link, email, now, welcome)
    if user_id is None or users.get(tx, user_id).is_disabled:
        return None
    if link.account_id is not None and link.role is not None:
        users.join(tx, user_id, link.account_id, link.role, now)
    prove(tx, user_id, now, welcome)
    if password_digest is not None:
        users.set_password(tx, user_id, password_digest)
    return user_id


def prove(tx: Transaction, user_id: str, now: datetime, welcome: Welcome) -> None:
    """The address is theirs. Where that comes after the account was made, it gets now what new accounts get."""
    if users.verify(tx, user_id, now):
        for membership in users.memberships(tx, user_id):
            if membership.role == "owner":
                welcome(tx, membership.account_id)


def open_invites(tx: Transaction, account_id: str, now: datetime) -> list[OneTimeLink]:
    rows = tx.all(
        """SELECT * FROM one_time_links WHERE account_id = :account_id AND purpose = 'invite' AND used_at IS NULL
             AND expires_at > :now ORDER BY id""",
        account_id=account_id,
        now=now,
    )
    return [_link(row) for row in rows]


def take_invites(tx: Transaction, email: str, now: datetime) -> list[OneTimeLink]:
    """Use up every open invitation of somebody who has proved the address."""
    rows = tx.all(
        """UPDATE one_time_links SET used_at = :now
           WHERE purpose = 'invite' AND email = :email AND used_at IS NULL AND expires_at > :now
             AND account_id IN (SELECT id FROM accounts WHERE status <> 'deleted') RETURNING *""",
        email=email,
        now=now,
    )
    return [_link(row) for row in rows]


def withdraw(tx: Transaction, account_id: str, link_id: str, now: datetime) -> None:
    """Make an invitation useless; NotFound for another account's."""
    gone = tx.execute(
        "UPDATE one_time_links SET used_at = :now WHERE id = :id AND account_id = :account_id AND used_at IS NULL",
        id=link_id,
        account_id=account_id,
        now=now,
    )
    if gone == 0:
        raise NotFound("There is no such invitation.")


def sweep(tx: Transaction, now: datetime) -> None:
    tx.execute("DELETE FROM one_time_links WHERE expires_at < :past", past=now - timedelta(days=30))


def _user_of(tx: Transaction, link: OneTimeLink, email: str | None, now: datetime, welcome: Welcome) -> str | None:
    if link.user_id is not None:
        return link.user_id
    address = link.email or email
    if address is None:
        raise InvalidRequest("An email address is needed.")
    if (user := users.find(tx, address)) is not None:
        return user.id if link.purpose != "first-start" else None
    if link.account_id is not None:
        return users.add(tx, address, now, verified=True)
    account_id, user_id = accounts.create(tx, address, now, is_admin=link.purpose == "first-start", verified=True)
    welcome(tx, account_id)
    return user_id


def _link(row: Row) -> OneTimeLink:
    return OneTimeLink(
        id=row["id"],
        purpose=row["purpose"],
        email=row["email"],
        user_id=row["user_id"],
        account_id=row["account_id"],
        role=row["role"],
        expires_at=utc(row["expires_at"]),
    )
