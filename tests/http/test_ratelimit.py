"""The rate limit across processes: one bucket, exact to the call."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import pytest
from tests.subprocesses import ENVIRONMENT

from limner.db.base import Database
from limner.db.engine import open_database
from limner.db.types import to_ms
from limner.http.ratelimit import Bucket, Buckets, DatabaseBuckets, MemoryBuckets

START = datetime(2026, 1, 1, tzinfo=UTC)
KEY = Bucket("key", 60)


@pytest.mark.timeout(120)
async def test_a_burst_of_sixty_and_its_refill_are_exact_over_four_processes(postgresql_url: str) -> None:
    assert await allowed(postgresql_url, START) == 60
    assert await allowed(postgresql_url, START + timedelta(seconds=10)) == 10


async def allowed(database_url: str, moment: datetime) -> int:
    """How many of two hundred calls at one moment get through, fifty from each process."""
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, __file__, database_url, str(to_ms(moment)), stdout=asyncio.subprocess.PIPE, env=ENVIRONMENT
        )
        for _ in range(4)
    ]
    return sum([int((await process.communicate())[0]) for process in processes])


async def test_full_buckets_are_forgotten(database: Database) -> None:
    moment = START
    buckets = DatabaseBuckets(database, lambda: moment)
    await buckets.take(KEY)
    await buckets.sweep()
    assert await database.read(lambda tx: tx.scalar("SELECT count(*) FROM rate_limits")) == 1
    moment += timedelta(minutes=10)
    await buckets.sweep()
    assert await database.read(lambda tx: tx.scalar("SELECT count(*) FROM rate_limits")) == 0


@pytest.mark.parametrize("kind", ["memory", "database"])
async def test_a_bucket_that_refuses_leaves_those_behind_it_full(database: Database, kind: str) -> None:
    buckets = MemoryBuckets(lambda: START) if kind == "memory" else DatabaseBuckets(database, lambda: START)
    narrow, wide = Bucket("narrow", 1), Bucket("wide", 2)
    said = [[each.allowed for each in await buckets.take(narrow, wide)] for _ in range(3)]
    assert said == [[True, True], [False], [False]]
    assert (await buckets.take(wide))[0].remaining == 0


@pytest.mark.parametrize("kind", ["memory", "database"])
async def test_a_clock_that_is_set_back_shuts_nobody_out(database: Database, kind: str) -> None:
    moment = START
    buckets = MemoryBuckets(lambda: moment) if kind == "memory" else DatabaseBuckets(database, lambda: moment)
    for _ in range(60):
        assert await _allows(buckets)
    assert not await _allows(buckets)
    moment -= timedelta(days=1)
    assert await _allows(buckets)


async def _allows(buckets: Buckets) -> bool:
    [taken] = await buckets.take(KEY)
    return taken.allowed


async def take_fifty(database_url: str, milliseconds: int) -> int:
    database = await open_database(database_url)
    buckets = DatabaseBuckets(database, lambda: datetime.fromtimestamp(milliseconds / 1000, UTC))
    taken = await asyncio.gather(*(buckets.take(KEY) for _ in range(50)))
    await database.close()
    return sum(each.allowed for [each] in taken)


if __name__ == "__main__":
    print(asyncio.run(take_fifty(sys.argv[1], int(sys.argv[2]))))
