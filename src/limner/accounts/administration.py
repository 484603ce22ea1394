"""What an administrator and an owner do with whole accounts: find, suspend, rename, delete."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from limner.accounts import sessions
from limner.db.base import Row, Transaction
from limner.db.types import utc
from limner.errors import Detail, InvalidRequest, NotFound


@dataclass(frozen=True, slots=True)
class Overview:
    """An account as administrators see it, money beside it; credits."""

    id: str
    name: str
    email: str | None
    status: str
    status_reason: str | None
    available: int
    held: int
    images_total: int
    created_at: datetime


def search(tx: Transaction, text: str, *, limit: int, before_id: str | None = None) -> Sequence[Overview]:
    """Newest first; by a part of the name or of an address."""
    escaped = text.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    rows = tx.all(
        f"""{_OVERVIEW} WHERE a.id < :before
              AND (lower(a.name) LIKE :text ESCAPE '!' OR EXISTS (
                   SELECT 1 FROM memberships o JOIN users p ON p.id = o.user_id
                   WHERE o.account_id = a.id AND p.email LIKE :text ESCAPE '!'))
            ORDER BY a.id DESC LIMIT :limit""",  # noqa: S608 — only our own fragments
        text=f"%{escaped}%",
        before=before_id or "g",
        limit=limit,
    )
    return [_overview(row) for row in rows]


def overview(tx: Transaction, account_id: str) -> Overview:
    row = tx.first(f"{_OVERVIEW} WHERE a.id = :id", id=account_id)
    if row is None:
        raise NotFound("There is no such account.")
    return _overview(row)


def suspend(tx: Transaction, account_id: str, reason: str | None) -> None:
    """Stop an account from spending, with the reason it is told; None lets it go on."""
    changed = tx.execute(
        """UPDATE accounts SET status = :status, status_reason = :reason
           WHERE id = :id AND status <> 'deleted'""",
        id=account_id,
        status="active" if reason is None else "suspended",
        reason=reason,
    )
    if not changed:
        raise NotFound("There is no such account.")


def change(tx: Transaction, account_id: str, *, name: str, time_zone: str, retention_days: int | None) -> None:
    """The owner's settings. InvalidRequest for a time zone nobody knows."""
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidRequest(
            f"There is no time zone '{time_zone[:60]}'.", details=[Detail("time_zone", "unknown time zone")]
        ) from None
    tx.execute(
        "UPDATE accounts SET name = :name, time_zone = :time_zone, retention_days = :days WHERE id = :id",
        id=account_id,
        name=name,
        time_zone=time_zone,
        days=retention_days,
    )


def close(tx: Transaction, account_id: str, now: datetime) -> None:
    """End an account: its keys and sessions stop at once, and its people are forgotten where they had no other."""
    tx.execute("UPDATE accounts SET status = 'deleted', name = 'Deleted account' WHERE id = :id", id=account_id)
    tx.execute(
        "UPDATE api_keys SET revoked_at = :now WHERE account_id = :id AND revoked_at IS NULL", id=account_id, now=now
    )
    for row in tx.all("SELECT user_id FROM memberships WHERE account_id = :id", id=account_id):
        others = tx.scalar(
            """SELECT count(*) FROM memberships m JOIN accounts a ON a.id = m.account_id
               WHERE m.user_id = :user_id AND a.status <> 'deleted'""",
            user_id=row["user_id"],
        )
        if not others:
            _forget(tx, row["user_id"], now)
    tx.execute("DELETE FROM sessions WHERE account_id = :id", id=account_id)


def _forget(tx: Transaction, user_id: str, now: datetime) -> None:
    tx.execute(
        """UPDATE users SET email = :nobody, name = NULL, password_digest = NULL, disabled_at = :now, is_admin = 0
           WHERE id = :id""",
        id=user_id,
        nobody=f"deleted-{user_id}@localhost",
        now=now,
    )
    tx.execute("DELETE FROM identities WHERE user_id = :id", id=user_id)
    sessions.end_all(tx, user_id)


_OVERVIEW = """SELECT a.id, a.name, a.status, a.status_reason, a.created_at, b.ledger_balance, b.held, b.images_total,
                      (SELECT min(u.email) FROM memberships m JOIN users u ON u.id = m.user_id
                       WHERE m.account_id = a.id AND m.role = 'owner') AS email
               FROM accounts a JOIN balances b ON b.account_id = a.id"""


def _overview(row: Row) -> Overview:
    return Overview(
        id=row["id"],
        name=row["name"],
        email=row["email"],
        status=row["status"],
        status_reason=row["status_reason"],
        available=row["ledger_balance"] - row["held"],
        held=row["held"],
        images_total=row["images_total"],
        created_at=utc(row["created_at"]),
    )
