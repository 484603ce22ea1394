"""Spend caps: what an API key or connection may spend per day, week, month or in total.

A cap counts captured plus held credits; a hold belongs to the period it was opened in, and periods
begin at midnight in the account's time zone (weeks on Monday).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from limner.db.base import Row, Transaction
from limner.db.types import to_ms
from limner.errors import SpendCapExceeded

Period = Literal["day", "week", "month", "total"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cap:
    """What is left of a cap now; `resets_at` is None for a total."""

    owner_id: str
    limit: int
    period: Period
    spent: int
    resets_at: datetime | None

    @property
    def remaining(self) -> int:
        return max(self.limit - self.spent, 0)


def put(tx: Transaction, account_id: str, owner_id: str, *, limit: int, period: Period) -> None:
    """Set or change the cap of a key or connection; what was spent in the running period stays counted."""
    tx.execute(
        """INSERT INTO caps (owner_id, account_id, limit_credits, period) VALUES (:owner_id, :account_id, :limit, :period)
           ON CONFLICT (owner_id) DO UPDATE SET limit_credits = excluded.limit_credits, period = excluded.period""",
        owner_id=owner_id,
        account_id=account_id,
        limit=limit,
        period=period,
    )


def of_owner(tx: Transaction, owner_id: str, now: datetime) -> Cap | None:
    row = _row(tx, owner_id)
    if row is None:
        return None
    start, resets_at = bounds(row["period"], row["time_zone"], now)
    spent = row["spent"] if row["period_start"] == to_ms(start) else 0
    return Cap(owner_id, row["limit_credits"], row["period"], spent, resets_at)


def take(tx: Transaction, owner_ids: Sequence[str], credits: int, *, generation_id: str, now: datetime) -> None:
    """Count a hold against every cap that applies; raises SpendCapExceeded when one has too little left."""
    for owner_id in owner_ids:
        if (row := _row(tx, owner_id)) is not None:
            _take_one(tx, row, credits, generation_id, now)


def give_back(tx: Transaction, generation_id: str, credits: int) -> None:
    """Uncount a released hold, in the period it was opened in; a period that is over stays as it is."""
    tx.execute(
        """UPDATE caps SET spent = spent - :credits WHERE EXISTS (
               SELECT 1 FROM capped_holds h WHERE h.generation_id = :generation_id AND h.owner_id = caps.owner_id
               AND h.period_start = caps.period_start)""",
        generation_id=generation_id,
        credits=credits,
    )


def bounds(period: Period, time_zone: str, now: datetime) -> tuple[datetime, datetime | None]:
    """When the running period began and when the next one begins (None: never)."""
    if period == "total":
        return EPOCH, None
    midnight = now.astimezone(ZoneInfo(time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return midnight, midnight + timedelta(days=1)
    if period == "week":
        monday = midnight - timedelta(days=midnight.weekday())
        return monday, monday + timedelta(days=7)
    first = midnight.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def _row(tx: Transaction, owner_id: str) -> Row | None:
    return tx.first(
        "SELECT c.*, a.time_zone FROM caps c JOIN accounts a ON a.id = c.account_id WHERE c.owner_id = :owner_id",
        owner_id=owner_id,
    )


def _take_one(tx: Transaction, row: Row, credits: int, generation_id: str, now: datetime) -> None:
    start, resets_at = bounds(row["period"], row["time_zone"], now)
    taken = tx.execute(
        """UPDATE caps SET spent = CASE WHEN period_start = :start THEN spent ELSE 0 END + :credits, period_start = :start
           WHERE owner_id = :owner_id
             AND CASE WHEN period_start = :start THEN spent ELSE 0 END + :credits <= limit_credits""",
        owner_id=row["owner_id"],
        credits=credits,
        start=start,
    )
    if taken == 0:
        cap = of_owner(tx, row["owner_id"], now)
        assert cap is not None
        raise _exceeded(cap, credits, resets_at)
    tx.execute(
        "INSERT INTO capped_holds (generation_id, owner_id, period_start) VALUES (:generation_id, :owner_id, :start)",
        generation_id=generation_id,
        owner_id=row["owner_id"],
        start=start,
    )


def _exceeded(cap: Cap, credits: int, resets_at: datetime | None) -> SpendCapExceeded:
    name = "total cap" if cap.period == "total" else f"cap per {cap.period}"
    resets = (
        "It does not reset." if resets_at is None else f"It resets at {resets_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC."
    )
    return SpendCapExceeded(
        f"This needs {credits} credits and {cap.remaining} of {cap.limit} are left under the {name}. {resets}",
        extra={
            "needed": credits,
            "limit": cap.limit,
            "period": cap.period,
            "remaining": cap.remaining,
            "resetsAt": None if resets_at is None else resets_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        },
    )
