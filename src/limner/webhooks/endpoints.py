"""The addresses accounts want to be told at; owns the `webhooks` table."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from limner.db.base import Row, Transaction
from limner.db.types import new_id, utc
from limner.errors import InvalidRequest, NotFound

EventType = Literal["image.succeeded", "image.failed", "credits.low", "cap.reached"]

EVENT_TYPES: tuple[EventType, ...] = ("image.succeeded", "image.failed", "credits.low", "cap.reached")
MOST_PER_ACCOUNT = 20
SECRET_BYTES = 24


@dataclass(frozen=True, slots=True)
class Webhook:
    id: str
    account_id: str
    url: str
    events: tuple[EventType, ...]
    secret: bytes = field(repr=False)
    created_at: datetime


def create(tx: Transaction, account_id: str, url: str, events: Sequence[EventType], now: datetime) -> Webhook:
    """InvalidRequest when the account has too many. The URL has been checked."""
    if len(of_account(tx, account_id)) >= MOST_PER_ACCOUNT:
        raise InvalidRequest(f"An account can have {MOST_PER_ACCOUNT} webhooks.", next_step="Delete one first.")
    webhook_id = new_id()
    tx.execute(
        """INSERT INTO webhooks (id, account_id, url, events, secret, created_at)
           VALUES (:id, :account_id, :url, :events, :secret, :now)""",
        id=webhook_id,
        account_id=account_id,
        url=url,
        events=" ".join(each for each in EVENT_TYPES if each in events),
        secret=secrets.token_bytes(SECRET_BYTES),
        now=now,
    )
    return get(tx, account_id, webhook_id)


def get(tx: Transaction, account_id: str, webhook_id: str) -> Webhook:
    row = tx.first(
        "SELECT * FROM webhooks WHERE id = :id AND account_id = :account_id AND deleted_at IS NULL",
        id=webhook_id,
        account_id=account_id,
    )
    if row is None:
        raise NotFound("There is no such webhook.")
    return _webhook(row)


def find(tx: Transaction, webhook_id: str) -> Webhook | None:
    """Any account's, for the sender; None once it was deleted."""
    row = tx.first("SELECT * FROM webhooks WHERE id = :id AND deleted_at IS NULL", id=webhook_id)
    return None if row is None else _webhook(row)


def of_account(tx: Transaction, account_id: str) -> list[Webhook]:
    """Oldest first."""
    rows = tx.all(
        "SELECT * FROM webhooks WHERE account_id = :account_id AND deleted_at IS NULL ORDER BY id",
        account_id=account_id,
    )
    return [_webhook(row) for row in rows]


def delete(tx: Transaction, account_id: str, webhook_id: str, now: datetime) -> None:
    """Nothing more is sent there, what waits included."""
    get(tx, account_id, webhook_id)
    tx.execute("UPDATE webhooks SET deleted_at = :now WHERE id = :id", id=webhook_id, now=now)


def _webhook(row: Row) -> Webhook:
    known: dict[str, EventType] = {each: each for each in EVENT_TYPES}
    return Webhook(
        id=row["id"],
        account_id=row["account_id"],
        url=row["url"],
        events=tuple(known[word] for word in row["events"].split()),
        secret=bytes(row["secret"]),
        created_at=utc(row["created_at"]),
    )
