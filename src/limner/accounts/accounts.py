"""Accounts and the users who own them."""

import re
from dataclasses import dataclass
from datetime import datetime

from limner.db.base import Row, Transaction, UniqueViolation
from limner.db.types import new_id, utc
from limner.errors import Detail, InvalidRequest, NotFound

_EMAIL = re.compile(r"[^@\s\x00-\x1f<>\"]{1,64}@[^@\s\x00-\x1f<>\"]{1,255}")


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    name: str
    status: str
    status_reason: str | None
    time_zone: str
    retention_days: int | None
    created_at: datetime


def create(
    tx: Transaction, email: str, now: datetime, *, is_admin: bool = False, verified: bool = False
) -> tuple[str, str]:
    """A new account with one owner; its (account id, user id). InvalidRequest when the address is taken."""
    email = normal_email(email)
    account_id, user_id = new_id(), new_id()
    tx.execute(
        "INSERT INTO accounts (id, name, created_at) VALUES (:id, :name, :now)", id=account_id, name=email, now=now
    )
    tx.execute("INSERT INTO balances (account_id) VALUES (:id)", id=account_id)
    try:
        tx.execute(
            """INSERT INTO users (id, email, is_admin, email_verified_at, created_at)
               VALUES (:id, :email, :is_admin, :verified_at, :now)""",
            id=user_id,
            email=email,
            is_admin=int(is_admin),
            verified_at=now if verified else None,
            now=now,
        )
    except UniqueViolation:
        raise InvalidRequest(
            f"There is already an account for {email}.", details=[Detail("email", "already used")]
        ) from None
    tx.execute(
        "INSERT INTO memberships (account_id, user_id, role, created_at) VALUES (:account_id, :user_id, 'owner', :now)",
        account_id=account_id,
        user_id=user_id,
        now=now,
    )
    return account_id, user_id


def get(tx: Transaction, account_id: str) -> Account:
    row = tx.first("SELECT * FROM accounts WHERE id = :id", id=account_id)
    if row is None:
        raise NotFound("There is no such account.")
    return _account(row)


def id_by_email(tx: Transaction, email: str) -> str:
    """The account an address owns; NotFound when nobody has it."""
    account_id = tx.scalar(
        """SELECT m.account_id FROM users u JOIN memberships m ON m.user_id = u.id AND m.role = 'owner'
           WHERE u.email = :email ORDER BY m.account_id LIMIT 1""",
        email=normal_email(email),
    )
    if account_id is None:
        raise NotFound(f"There is no account for {email}.")
    return account_id


def emails(tx: Transaction) -> dict[str, str]:
    """Each account's id and its owner's address, oldest first."""
    rows = tx.all(
        """SELECT m.account_id, min(u.email) AS email FROM users u JOIN memberships m ON m.user_id = u.id
           WHERE m.role = 'owner' GROUP BY m.account_id ORDER BY m.account_id"""
    )
    return {row["account_id"]: row["email"] for row in rows}


def any_exist(tx: Transaction) -> bool:
    return tx.scalar("SELECT 1 FROM accounts LIMIT 1") is not None


def normal_email(email: str) -> str:
    """Lower case without surrounding space; InvalidRequest when it cannot be an address."""
    email = email.strip().lower()
    if not _EMAIL.fullmatch(email):
        raise InvalidRequest("That is not an email address.", details=[Detail("email", "not an email address")])
    return email


def _account(row: Row) -> Account:
    return Account(
        id=row["id"],
        name=row["name"],
        status=row["status"],
        status_reason=row["status_reason"],
        time_zone=row["time_zone"],
        retention_days=row["retention_days"],
        created_at=utc(row["created_at"]),
    )
