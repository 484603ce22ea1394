"""Spend caps: periods, time zones, daylight saving, makers, and lowering what is only ever lowered."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.credits.purses import Purse, new_purse

from limner.credits import caps
from limner.credits.caps import Cap, Period, bounds
from limner.db.base import Database
from limner.errors import SpendCapExceeded

KEY = "key-1"


@pytest.fixture
async def purse(database: Database) -> Purse:
    return await new_purse(database, 1000)


@pytest.mark.parametrize(
    ("period", "next_period"),
    [("day", timedelta(days=1)), ("week", timedelta(days=7)), ("month", timedelta(days=31))],
)
async def test_a_cap_stops_at_its_limit_and_begins_anew_with_its_period(
    purse: Purse, period: Period, next_period: timedelta
) -> None:
    await purse.put_cap(KEY, 10, period)
    await purse.hold(6, KEY)
    with pytest.raises(SpendCapExceeded) as refused:
        await purse.hold(5, KEY)
    extra = refused.value.extra
    assert (extra["needed"], extra["limit"], extra["period"], extra["remaining"]) == (5, 10, period, 4)
    assert (await purse.balance()).held == 6
    purse.moment += next_period
    await purse.hold(10, KEY)
    assert (await purse.cap(KEY)).remaining == 0
    assert await purse.money_problems() == []


async def test_a_total_cap_never_resets(purse: Purse) -> None:
    await purse.put_cap(KEY, 10, "total")
    await purse.hold(10, KEY)
    purse.moment += timedelta(days=4000)
    with pytest.raises(SpendCapExceeded, match="does not reset"):
        await purse.hold(1, KEY)
    assert (await purse.cap(KEY)).resets_at is None


async def test_what_is_released_is_given_back_and_what_is_captured_is_not(purse: Purse) -> None:
    await purse.put_cap(KEY, 10, "day")
    [kept], [returned] = await purse.hold(5, KEY), await purse.hold(5, KEY)
    await purse.capture(kept)
    await purse.release(returned)
    assert (await purse.cap(KEY)).spent == 5


async def test_a_hold_belongs_to_the_period_it_was_opened_in(purse: Purse) -> None:
    await purse.put_cap(KEY, 10, "day")
    [yesterday], [also] = await purse.hold(5, KEY), await purse.hold(5, KEY)
    purse.moment += timedelta(days=1)
    await purse.hold(8, KEY)
    await purse.capture(yesterday)
    await purse.release(also)
    assert (await purse.cap(KEY)).spent == 8
    assert await purse.money_problems() == []


async def test_a_key_made_by_a_key_spends_against_its_makers_cap_too(purse: Purse) -> None:
    await purse.put_cap("maker", 10, "day")
    await purse.put_cap(KEY, 8, "total")
    await purse.hold(8, KEY, "maker")
    assert ((await purse.cap(KEY)).spent, (await purse.cap("maker")).spent) == (8, 8)
    with pytest.raises(SpendCapExceeded) as refused:
        await purse.hold(3, "sibling", "maker")
    assert refused.value.extra["remaining"] == 2
    purse.moment += timedelta(days=1)
    with pytest.raises(SpendCapExceeded):
        await purse.hold(1, KEY, "maker")
    assert (await purse.cap("maker")).spent == 0  # what the key's own cap stopped was not counted above it
    assert await purse.money_problems() == []


async def test_a_call_counts_all_its_pictures_against_the_cap(purse: Purse) -> None:
    await purse.put_cap(KEY, 10, "day")
    with pytest.raises(SpendCapExceeded) as refused:
        await purse.hold(4, KEY, n=3)
    assert refused.value.extra["needed"] == 12
    ids = await purse.hold(3, KEY, n=3)
    await purse.release(ids[1])
    assert (await purse.cap(KEY)).spent == 6


async def test_changing_the_period_forgets_nothing_that_was_spent_in_it(purse: Purse) -> None:
    await purse.put_cap(KEY, 100, "week")
    [monday] = await purse.hold(30, KEY)
    purse.moment += timedelta(days=1)
    await purse.hold(20, KEY)
    await purse.put_cap(KEY, 100, "day")
    assert (await purse.cap(KEY)).spent == 20
    await purse.put_cap(KEY, 100, "total")
    assert (await purse.cap(KEY)).spent == 50
    await purse.release(monday)
    assert (await purse.cap(KEY)).spent == 20
    assert await purse.money_problems() == []


async def test_moving_to_another_time_zone_forgets_nothing_that_was_spent_today(purse: Purse) -> None:
    await purse.put_cap(KEY, 10, "day")
    await purse.hold(7, KEY)
    await purse.move_to("Asia/Tokyo")
    assert (await purse.cap(KEY)).spent == 7
    await purse.move_to("Pacific/Kiritimati")  # here the eleventh has begun two hours ago
    assert (await purse.cap(KEY)).spent == 7
    purse.moment += timedelta(hours=22)
    assert (await purse.cap(KEY)).spent == 0
    assert await purse.money_problems() == []


async def test_a_process_whose_clock_is_behind_joins_the_period_that_has_begun(purse: Purse) -> None:
    await purse.put_cap(KEY, 10, "day")
    midnight = datetime(2026, 3, 11, tzinfo=UTC)
    purse.moment = midnight + timedelta(milliseconds=1)
    await purse.hold(6, KEY)
    purse.moment = midnight - timedelta(milliseconds=1)
    with pytest.raises(SpendCapExceeded):
        await purse.hold(6, KEY)
    await purse.hold(4, KEY)
    purse.moment = midnight + timedelta(hours=1)
    assert (await purse.cap(KEY)).spent == 10
    assert await purse.money_problems() == []


async def test_a_lifted_cap_counts_anew_when_it_comes_back(purse: Purse) -> None:
    await purse.put_cap(KEY, 5, "total")
    [held] = await purse.hold(5, KEY)
    await purse.database.write(lambda tx: caps.remove(tx, purse.account_id, KEY))
    await purse.hold(50, KEY)
    await purse.put_cap(KEY, 5, "total")
    await purse.release(held)
    assert (await purse.cap(KEY)).spent == 0
    assert await purse.money_problems() == []


@pytest.mark.parametrize(
    ("time_zone", "now", "start", "hours"),
    [
        ("Europe/Berlin", "2026-03-29T12:00Z", "2026-03-28T23:00Z", 23),  # spring forward
        ("Europe/Berlin", "2026-10-25T12:00Z", "2026-10-24T22:00Z", 25),  # fall back
        ("Africa/Cairo", "2026-04-24T12:00Z", "2026-04-23T22:00Z", 23),  # midnight itself is skipped
        ("America/Havana", "2026-11-01T04:30Z", "2026-11-01T04:00Z", 25),  # midnight happens twice: the first
        ("America/Havana", "2026-11-01T05:30Z", "2026-11-01T04:00Z", 25),  # and the second
        ("Asia/Kathmandu", "2026-06-01T12:00Z", "2026-05-31T18:15Z", 24),
    ],
)
def test_days_begin_at_midnight_where_the_account_is(time_zone: str, now: str, start: str, hours: int) -> None:
    begins, ends = bounds("day", time_zone, datetime.fromisoformat(now))
    assert ends is not None
    assert begins == datetime.fromisoformat(start)
    assert ends - begins == timedelta(hours=hours)


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    sunday = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert bounds("week", "UTC", sunday)[0] == datetime(2026, 2, 23, tzinfo=UTC)
    assert bounds("month", "UTC", sunday) == (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    assert bounds("month", "UTC", datetime(2026, 12, 31, tzinfo=UTC))[1] == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("limit", "period", "lower"),
    [
        (10, "day", True),
        (11, "day", False),
        (10, "total", True),
        (10, "week", True),
        (100, "month", False),
    ],
)
def test_a_cap_is_lower_only_where_it_never_lets_more_through(limit: int, period: Period, lower: bool) -> None:
    assert Cap("k", 10, "day", 0, None).allows(limit, period) is lower


def test_a_week_can_lie_in_two_months_so_neither_is_lower_than_the_other() -> None:
    assert not Cap("k", 10, "week", 0, None).allows(10, "month")
    assert not Cap("k", 10, "month", 0, None).allows(10, "week")
    assert not Cap("k", 10, "total", 0, None).allows(1, "day")
