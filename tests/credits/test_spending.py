"""What was charged by day, model and key, on both databases, and that it is the ledger's."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.credits.purses import NOON, Purse, new_purse

from limner.credits import ledger, spending
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


async def per_day(purse: Purse, *days: datetime) -> list[tuple[datetime, str | None, str | None, int, int]]:
    found = await purse.database.read(lambda tx: spending.per_day(tx, purse.account_id, days))
    return sorted(((each.since, each.model_id, each.caller_id, each.credits, each.pictures) for each in found), key=str)


async def test_charges_are_added_up_by_the_days_of_the_reader(purse: Purse) -> None:
    midnight = datetime(2026, 3, 11, tzinfo=KATHMANDU)
    before = midnight - timedelta(days=1)
    await charge(purse, 3, midnight - timedelta(milliseconds=1), model_id="a:b", api_key_id="k")
    await charge(purse, 4, midnight, model_id="a:b", api_key_id="k")
    await charge(purse, 5, midnight + timedelta(hours=20), model_id="a:b", api_key_id="k")
    await charge(purse, 6, midnight + timedelta(hours=20), model_id="a:c", connection_id="c")
    await charge(purse, 7, midnight + timedelta(days=1))
    assert await per_day(purse, before, midnight) == [
        (before, "a:b", "k", 3, 1),
        (midnight, "a:b", "k", 9, 2),
        (midnight, "a:c", "c", 6, 1),
    ]
    assert await per_day(purse, midnight + timedelta(days=1)) == [(midnight + timedelta(days=1), None, None, 7, 1)]
    assert await purse.money_problems() == []


async def test_a_day_of_twenty_three_hours_ends_at_its_midnight(purse: Purse) -> None:
    short = datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Berlin"))
    await charge(purse, 2, datetime(2026, 3, 29, 21, 59, tzinfo=UTC))
    await charge(purse, 3, datetime(2026, 3, 29, 22, 0, tzinfo=UTC))
    assert await per_day(purse, short) == [(short, None, None, 2, 1)]


async def test_only_charges_count_as_spent_and_only_lately(purse: Purse) -> None:
    await charge(purse, 2, NOON - timedelta(days=8), api_key_id="k")
    await charge(purse, 3, NOON, api_key_id="k")
    await charge(purse, 4, NOON)
    await purse.add(-50, "adjustment")

    def read(tx: Transaction) -> tuple[int, dict[str, int], dict[str, int]]:
        account_id = purse.account_id
        week = spending.by_caller(tx, account_id, NOON - timedelta(days=7))
        return spending.lately(tx, account_id, NOON), week, spending.by_caller(tx, account_id)

    assert await purse.database.read(read) == (7, {"k": 3}, {"k": 5})


async def test_the_audit_sees_spending_that_is_not_the_ledgers(purse: Purse) -> None:
    await charge(purse, 2, NOON, model_id=new_id())
    await purse.database.write(lambda tx: tx.execute("UPDATE spending SET pictures = 2"))
    assert [each.check for each in await purse.money_problems()] == ["the kept spending is the sum of the charges"]
