"""Calls: one request for one or more pictures, and the rules by which it is paid for once; owns the `calls` table.

With an idempotency key the key decides. Without one, an identical call adopts an earlier one whose
wait broke off: claimed by one call at a time, within 15 minutes, and never after it was delivered.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from limner.db.base import Row, Transaction
from limner.db.types import utc

ADOPTION_WINDOW = timedelta(minutes=15)
CROSSING_WINDOW = timedelta(minutes=1)
"""How long an answer and a cancel may cross on the way."""

_WITHOUT_KEY = "coalesce(idempotency_key, '') = ''"
"""Not `IS NULL`: SQLite would look there for one row of the unique index, and walk through all of the account's."""


@dataclass(frozen=True, slots=True)
class Call:
    """`caller_id` is the API key, connection or session; `waiter` the process where the caller waits."""

    id: str
    account_id: str
    caller_id: str
    request_digest: str
    idempotency_key: str | None
    created_at: datetime


def digest(request: Mapping[str, Any]) -> str:
    """What two requests are compared by: everything that shapes the picture or its price."""
    return hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).hexdigest()


def add(tx: Transaction, call: Call, *, waiter: str | None, wait_name: str | None) -> None:
    """UniqueViolation when the idempotency key is taken."""
    tx.post(
        """INSERT INTO calls (id, account_id, caller_id, request_digest, idempotency_key, waiter, wait_name, created_at)
           VALUES (:id, :account_id, :caller_id, :request_digest, :idempotency_key, :waiter, :wait_name, :created_at)""",
        id=call.id,
        account_id=call.account_id,
        caller_id=call.caller_id,
        request_digest=call.request_digest,
        idempotency_key=call.idempotency_key,
        waiter=waiter,
        wait_name=wait_name,
        created_at=call.created_at,
    )


def by_key(tx: Transaction, account_id: str, idempotency_key: str) -> Call | None:
    row = tx.first(
        "SELECT * FROM calls WHERE account_id = :account_id AND idempotency_key = :key",
        account_id=account_id,
        key=idempotency_key,
    )
    return None if row is None else _call(row)


def free_key(tx: Transaction, call_id: str) -> None:
    """A key whose call ended uncharged starts a new attempt."""
    tx.post("UPDATE calls SET idempotency_key = NULL WHERE id = :id", id=call_id)


def adopt(
    tx: Transaction,
    account_id: str,
    caller_id: str,
    request_digest: str,
    *,
    waiter: str,
    wait_name: str | None,
    now: datetime,
) -> str | None:
    """Claim an identical call whose wait broke off; its id, or None when there is none to adopt."""
    row = tx.first(
        f"""UPDATE calls SET broke_off_at = NULL, waiter = :waiter, wait_name = :wait_name WHERE broke_off_at IS NOT NULL AND id = (
               SELECT id FROM calls c WHERE account_id = :account_id AND caller_id = :caller_id
               AND request_digest = :digest AND {_WITHOUT_KEY} AND broke_off_at >= :since AND delivered_at IS NULL
               AND NOT EXISTS (SELECT 1 FROM generations g WHERE g.call_id = c.id
                               AND (g.status IN ('failed', 'cancelled') OR g.deleted_at IS NOT NULL))
               ORDER BY broke_off_at DESC LIMIT 1)
           RETURNING id""",  # noqa: S608 — only our own fragments
        account_id=account_id,
        caller_id=caller_id,
        digest=request_digest,
        waiter=waiter,
        wait_name=wait_name,
        since=now - ADOPTION_WINDOW,
    )
    return None if row is None else row["id"]


def is_waited_for(
    tx: Transaction, account_id: str, caller_id: str, request_digest: str, *, besides: str | None = None
) -> bool:
    """Whether a caller of an identical call (not of the one `besides`) is, as far as we have heard, still waiting."""
    return (
        tx.scalar(
            f"""SELECT 1 FROM calls WHERE account_id = :account_id AND caller_id = :caller_id
               AND request_digest = :digest AND {_WITHOUT_KEY} AND waiter IS NOT NULL AND id <> :besides LIMIT 1""",  # noqa: S608
            account_id=account_id,
            caller_id=caller_id,
            digest=request_digest,
            besides=besides or "",
        )
        is not None
    )


def break_off(tx: Transaction, call_id: str, now: datetime) -> None:
    """The caller left, or was told to come back: an identical call may adopt this one, unless it never waited."""
    tx.post(
        """UPDATE calls SET waiter = NULL, broke_off_at = :now
           WHERE id = :id AND waiter IS NOT NULL AND delivered_at IS NULL""",
        id=call_id,
        now=now,
    )


def deliver(tx: Transaction, call_id: str, now: datetime) -> None:
    """The caller has the outcome, by whatever door: nobody adopts this call any more, and no cancel takes it back."""
    tx.post(
        """UPDATE calls SET waiter = NULL, wait_name = NULL, broke_off_at = NULL, delivered_at = coalesce(delivered_at, :now)
           WHERE id = :id AND (delivered_at IS NULL OR wait_name IS NOT NULL)""",
        id=call_id,
        now=now,
    )


def deliver_answer(tx: Transaction, call_id: str, now: datetime) -> None:
    """The answer to the call itself arrived, unless its caller has given it up; a cancel on its way may still say so."""
    tx.post(
        """UPDATE calls SET waiter = NULL, broke_off_at = NULL, delivered_at = :now
           WHERE id = :id AND waiter IS NOT NULL AND delivered_at IS NULL""",
        id=call_id,
        now=now,
    )


def give_up(tx: Transaction, caller_id: str, wait_name: str, now: datetime) -> None:
    """The caller cancelled the wait it calls by that name, in whatever process it waits or has just been answered.

    Nothing happens where it is not certain which call is meant.
    """
    rows = tx.all(
        """SELECT id, waiter FROM calls WHERE caller_id = :caller_id AND wait_name = :wait_name
           AND (waiter IS NOT NULL OR delivered_at >= :since)""",
        caller_id=caller_id,
        wait_name=wait_name,
        since=now - CROSSING_WINDOW,
    )
    meant = [row for row in rows if row["waiter"] is not None] or rows
    if len(meant) == 1:
        tx.post(
            "UPDATE calls SET waiter = NULL, wait_name = NULL, delivered_at = NULL, broke_off_at = :now WHERE id = :id",
            id=meant[0]["id"],
            now=now,
        )


def break_off_all(tx: Transaction, waiter: str, now: datetime) -> None:
    """A process is gone, and every wait in it broke off."""
    tx.post("UPDATE calls SET waiter = NULL, broke_off_at = :now WHERE waiter = :waiter", waiter=waiter, now=now)


def waiters(tx: Transaction) -> list[str]:
    rows = tx.all("SELECT DISTINCT waiter FROM calls WHERE waiter IS NOT NULL")
    return [row["waiter"] for row in rows]


def _call(row: Row) -> Call:
    return Call(
        id=row["id"],
        account_id=row["account_id"],
        caller_id=row["caller_id"],
        request_digest=row["request_digest"],
        idempotency_key=row["idempotency_key"],
        created_at=utc(row["created_at"]),
    )
