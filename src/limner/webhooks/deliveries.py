"""Events on their way to webhooks; owns the `deliveries` table.

An event is written down in the transaction of what happened, so it is told if and only if it did happen. It may
arrive more than once: its id is the same each time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import orjson

from limner.db.base import Row, Transaction
from limner.db.types import new_id, utc, utc_or_none
from limner.errors import NotFound
from limner.webhooks import endpoints
from limner.webhooks.endpoints import EventType

BACK_OFF = tuple(timedelta(seconds=each) for each in (5, 30, 120, 600, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600))
"""How long after each attempt that failed the next one comes; then it is given up."""

LEASE = timedelta(seconds=60)
"""For how long the process that took a delivery may be busy with it."""

KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Delivery:
    id: str
    webhook_id: str
    event_id: str
    event_type: EventType
    payload: str
    status: Literal["waiting", "delivered", "failed"]
    attempts: int
    next_at: datetime | None
    answered_status: int | None
    problem: str | None
    created_at: datetime
    ended_at: datetime | None


def emit(
    tx: Transaction,
    account_id: str,
    event_type: EventType,
    data: Mapping[str, Any],
    now: datetime,
    *,
    event_id: str | None = None,
) -> None:
    """Tell every webhook of the account that wants to hear of it; the same `event_id` once."""
    listening = [each for each in endpoints.of_account(tx, account_id) if event_type in each.events]
    if not listening:
        return
    event_id = event_id or new_id()
    timestamp = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
    payload = orjson.dumps({"type": event_type, "timestamp": timestamp, "data": data}).decode()
    for webhook in listening:
        tx.post(
            """INSERT INTO deliveries (id, webhook_id, event_id, event_type, payload, status, next_at, created_at)
               VALUES (:id, :webhook_id, :event_id, :event_type, :payload, 'waiting', :now, :now)
               ON CONFLICT (webhook_id, event_id) DO NOTHING""",
            id=new_id(),
            webhook_id=webhook.id,
            event_id=event_id,
            event_type=event_type,
            payload=payload,
            now=now,
        )


def any_due(tx: Transaction, now: datetime) -> bool:
    return (
        tx.scalar("SELECT 1 FROM deliveries WHERE status = 'waiting' AND next_at <= :now LIMIT 1", now=now) is not None
    )


def take_due(tx: Transaction, now: datetime, *, limit: int) -> list[tuple[Delivery, endpoints.Webhook | None]]:
    """Claim what is due, so that no other process sends it too; the webhook is None where it was deleted."""
    rows = tx.all(
        """UPDATE deliveries SET attempts = attempts + 1, next_at = :lease
           WHERE status = 'waiting' AND next_at <= :now AND id IN (
               SELECT id FROM deliveries WHERE status = 'waiting' AND next_at <= :now ORDER BY next_at LIMIT :limit)
           RETURNING *""",
        now=now,
        lease=now + LEASE,
        limit=limit,
    )
    return [(_delivery(row), endpoints.find(tx, row["webhook_id"])) for row in rows]


def note_success(tx: Transaction, delivery: Delivery, answered_status: int, now: datetime) -> None:
    _end(tx, delivery.id, "delivered", answered_status, None, now)


def note_failure(
    tx: Transaction,
    delivery: Delivery,
    answered_status: int | None,
    problem: str,
    now: datetime,
    *,
    final: bool = False,
) -> None:
    """Try again later, unless there were enough attempts."""
    if final or delivery.attempts > len(BACK_OFF):
        _end(tx, delivery.id, "failed", answered_status, problem, now)
        return
    tx.post(
        """UPDATE deliveries SET next_at = :next_at, answered_status = :answered_status, problem = :problem
           WHERE id = :id AND status = 'waiting'""",
        id=delivery.id,
        next_at=now + BACK_OFF[delivery.attempts - 1],
        answered_status=answered_status,
        problem=problem,
    )


def of_webhook(tx: Transaction, account_id: str, webhook_id: str, *, limit: int, offset: int) -> Sequence[Delivery]:
    """The delivery log, newest first; NotFound for another account's webhook."""
    endpoints.get(tx, account_id, webhook_id)
    rows = tx.all(
        "SELECT * FROM deliveries WHERE webhook_id = :webhook_id ORDER BY id DESC LIMIT :limit OFFSET :offset",
        webhook_id=webhook_id,
        limit=limit,
        offset=offset,
    )
    return [_delivery(row) for row in rows]


def resend(tx: Transaction, account_id: str, webhook_id: str, delivery_id: str, now: datetime) -> Delivery:
    """Send it again at once, whatever became of it."""
    endpoints.get(tx, account_id, webhook_id)
    row = tx.first(
        """UPDATE deliveries SET status = 'waiting', attempts = 0, next_at = :now, ended_at = NULL
           WHERE id = :id AND webhook_id = :webhook_id RETURNING *""",
        id=delivery_id,
        webhook_id=webhook_id,
        now=now,
    )
    if row is None:
        raise NotFound("There is no such delivery.")
    return _delivery(row)


def forget_old(tx: Transaction, now: datetime) -> int:
    """Clear away what ended long ago; how many."""
    return tx.execute("DELETE FROM deliveries WHERE status <> 'waiting' AND ended_at < :before", before=now - KEPT_FOR)


def _end(
    tx: Transaction, delivery_id: str, status: str, answered_status: int | None, problem: str | None, now: datetime
) -> None:
    tx.post(
        """UPDATE deliveries SET status = :status, answered_status = :answered_status, problem = :problem, next_at = NULL,
                  ended_at = :now
           WHERE id = :id AND status = 'waiting'""",
        id=delivery_id,
        status=status,
        answered_status=answered_status,
        problem=problem,
        now=now,
    )


def _delivery(row: Row) -> Delivery:
    return Delivery(
        id=row["id"],
        webhook_id=row["webhook_id"],
        event_id=row["event_id"],
        event_type=row["event_type"],
        payload=row["payload"],
        status=row["status"],
        attempts=row["attempts"],
        next_at=utc_or_none(row["next_at"]),
        answered_status=row["answered_status"],
        problem=row["problem"],
        created_at=utc(row["created_at"]),
        ended_at=utc_or_none(row["ended_at"]),
    )
