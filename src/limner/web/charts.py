"""Charts as numbers: stacked bars per day, laid out here and drawn as SVG by a template."""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from limner.credits.spending import Spent

WIDTH, HEIGHT = 760, 250
LEFT, BOTTOM, TOP = 34, 22, 18
MOST_SERIES = 5
OTHERS = "Others"


@dataclass(frozen=True, slots=True)
class Segment:
    series: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One day; `values` stand in the order of the chart's series."""

    label: str
    total: int
    values: tuple[int, ...]
    x: float
    width: float
    segments: tuple[Segment, ...]
    has_tick: bool
    tip_x: float


@dataclass(frozen=True, slots=True)
class Chart:
    series: tuple[str, ...]
    bars: tuple[Bar, ...]
    grid: tuple[tuple[int, float], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    bottom: int = BOTTOM

    @property
    def total(self) -> int:
        return sum(bar.total for bar in self.bars)


Named = Callable[[Spent], str]
"""The series a charge belongs to."""


def per_day(spent: Sequence[Spent], named: Named, *, days: int, zone: ZoneInfo, now: datetime) -> Chart:
    """Credits of the last `days` days in the reader's time zone; the smallest share a series."""
    today = now.astimezone(zone).date()
    dates = [today - timedelta(days=back) for back in reversed(range(days))]
    series = _series(spent, named)
    sums: dict[tuple[date, str], int] = defaultdict(int)
    for each in spent:
        name = named(each)
        sums[each.since.astimezone(zone).date(), name if name in series else OTHERS] += each.credits
    most = max((sum(sums[day, name] for name in series) for day in dates), default=0)
    step = _step(most)
    top = step * max(math.ceil(most / step), 1)
    bars = tuple(_bar(index, day, series, sums, top, len(dates)) for index, day in enumerate(dates))
    return Chart(series, bars, tuple((value, _y(value, top)) for value in range(0, top + 1, step)))


def last_days(days: int, zone: ZoneInfo, now: datetime) -> list[datetime]:
    """When each of the last `days` days begins."""
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return [midnight - timedelta(days=back) for back in reversed(range(days))]


def _series(spent: Sequence[Spent], named: Named) -> tuple[str, ...]:
    totals: dict[str, int] = defaultdict(int)
    for each in spent:
        totals[named(each)] += each.credits
    ranked = sorted(totals, key=lambda name: (-totals[name], name))
    return tuple(ranked) if len(ranked) <= MOST_SERIES else (*ranked[: MOST_SERIES - 1], OTHERS)


def _bar(
    index: int, day: date, series: tuple[str, ...], sums: Mapping[tuple[date, str], int], top: int, count: int
) -> Bar:
    width = (WIDTH - LEFT) / count
    x = LEFT + index * width
    values = tuple(sums.get((day, name), 0) for name in series)
    return Bar(
        label=f"{day.day} {day.strftime('%b')}",
        total=sum(values),
        values=values,
        x=round(x, 1),
        width=round(width, 1),
        segments=tuple(_segments(values, x, width, top)),
        has_tick=(count - 1 - index) % max(count // 5, 1) == 0,
        tip_x=round(min(max(x + width / 2, LEFT + 60), WIDTH - 60), 1),
    )


def _segments(values: tuple[int, ...], x: float, width: float, top: int) -> list[Segment]:
    segments: list[Segment] = []
    below = 0
    for index, value in enumerate(values):
        if value:
            upper, lower = _y(below + value, top), _y(below, top)
            segments.append(
                Segment(
                    index + 1,
                    round(x + width * 0.16, 1),
                    upper,
                    round(width * 0.68, 1),
                    round(max(lower - upper - 1, 0.5), 1),
                )
            )
        below += value
    return segments


def _y(value: int, top: int) -> float:
    return round(HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP), 1)


def _step(most: int) -> int:
    """A round number that makes three or four lines."""
    rough = max(most / 4, 1)
    power = 10 ** math.floor(math.log10(rough))
    return int(next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough))
