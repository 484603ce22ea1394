"""Codes for credits: once per account, as often as they are good for, on both databases."""

import asyncio
from datetime import timedelta

import pytest
from tests.credits.purses import NOON, new_purse

from limner.credits import codes
from limner.db.base import Database
from limner.errors import InvalidRequest, NotFound


async def test_a_code_is_good_for_its_credits_once_per_account(database: Database) -> None:
    purse = await new_purse(database, 0)
    _, code = await database.write(lambda tx: codes.create(tx, 50, NOON, uses=3, description="Conference"))
    typed = f" {code.lower().replace('-', ' ')} "
    assert await database.write(lambda tx: codes.redeem(tx, purse.account_id, typed, NOON)) == 50
    with pytest.raises(InvalidRequest, match="already"):
        await database.write(lambda tx: codes.redeem(tx, purse.account_id, code, NOON))
    assert (await purse.balance()).available == 50
    row = await database.read(lambda tx: tx.first("SELECT * FROM credit_codes"))
    assert row is not None
    assert row["uses_left"] == 2
    assert code not in str(dict(row))  # type: ignore[call-overload]


async def test_a_code_for_one_is_redeemed_by_one_of_many_at_once(database: Database) -> None:
    purses = [await new_purse(database, 0, f"{number}@example.org") for number in range(5)]
    _, code = await database.write(lambda tx: codes.create(tx, 50, NOON, description="One"))
    outcomes = await asyncio.gather(
        *(database.write(lambda tx, p=purse: codes.redeem(tx, p.account_id, code, NOON)) for purse in purses),
        return_exceptions=True,
    )
    assert sorted(str(type(each).__name__) for each in outcomes) == ["NotFound"] * 4 + ["int"]


async def test_a_code_that_is_wrong_or_expired_is_unknown(database: Database) -> None:
    purse = await new_purse(database, 0)
    _, code = await database.write(
        lambda tx: codes.create(tx, 5, NOON, description="Old", expires_at=NOON + timedelta(hours=1))
    )
    for typed, moment in ((code, NOON + timedelta(hours=1)), ("2222-2222-2222-2222", NOON), ("", NOON)):
        with pytest.raises(NotFound):
            await database.write(lambda tx, t=typed, m=moment: codes.redeem(tx, purse.account_id, t, m))
