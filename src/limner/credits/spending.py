"""What was spent: per day, model and key, and how long the rest lasts at this pace. Reads only.

The ledger is the truth. Beside it a meter counts what each caller spends on each model, and what it showed is kept for each
quarter hour in which it moved: a span of time is the difference of two readings, however many charges lie in between. Days
begin at midnight in the reader's time zone, and every zone's offset is a multiple of a quarter hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from limner.db.base import Transaction
from limner.db.types import to_ms

PACE = timedelta(days=7)
QUARTER_HOUR_MS = 15 * 60 * 1000
EVER = 1 << 40
"""A quarter hour that never comes."""

By = Literal["model_id", "caller_id"]
Counted = Literal["credits", "pictures"]


@dataclass(frozen=True, slots=True)
class Spent:
    """Credits charged in one day (`since` is when it begins) on one model, or by one key or connection: `id` names it."""

    since: datetime
    id: str | None
    credits: int


@dataclass(frozen=True, slots=True)
class Total:
    credits: int
    pictures: int


def per_day(tx: Transaction, account_id: str, days: Sequence[datetime], *, by: By) -> Sequence[Spent]:
    """What was charged in the days that begin at these moments, added up by day and model, or by day and caller."""
    return [
        Spent(day, name, credits)
        for day, spent in _days(tx, account_id, days, "credits", by).items()
        for name, credits in spent.items()
        if credits
    ]


def total_per_day(tx: Transaction, account_id: str, days: Sequence[datetime]) -> dict[datetime, Total]:
    credits = _days(tx, account_id, days, "credits", "model_id")
    pictures = _days(tx, account_id, days, "pictures", "model_id")
    return {day: Total(sum(credits[day].values()), sum(pictures[day].values())) for day in days}


def by_caller(tx: Transaction, account_id: str, start: datetime | None = None) -> dict[str | None, int]:
    """Credits each key and connection was charged from `start` on; None is the dashboard."""
    return _since(tx, account_id, start, "credits", "caller_id")


def pictures(tx: Transaction, account_id: str, start: datetime) -> int:
    """How many were charged from `start` on."""
    return sum(_since(tx, account_id, start, "pictures", "model_id").values())


def lately(tx: Transaction, account_id: str, now: datetime) -> int:
    """Credits charged in the last seven days."""
    return sum(_since(tx, account_id, now - PACE, "credits", "model_id").values())


def _days(
    tx: Transaction, account_id: str, days: Sequence[datetime], counted: Counted, by: By
) -> dict[datetime, dict[str | None, int]]:
    spans = {day: (_quarter_hour(day), _quarter_hour(_next_midnight(day))) for day in days}
    shown = _shown(tx, account_id, sorted({moment for span in spans.values() for moment in span}), counted, by)
    return {day: _difference(shown, *span) for day, span in spans.items()}


def _since(tx: Transaction, account_id: str, start: datetime | None, counted: Counted, by: By) -> dict[str | None, int]:
    first = 0 if start is None else _quarter_hour(start)
    return _difference(_shown(tx, account_id, [first, EVER], counted, by), first, EVER)


def _difference(shown: "_Shown", first: int, end: int) -> dict[str | None, int]:
    before = shown.get(first, {})
    return {name: after - before[name] for name, after in shown.get(end, {}).items()}


_Shown = dict[int, dict[str | None, int]]
"""What the meters showed, by the beginning of a quarter hour and by a model or a caller."""


def _shown(tx: Transaction, account_id: str, moments: Sequence[int], counted: Counted, by: By) -> _Shown:
    """The last reading of each meter before each of these moments, added up by one side of the meters."""
    names: dict[str, Any] = {f"moment_{number}": moment for number, moment in enumerate(moments)}
    wanted = ", ".join(f"(:{name})" for name in names)
    rows = tx.all(
        f"""WITH moments(moment) AS (VALUES {wanted})
            SELECT moment, {by} AS name, sum((
                SELECT {counted} FROM readings WHERE meter_id = meters.id AND quarter_hour < moment
                ORDER BY quarter_hour DESC LIMIT 1)) AS shown
            FROM meters CROSS JOIN moments WHERE account_id = :account_id GROUP BY moment, {by}""",  # noqa: S608 — only our own names
        account_id=account_id,
        **names,
    )
    shown: _Shown = {}
    for row in rows:
        shown.setdefault(row["moment"], {})[row["name"] or None] = row["shown"] or 0
    return shown


def _quarter_hour(moment: datetime) -> int:
    return to_ms(moment) // QUARTER_HOUR_MS


def _next_midnight(day: datetime) -> datetime:
    """On the clock of its zone: a day may have 23 or 25 hours."""
    return day + timedelta(days=1)
