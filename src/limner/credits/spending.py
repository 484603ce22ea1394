"""What was spent: per day, model and key, and how long the rest lasts at this pace. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from limner.db.base import Transaction
from limner.db.types import first_id_at, utc

PACE = timedelta(days=7)
LAST_ID = "g"
"""Sorts after every id."""

STEP_MS = 15 * 60 * 1000
"""Days begin at midnight in the reader's time zone, and every zone's offset is a multiple of a quarter hour."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Credits charged in one quarter of an hour by one key or connection on one model."""

    since: datetime
    model_id: str | None
    caller_id: str | None
    credits: int
    pictures: int


def lately(tx: Transaction, account_id: str, now: datetime) -> int:
    """Credits charged in the last seven days."""
    return int(
        tx.scalar(
            """SELECT coalesce(-sum(amount), 0) FROM credit_transactions
           WHERE account_id = :account_id AND id >= :first_id AND type = 'charge'""",
            account_id=account_id,
            first_id=first_id_at(now - PACE),
        )
    )


def since(tx: Transaction, account_id: str, start: datetime, end: datetime | None = None) -> Sequence[Spent]:
    """Every charge from `start` on, up to `end`, added up by quarter hour, model and caller."""
    rows = tx.all(
        """SELECT created_at / :step AS step, model_id, coalesce(api_key_id, connection_id) AS caller_id,
                  -sum(amount) AS credits, count(*) AS pictures
           FROM credit_transactions
           WHERE account_id = :account_id AND id >= :first_id AND id < :end_id AND type = 'charge'
           GROUP BY 1, 2, 3""",
        account_id=account_id,
        first_id=first_id_at(start),
        end_id=first_id_at(end) if end else LAST_ID,
        step=STEP_MS,
    )
    return [
        Spent(
            since=utc(row["step"] * STEP_MS).astimezone(UTC),
            model_id=row["model_id"],
            caller_id=row["caller_id"],
            credits=int(row["credits"]),
            pictures=row["pictures"],
        )
        for row in rows
    ]


def by_caller(tx: Transaction, account_id: str, start: datetime) -> dict[str, int]:
    """Credits each key and connection was charged from `start` on; those that were charged nothing are not in it."""
    sums: dict[str, int] = {}
    for each in since(tx, account_id, start):
        if each.caller_id is not None:
            sums[each.caller_id] = sums.get(each.caller_id, 0) + each.credits
    return sums


def by_connection(tx: Transaction, account_id: str) -> dict[str, int]:
    """Credits each connection was charged since it began; those that were charged nothing are not in it."""
    rows = tx.all(
        """SELECT connection_id, -sum(amount) AS credits FROM credit_transactions
           WHERE account_id = :account_id AND connection_id IS NOT NULL AND type = 'charge' GROUP BY connection_id""",
        account_id=account_id,
    )
    return {row["connection_id"]: int(row["credits"]) for row in rows}
