"""Holds, captures, releases and lines of the ledger, on both databases."""

import asyncio
import sqlite3

import psycopg
import pytest
from tests.credits.purses import Purse, new_purse

from limner.credits import ledger
from limner.db.base import Database
from limner.errors import InsufficientCredits


@pytest.fixture
async def purse(database: Database) -> Purse:
    return await new_purse(database, 10)


async def test_a_hold_leaves_the_ledger_alone_and_lowers_what_is_available(purse: Purse) -> None:
    [first] = await purse.hold(4)
    held = await purse.balance()
    assert (held.ledger, held.held, held.available) == (10, 4, 6)
    assert await purse.capture(first) == 4
    captured = await purse.balance()
    assert (captured.ledger, captured.held, captured.available) == (6, 0, 6)
    assert await purse.money_problems() == []


async def test_a_hold_ends_once(purse: Purse) -> None:
    [kept], [returned] = await purse.hold(3), await purse.hold(3)
    assert (await purse.capture(kept), await purse.capture(kept), await purse.release(kept)) == (3, None, None)
    assert (await purse.release(returned), await purse.release(returned), await purse.capture(returned)) == (
        3,
        None,
        None,
    )
    assert (await purse.balance()).available == 7
    assert await purse.money_problems() == []


async def test_a_call_holds_for_all_its_pictures_or_for_none(purse: Purse) -> None:
    with pytest.raises(InsufficientCredits) as refused:
        await purse.hold(4, n=3)
    assert refused.value.extra == {"needed": 12, "available": 10}
    assert (await purse.balance()).held == 0
    assert len(await purse.hold(5, n=2)) == 2
    assert (await purse.balance()).available == 0


async def test_nothing_is_overdrawn_by_spenders_at_once(purse: Purse) -> None:
    outcomes = await asyncio.gather(*(purse.hold(3) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(outcome, list) for outcome in outcomes) == 3
    assert all(isinstance(outcome, list | InsufficientCredits) for outcome in outcomes)
    assert (await purse.balance()).available == 1


async def test_a_chargeback_of_spent_credits_stops_new_holds_while_open_ones_still_capture(purse: Purse) -> None:
    [open_hold] = await purse.hold(6)
    await purse.add(-10, "chargeback")
    assert (await purse.balance()).available == -6
    with pytest.raises(InsufficientCredits):
        await purse.hold(1)
    assert await purse.capture(open_hold) == 6
    assert (await purse.balance()).ledger == -6
    assert len(await purse.hold(0)) == 1  # a test key spends nothing
    assert await purse.money_problems() == []


async def test_each_line_says_the_balance_after_it(purse: Purse) -> None:
    [spent] = await purse.hold(4)
    await purse.capture(spent)
    await purse.add(100, "purchase")
    await purse.add(-50, "purchase_refund")
    lines = await purse.database.read(lambda tx: ledger.transactions(tx, purse.account_id, limit=10))
    assert [(line.type, line.amount, line.balance_after) for line in reversed(lines)] == [
        ("grant", 10, 10),
        ("charge", -4, 6),
        ("purchase", 100, 106),
        ("purchase_refund", -50, 56),
    ]


async def test_an_outside_event_counts_once_however_often_it_comes_at_once(purse: Purse) -> None:
    added = await asyncio.gather(*(purse.add(100, "purchase", "payment-1") for _ in range(20)))
    assert sorted(added) == [False] * 19 + [True]
    assert (await purse.balance()).ledger == 110


@pytest.mark.parametrize(
    "change",
    ["UPDATE credit_transactions SET amount = 1", "DELETE FROM credit_transactions", "TRUNCATE credit_transactions"],
)
async def test_the_database_itself_refuses_to_change_the_ledger(purse: Purse, change: str) -> None:
    if purse.database.dialect == "sqlite" and change.startswith("TRUNCATE"):
        pytest.skip("SQLite knows no TRUNCATE")
    with pytest.raises((sqlite3.Error, psycopg.Error), match="append-only"):
        await purse.database.write(lambda tx: tx.execute(change))
    assert (await purse.balance()).ledger == 10


async def test_lines_are_found_by_key_model_and_time(purse: Purse) -> None:
    moment = purse.moment
    for key, model in (("a", "m1"), ("a", "m2"), ("b", "m1")):
        entry = ledger.Entry("x", api_key_id=key, model_id=model)
        await purse.database.write(
            lambda tx, entry=entry: ledger.add(tx, purse.account_id, 1, "adjustment", entry, moment)
        )

    async def count(which: ledger.Filter) -> int:
        lines = await purse.database.read(lambda tx: ledger.transactions(tx, purse.account_id, which, limit=100))
        return len(lines)

    assert await count(ledger.Filter(api_key_id="a")) == 2
    assert await count(ledger.Filter(api_key_id="a", model_id="m1")) == 1
    assert await count(ledger.Filter(since=moment)) == 4
    assert await count(ledger.Filter(until=moment)) == 0
