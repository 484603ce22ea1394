"""The look at the rows for all who wait: what an event that was lost would have told, on both databases."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.images.test_line import Line, take
from tests.service import until

from limner.db.base import Database
from limner.images.lookout import Lookout
from limner.queue.base import Watching
from limner.queue.embedded import EmbeddedEvents


@contextlib.asynccontextmanager
async def looking(database: Database) -> AsyncIterator[Lookout]:
    lookout = Lookout(database, EmbeddedEvents(), look_seconds=0.01)
    try:
        yield lookout
    finally:
        await lookout.close()


async def test_an_end_that_nobody_told_of_wakes_who_waits_for_it(database: Database) -> None:
    waiting = Line(database)
    (first,), (second,) = await waiting.ask("a"), await waiting.ask("b")
    async with looking(database) as lookout:
        with lookout.watch([first]) as one, lookout.watch([second]) as two:
            await seen(lookout, second)
            assert not lookout.has_ended(first)
            await end(database, first)
            assert await woken(one)
            assert lookout.has_ended(first)
            assert not lookout.has_ended(second)
            assert await two.next(0) is None


async def test_places_are_those_of_the_last_look(database: Database) -> None:
    waiting = Line(database)
    first, second = await waiting.ask("a", 2)
    async with looking(database) as lookout:
        with lookout.watch([second]):
            await seen(lookout, second)
            assert lookout.place(second) == 2
            await take(database, "openai", None)
            await until(lambda: lookout.place(second) == 1)
            assert lookout.place(first) is None
            assert lookout.has_seen(first)


async def test_nobody_looks_where_nobody_waits(database: Database) -> None:
    (only,) = await Line(database).ask("a")
    async with looking(database) as lookout:
        with lookout.watch([only]):
            await seen(lookout, only)
        await until(lambda: not lookout.has_seen(only))


async def seen(lookout: Lookout, generation_id: str) -> None:
    await until(lambda: lookout.has_seen(generation_id))


async def woken(watching: Watching) -> bool:
    async with asyncio.timeout(30):
        return await watching.next(60) is None


async def end(database: Database, generation_id: str) -> None:
    await database.write(
        lambda tx: tx.execute("UPDATE generations SET status = 'failed' WHERE id = :id", id=generation_id)
    )
