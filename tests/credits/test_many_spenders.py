"""Ten thousand spends on one account from eight processes at once: never overdrawn, and the books agree."""

import asyncio
import json
import sys
import time

import pytest
from tests.credits.purses import new_purse
from tests.subprocesses import ENVIRONMENT

from limner.credits import ledger
from limner.db.engine import open_database
from limner.db.types import new_id, now
from limner.errors import InsufficientCredits

SPENDS, PROCESSES, FUNDS = 10_000, 8, 15_000


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_ten_thousand_spends_from_eight_processes_never_overdraw(database_url: str) -> None:
    database = await open_database(database_url)
    purse = await new_purse(database, FUNDS)
    began = time.perf_counter()
    spenders = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            __file__,
            database_url,
            purse.account_id,
            str(SPENDS // PROCESSES),
            stdout=asyncio.subprocess.PIPE,
            env=ENVIRONMENT,
        )
        for _ in range(PROCESSES)
    ]
    outputs = [json.loads((await spender.communicate())[0]) for spender in spenders]
    seconds = time.perf_counter() - began
    captured, released, refused = (sum(each[name] for each in outputs) for name in ("captured", "released", "refused"))
    balance = await purse.balance()
    print(f"{database.dialect}: {SPENDS / seconds:.0f} spends a second, {captured} captured, {refused} refused")
    assert captured + released + refused == SPENDS
    assert (balance.held, balance.ledger) == (0, FUNDS - 3 * captured)
    assert balance.ledger >= 0
    assert await purse.money_problems() == []
    await database.close()


async def spend(database_url: str, account_id: str, times: int) -> None:
    """Hold 3 and capture, every fourth time release; as a process of its own."""
    database = await open_database(database_url)
    counts = {"captured": 0, "released": 0, "refused": 0}
    room = asyncio.Semaphore(8)

    async def one(number: int) -> None:
        generation_id = new_id()
        async with room:
            try:
                await database.write(
                    lambda tx: ledger.hold(
                        tx, account_id, 3, generation_ids=[generation_id], cap_owner_ids=(), now=now()
                    )
                )
            except InsufficientCredits:
                counts["refused"] += 1
                return
            if number % 4 == 0:
                await database.write(lambda tx: ledger.release(tx, generation_id, now()))
                counts["released"] += 1
            else:
                entry = ledger.Entry("An image", reference_id=generation_id)
                await database.write(lambda tx: ledger.capture(tx, generation_id, entry, now()))
                counts["captured"] += 1

    await asyncio.gather(*(one(number) for number in range(times)))
    await database.close()
    print(json.dumps(counts))


if __name__ == "__main__":
    asyncio.run(spend(sys.argv[1], sys.argv[2], int(sys.argv[3])))
