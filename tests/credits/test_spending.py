"""What was charged by day, model and key, on both databases, and that it is the ledger's."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.credits.purses import NOON, Purse, new_purse

from limner.credits import ledger, spending
from limner.credits.spending import Total
from limner.db.base import Database, Transaction
from limner.db.types import new_id

KATHMANDU = ZoneInfo("Asia/Kathmandu")
"""A quarter hour off the half: UTC+05:45."""


@pytest.fixture
async def purse(database: Database) -> Purse:
    return await new_purse(database, 1000)


async def charge(purse: Purse, credits: int, moment: datetime, **says: str) -> None:
    purse.moment = moment
    [held] = await purse.hold(credits)
    entry = ledger.Entry("An image", reference_id=held, **says)
    await purse.database.write(lambda tx: ledger.capture(tx, held, entry, moment))


async def per_day(purse: Purse, by: spending.By, *days: datetime) -> list[tuple[datetime, str | None, int]]:
    found = await purse.database.read(lambda tx: spending.per_day(tx, purse.account_id, days, by=by))
    return sorted(((each.since, each.id, each.credits) for each in found), key=lambda line: (line[0], line[1] or ""))


async def test_charges_are_added_up_by_the_days_of_the_reader(purse: Purse) -> None:
    midnight = datetime(2026, 3, 11, tzinfo=KATHMANDU)
    before, after = midnight - timedelta(days=1), midnight + timedelta(days=1)
    await charge(purse, 3, midnight - timedelta(milliseconds=1), model_id="a:b", api_key_id="k")
    await charge(purse, 4, midnight, model_id="a:b", api_key_id="k")
    await charge(purse, 5, midnight + timedelta(hours=20), model_id="a:b", api_key_id="k")
    await charge(purse, 6, midnight + timedelta(hours=20), model_id="a:c", connection_id="c")
    await charge(purse, 7, after)
    assert await per_day(purse, "model_id", before, midnight) == [
        (before, "a:b", 3),
        (midnight, "a:b", 9),
        (midnight, "a:c", 6),
    ]
    assert await per_day(purse, "caller_id", before, midnight) == [
        (before, "k", 3),
        (midnight, "c", 6),
        (midnight, "k", 9),
    ]
    assert await per_day(purse, "caller_id", after) == await per_day(purse, "model_id", after) == [(after, None, 7)]
    totals = await purse.database.read(lambda tx: spending.total_per_day(tx, purse.account_id, [before, midnight]))
    assert totals == {before: Total(3, 1), midnight: Total(15, 3)}
    assert await purse.money_problems() == []


async def test_a_day_of_twenty_three_hours_ends_at_its_midnight(purse: Purse) -> None:
    short = datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Berlin"))
    await charge(purse, 2, datetime(2026, 3, 29, 21, 59, tzinfo=UTC))
    await charge(purse, 3, datetime(2026, 3, 29, 22, 0, tzinfo=UTC))
    assert await per_day(purse, "model_id", short) == [(short, None, 2)]


async def test_a_charge_from_a_clock_that_is_behind_counts_in_its_own_day(purse: Purse) -> None:
    today = NOON.replace(hour=0)
    days = (today - timedelta(days=1), today)
    await charge(purse, 1, NOON - timedelta(days=3))
    await charge(purse, 2, NOON)
    await charge(purse, 3, NOON + timedelta(minutes=20))
    await charge(purse, 4, NOON - timedelta(days=1))
    await charge(purse, 5, NOON + timedelta(minutes=10))
    assert await per_day(purse, "model_id", *days) == [(days[0], None, 4), (today, None, 10)]
    assert await purse.money_problems() == []


async def test_only_charges_count_as_spent_and_only_lately(purse: Purse) -> None:
    await charge(purse, 2, NOON - timedelta(days=8), api_key_id="k")
    await charge(purse, 3, NOON, api_key_id="k")
    await charge(purse, 4, NOON)
    await purse.add(-50, "adjustment")

    def read(tx: Transaction) -> tuple[int, int, dict[str | None, int], dict[str | None, int]]:
        account_id, week = purse.account_id, NOON - timedelta(days=7)
        return (
            spending.lately(tx, account_id, NOON),
            spending.pictures(tx, account_id, week),
            spending.by_caller(tx, account_id, week),
            spending.by_caller(tx, account_id),
        )

    assert await purse.database.read(read) == (7, 2, {"k": 3, None: 4}, {"k": 5, None: 4})


async def test_nothing_is_spent_before_the_first_charge(purse: Purse) -> None:
    assert await purse.database.read(lambda tx: spending.lately(tx, purse.account_id, NOON)) == 0
    assert await per_day(purse, "model_id", NOON) == []
    totals = await purse.database.read(lambda tx: spending.total_per_day(tx, purse.account_id, [NOON]))
    assert totals == {NOON: Total(0, 0)}


async def test_the_audit_sees_spending_that_is_not_the_ledgers(purse: Purse) -> None:
    await charge(purse, 2, NOON, model_id=new_id())
    await purse.database.write(lambda tx: tx.execute("UPDATE readings SET pictures = 2"))
    assert [each.check for each in await purse.money_problems()] == ["a meter shows the sum of its charges"]
