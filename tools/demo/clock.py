"""A clock that can be sent ahead, so that a month passes in a minute; ids take their time from it too."""

import time
from datetime import UTC, datetime, timedelta

from limner.db import types


class Calendar:
    """Begins in the past; `be` moves it on, `now` ends at the real time."""

    def __init__(self, *, days_ago: int) -> None:
        self._behind = timedelta(days=days_ago)

    def __call__(self) -> datetime:
        return datetime.now(UTC) - self._behind

    def be(self, moment: datetime) -> None:
        """Never back, never ahead of the real time."""
        self._behind = max(min(self._behind, datetime.now(UTC) - moment), timedelta(0))

    def spend(self, seconds: float) -> None:
        self.be(self() + timedelta(seconds=seconds))

    def catch_up(self) -> None:
        self._behind = timedelta(0)

    def rules_ids(self) -> None:
        """New ids begin with this clock's time: galleries group and filter by it."""
        types.time = _Time(self)  # type: ignore[assignment] — only here does time not simply pass


class _Time:
    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar

    def time_ns(self) -> int:
        return time.time_ns() - int(self._calendar._behind.total_seconds() * 1e9)
