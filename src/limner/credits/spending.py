"""What was spent: per day, model and key, and how long the rest lasts at this pace. Reads only.

The ledger is the truth; `spending` is its charges by quarter hour, so that no page adds up the ledger. Days begin at
midnight in the reader's time zone, and every zone's offset is a multiple of a quarter hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from limner.db.base import Transaction
from limner.db.types import to_ms

PACE = timedelta(days=7)
QUARTER_HOUR_MS = 15 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Spent:
    """Credits charged in one day (`since` is when it begins) by one key or connection on one model."""

    since: datetime
    model_id: str | None
    caller_id: str | None
    credits: int
    pictures: int


def lately(tx: Transaction, account_id: str, now: datetime) -> int:
    """Credits charged in the last seven days."""
    return int(
        tx.scalar(
            """SELECT coalesce(sum(credits), 0) FROM spending
               WHERE account_id = :account_id AND quarter_hour >= :first""",
            account_id=account_id,
            first=_quarter_hour(now - PACE),
        )
    )


def per_day(tx: Transaction, account_id: str, days: Sequence[datetime]) -> Sequence[Spent]:
    """Every charge of the days that begin at these moments, added up by day, model and caller."""
    names: dict[str, Any] = {}
    for number, day in enumerate(days):
        names |= {f"from_{number}": _quarter_hour(day), f"to_{number}": _quarter_hour(_next_midnight(day))}
    wanted = ", ".join(f"({number}, :from_{number}, :to_{number})" for number in range(len(days)))
    rows = tx.all(
        f"""WITH days(number, first, after) AS (VALUES {wanted})
            SELECT number, model_id, caller_id, sum(credits) AS credits, sum(pictures) AS pictures
            FROM days JOIN spending ON account_id = :account_id AND quarter_hour >= first AND quarter_hour < after
            GROUP BY number, model_id, caller_id""",  # noqa: S608 — only our own names
        account_id=account_id,
        **names,
    )
    return [
        Spent(
            since=days[int(row["number"])],
            model_id=row["model_id"] or None,
            caller_id=row["caller_id"] or None,
            credits=int(row["credits"]),
            pictures=int(row["pictures"]),
        )
        for row in rows
    ]


def by_caller(tx: Transaction, account_id: str, start: datetime | None = None) -> dict[str, int]:
    """Credits each key and connection was charged from `start` on; those that were charged nothing are not in it."""
    rows = tx.all(
        """SELECT caller_id, sum(credits) AS credits FROM spending
           WHERE account_id = :account_id AND quarter_hour >= :first AND caller_id <> '' GROUP BY caller_id""",
        account_id=account_id,
        first=0 if start is None else _quarter_hour(start),
    )
    return {row["caller_id"]: int(row["credits"]) for row in rows}


def _quarter_hour(moment: datetime) -> int:
    return to_ms(moment) // QUARTER_HOUR_MS


def _next_midnight(day: datetime) -> datetime:
    """On the clock of its zone: a day may have 23 or 25 hours."""
    return day + timedelta(days=1)
