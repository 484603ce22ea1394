"""The people who sign in, and the accounts they belong to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from limner.accounts import accounts, sessions
from limner.accounts.sessions import Role
from limner.db.base import Row, Transaction
from limner.db.types import new_id, utc
from limner.errors import InvalidRequest, NotFound


@dataclass(frozen=True, slots=True)
class User:
    id: str
    email: str
    name: str | None
    password_digest: str | None
    is_verified: bool
    is_admin: bool
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A user as their account's list shows them."""

    user_id: str
    email: str
    role: Role
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """An account as its user's list shows it."""

    account_id: str
    name: str
    role: Role


def find(tx: Transaction, email: str) -> User | None:
    """By address, in whatever case it was typed; None for nobody and for what is no address."""
    row = tx.first("SELECT * FROM users WHERE email = :email", email=email.strip().lower())
    return None if row is None else _user(row)


def get(tx: Transaction, user_id: str) -> User:
    row = tx.first("SELECT * FROM users WHERE id = :id", id=user_id)
    if row is None:
        raise NotFound("There is no such user.")
    return _user(row)


def any_exist(tx: Transaction) -> bool:
    return tx.scalar("SELECT 1 FROM users LIMIT 1") is not None


def add(tx: Transaction, email: str, now: datetime, *, verified: bool) -> str:
    """A user without an account of their own, who was invited to another's; the user id."""
    user_id = new_id()
    tx.execute(
        "INSERT INTO users (id, email, email_verified_at, created_at) VALUES (:id, :email, :verified_at, :now)",
        id=user_id,
        email=accounts.normal_email(email),
        verified_at=now if verified else None,
        now=now,
    )
    return user_id


def set_password(tx: Transaction, user_id: str, digest: str, *, keep_session: str | None = None) -> None:
    """A new password signs every other browser out."""
    tx.execute("UPDATE users SET password_digest = :digest WHERE id = :id", id=user_id, digest=digest)
    sessions.end_all(tx, user_id, but=keep_session)


def set_name(tx: Transaction, user_id: str, name: str | None) -> None:
    tx.execute("UPDATE users SET name = :name WHERE id = :id", id=user_id, name=name)


def verify(tx: Transaction, user_id: str, now: datetime) -> bool:
    """Note that the address is theirs; true the first time."""
    return (
        tx.execute(
            "UPDATE users SET email_verified_at = :now WHERE id = :id AND email_verified_at IS NULL",
            id=user_id,
            now=now,
        )
        == 1
    )


def memberships(tx: Transaction, user_id: str) -> list[Membership]:
    rows = tx.all(
        """SELECT a.id, a.name, m.role FROM memberships m JOIN accounts a ON a.id = m.account_id
           WHERE m.user_id = :user_id AND a.status <> 'deleted' ORDER BY m.created_at""",
        user_id=user_id,
    )
    return [Membership(row["id"], row["name"], row["role"]) for row in rows]


def members(tx: Transaction, account_id: str) -> list[Member]:
    rows = tx.all(
        """SELECT u.id, u.email, m.role, m.created_at FROM memberships m JOIN users u ON u.id = m.user_id
           WHERE m.account_id = :account_id ORDER BY m.created_at, u.id""",
        account_id=account_id,
    )
    return [Member(row["id"], row["email"], row["role"], utc(row["created_at"])) for row in rows]


def join(tx: Transaction, user_id: str, account_id: str, role: Role, now: datetime) -> None:
    """Belonging already is fine; the role they had stays."""
    tx.execute(
        """INSERT INTO memberships (account_id, user_id, role, created_at) VALUES (:account_id, :user_id, :role, :now)
           ON CONFLICT (account_id, user_id) DO NOTHING""",
        account_id=account_id,
        user_id=user_id,
        role=role,
        now=now,
    )


def remove(tx: Transaction, account_id: str, user_id: str) -> None:
    """Take somebody out of an account and end their sessions on it; its last owner stays."""
    others: Any = tx.scalar(
        "SELECT count(*) FROM memberships WHERE account_id = :account_id AND role = 'owner' AND user_id <> :user_id",
        account_id=account_id,
        user_id=user_id,
    )
    if not others:
        raise InvalidRequest("An account keeps at least one owner.", next_step="Make somebody else an owner first.")
    gone = tx.execute(
        "DELETE FROM memberships WHERE account_id = :account_id AND user_id = :user_id",
        account_id=account_id,
        user_id=user_id,
    )
    if gone == 0:
        raise NotFound("There is no such member.")
    tx.execute(
        "DELETE FROM sessions WHERE account_id = :account_id AND user_id = :user_id",
        account_id=account_id,
        user_id=user_id,
    )


def _user(row: Row) -> User:
    return User(
        id=row["id"],
        email=row["email"],
        name=row["name"],
        password_digest=row["password_digest"],
        is_verified=row["email_verified_at"] is not None,
        is_admin=bool(row["is_admin"]),
        is_disabled=row["disabled_at"] is not None,
    )
