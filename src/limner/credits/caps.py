"""Spend caps: what an API key or connection may spend per day, week, month or in total.

A cap counts captured plus held credits; a hold belongs to the period it was opened in, and periods
begin at midnight in the account's time zone (weeks on Monday). Whoever changes caps has the account's
row of `balances` locked, as every hold has: they go one after the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from limner.credits.words import are_or_is, in_words
from limner.db.base import Row, Transaction
from limner.db.types import to_ms
from limner.errors import SpendCapExceeded

Period = Literal["day", "week", "month", "total"]

PERIODS: tuple[Period, ...] = ("day", "week", "month", "total")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_WITHIN: dict[Period, tuple[Period, ...]] = {
    "day": PERIODS,
    "week": ("week", "total"),
    "month": ("month", "total"),
    "total": ("total",),
}
"""The periods that hold every period of a kind whole: a week can lie in two months."""


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

    def allows(self, limit: int, period: Period) -> bool:
        """Whether a cap of `limit` per `period` never lets anything through that this one would stop."""
        return limit <= self.limit and period in _WITHIN[self.period]


def put(tx: Transaction, account_id: str, owner_id: str, *, limit: int, period: Period, now: datetime) -> None:
    """Set or change the cap of a key or connection; what was spent under a cap in the running period stays counted."""
    _lock(tx, account_id)
    tx.post(
        """INSERT INTO caps (owner_id, account_id, limit_credits, period) VALUES (:owner_id, :account_id, :limit, :period)
           ON CONFLICT (owner_id) DO UPDATE SET limit_credits = excluded.limit_credits, period = excluded.period""",
        owner_id=owner_id,
        account_id=account_id,
        limit=limit,
        period=period,
    )
    _recount(tx, owner_id, now)


def remove(tx: Transaction, account_id: str, owner_id: str) -> None:
    """Lift a cap; a later one begins to count anew."""
    _lock(tx, account_id)
    tx.post("DELETE FROM capped_holds WHERE owner_id = :owner_id", owner_id=owner_id)
    tx.post("DELETE FROM caps WHERE owner_id = :owner_id AND account_id = :id", owner_id=owner_id, id=account_id)


def follow_time_zone(tx: Transaction, account_id: str, now: datetime) -> None:
    """After an account's time zone changed: its days begin elsewhere, and nothing spent in them is forgotten."""
    _lock(tx, account_id)
    for row in tx.all("SELECT owner_id FROM caps WHERE account_id = :account_id", account_id=account_id):
        _recount(tx, row["owner_id"], now)


def of_owner(tx: Transaction, owner_id: str, now: datetime) -> Cap | None:
    row = _row(tx, owner_id)
    if row is None:
        return None
    start, resets_at = bounds(row["period"], row["time_zone"], now)
    spent = row["spent"] if row["period_start"] >= to_ms(start) else 0
    return Cap(owner_id, row["limit_credits"], row["period"], spent, resets_at)


def take(
    tx: Transaction, owner_ids: Sequence[str], credits: int, *, generation_ids: Sequence[str], now: datetime
) -> None:
    """Count holds of `credits` together against every cap that applies; SpendCapExceeded when one has too little left."""
    for owner_id in owner_ids:
        if (row := _row(tx, owner_id)) is not None:
            _take_one(tx, row, credits, generation_ids, now)


def give_back(tx: Transaction, generation_id: str, credits: int) -> None:
    """Uncount a released hold, in the period it was opened in; a period that is over stays as it is."""
    tx.post(
        """UPDATE caps SET spent = spent - :credits WHERE EXISTS (
               SELECT 1 FROM capped_holds h WHERE h.generation_id = :generation_id AND h.owner_id = caps.owner_id
               AND h.period_start = caps.period_start)""",
        generation_id=generation_id,
        credits=credits,
    )


def bounds(period: Period, time_zone: str, now: datetime) -> tuple[datetime, datetime | None]:
    """When the running period began and when the next one begins (None: never), in UTC."""
    if period == "total":
        return EPOCH, None
    zone = UTC if time_zone == "UTC" else ZoneInfo(time_zone)
    # fold=0: where clocks are set back over midnight there are two, and the day begins with the first
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    start, end = _around(period, midnight)
    return start.astimezone(UTC), end.astimezone(UTC)


def _lock(tx: Transaction, account_id: str) -> None:
    tx.post("UPDATE balances SET held = held WHERE account_id = :account_id", account_id=account_id)


def _row(tx: Transaction, owner_id: str) -> Row | None:
    return tx.first(
        "SELECT c.*, a.time_zone FROM caps c JOIN accounts a ON a.id = c.account_id WHERE c.owner_id = :owner_id",
        owner_id=owner_id,
    )


def _around(period: Period, midnight: datetime) -> tuple[datetime, datetime]:
    if period == "day":
        return midnight, midnight + timedelta(days=1)
    if period == "week":
        monday = midnight - timedelta(days=midnight.weekday())
        return monday, monday + timedelta(days=7)
    first = midnight.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def _recount(tx: Transaction, owner_id: str, now: datetime) -> None:
    """The running period as it is bounded now: every counted hold opened since then belongs to it."""
    row = _row(tx, owner_id)
    assert row is not None
    start, _ = bounds(row["period"], row["time_zone"], now)
    tx.post(
        """UPDATE capped_holds SET period_start = :start WHERE owner_id = :owner_id AND EXISTS (
               SELECT 1 FROM holds h WHERE h.generation_id = capped_holds.generation_id AND h.opened_at >= :start)""",
        owner_id=owner_id,
        start=start,
    )
    tx.post(
        """UPDATE caps SET period_start = :start, spent = (
               SELECT coalesce(sum(h.credits), 0) FROM capped_holds c JOIN holds h ON h.generation_id = c.generation_id
               WHERE c.owner_id = :owner_id AND c.period_start = :start AND h.state <> 'released')
           WHERE owner_id = :owner_id""",
        owner_id=owner_id,
        start=start,
    )


def _take_one(tx: Transaction, row: Row, credits: int, generation_ids: Sequence[str], now: datetime) -> None:
    """A process whose clock is behind joins the period that others have begun; it never goes back to the one before."""
    start, _ = bounds(row["period"], row["time_zone"], now)
    counted_in = tx.scalar(
        """UPDATE caps SET spent = CASE WHEN period_start >= :start THEN spent ELSE 0 END + :credits,
                  period_start = CASE WHEN period_start >= :start THEN period_start ELSE :start END
           WHERE owner_id = :owner_id
             AND CASE WHEN period_start >= :start THEN spent ELSE 0 END + :credits <= limit_credits
           RETURNING period_start""",
        owner_id=row["owner_id"],
        credits=credits,
        start=start,
    )
    if counted_in is None:
        raise _exceeded(tx, row["owner_id"], credits, now)
    for generation_id in generation_ids:
        tx.post(
            """INSERT INTO capped_holds (generation_id, owner_id, period_start)
               VALUES (:generation_id, :owner_id, :start)""",
            generation_id=generation_id,
            owner_id=row["owner_id"],
            start=counted_in,
        )


def _exceeded(tx: Transaction, owner_id: str, credits: int, now: datetime) -> SpendCapExceeded:
    cap = of_owner(tx, owner_id, now)
    assert cap is not None
    name = "total cap" if cap.period == "total" else f"cap per {cap.period}"
    resets = "It does not reset." if cap.resets_at is None else f"It resets at {cap.resets_at:%Y-%m-%d %H:%M} UTC."
    return SpendCapExceeded(
        f"This needs {in_words(credits)} and {cap.remaining} of {cap.limit} {are_or_is(cap.remaining)} left under the {name}. {resets}",
        extra={
            "needed": credits,
            "capOf": cap.owner_id,
            "limit": cap.limit,
            "period": cap.period,
            "remaining": cap.remaining,
            "resetsAt": None if cap.resets_at is None else cap.resets_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        },
    )
