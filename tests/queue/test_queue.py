"""Bringing waiting work and free hands together: one suite on both engines."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from limner.db.postgres_connection import conninfo_of
from limner.queue.base import Hand, Queue
from limner.queue.embedded import EmbeddedQueue
from limner.queue.engine import Engine
from limner.queue.fleet import FleetQueue

HANDS = {"limner": 2, "openai": 2}


@pytest.fixture(params=["embedded", "fleet"])
async def queue(request: pytest.FixtureRequest) -> AsyncIterator[Queue]:
    if request.param == "embedded":
        yield EmbeddedQueue("here", HANDS)
        return
    async with fleet_queue(request.getfixturevalue("postgresql_url"), "here") as queue:
        yield queue


@asynccontextmanager
async def fleet_queue(url: str, process_id: str, hands: dict[str, int] = HANDS) -> AsyncIterator[FleetQueue]:
    engine = await Engine.open(conninfo_of(url), process_id, hands)
    try:
        yield FleetQueue(engine)
    finally:
        await engine.close()


class Desk:
    """Work on a pile: each hand takes from it until it is empty, as the rows are taken."""

    def __init__(self, *piles: str) -> None:
        self.waiting = list(piles)
        self.done: list[str] = []
        self.at_once = self.most_at_once = 0
        self.let_go = asyncio.Event()
        self.let_go.set()
        self._changed = asyncio.Condition()

    async def work(self, provider_id: str) -> None:
        while mine := [each for each in self.waiting if each.startswith(provider_id)]:
            self.waiting.remove(mine[0])
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            await self._tell()
            await self.let_go.wait()
            self.at_once -= 1
            self.done.append(mine[0])
            await self._tell()

    async def until_done(self, count: int) -> None:
        await self.until(lambda: len(self.done) >= count)

    async def until(self, condition: object) -> None:
        assert callable(condition)
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(condition)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def serving(queue: Queue, desk: Desk) -> AsyncIterator[None]:
    task = asyncio.create_task(queue.serve(desk.work))
    try:
        yield
    finally:
        desk.let_go.set()
        await queue.stop()
        await task


async def test_a_call_brings_a_hand(queue: Queue) -> None:
    desk = Desk("limner 1")
    async with serving(queue, desk):
        await queue.call("limner")
        await desk.until_done(1)


async def test_what_was_called_before_anybody_served_is_done(queue: Queue) -> None:
    desk = Desk("limner 1", "limner 2")
    await queue.call("limner", 2)
    async with serving(queue, desk):
        await desk.until_done(2)


async def test_no_more_hands_than_there_are_and_everything_is_done(queue: Queue) -> None:
    desk = Desk(*(f"limner {number}" for number in range(20)))
    desk.let_go.clear()
    async with serving(queue, desk):
        await queue.call("limner", 20)
        await desk.until(lambda: desk.at_once == 2)
        desk.let_go.set()
        await desk.until_done(20)
    assert desk.most_at_once == 2


async def test_a_slow_provider_does_not_hold_up_another(queue: Queue) -> None:
    desk = Desk("openai 1", "openai 2", "limner 1")
    desk.let_go.clear()
    async with serving(queue, desk):
        await queue.call("openai", 2)
        await desk.until(lambda: desk.at_once == 2)
        await queue.call("limner")
        await desk.until(lambda: desk.at_once == 3)


async def test_who_stops_answers_no_more_calls_and_finishes_what_it_has(queue: Queue) -> None:
    desk = Desk("limner 1")
    desk.let_go.clear()
    async with serving(queue, desk):
        await queue.call("limner")
        await desk.until(lambda: desk.at_once == 1)
        await queue.stop()
        desk.waiting.append("openai 1")
        await queue.call("openai")
        desk.let_go.set()
        await desk.until_done(1)
    assert desk.done == ["limner 1"]


async def idle_hand(queue: EmbeddedQueue) -> Hand:
    await asyncio.sleep(0)  # `serve` gets its turn
    await asyncio.sleep(0)  # and its hands theirs
    hand = queue.hand("limner")
    assert hand is not None
    return hand


async def test_a_hand_that_is_kept_works_on_what_it_was_kept_for_and_then_on_what_waits() -> None:
    queue, desk, kept_for = EmbeddedQueue("here", {"limner": 1}), Desk("limner 1"), asyncio.Event()
    async with serving(queue, desk):
        (await idle_hand(queue)).hold(asyncio.create_task(_until(kept_for)))
        assert queue.hand("limner") is None
        await queue.call("limner")
        kept_for.set()
        await desk.until_done(1)


async def test_a_hand_that_was_kept_for_nothing_answers_the_calls_that_came_meanwhile() -> None:
    queue, desk = EmbeddedQueue("here", {"limner": 1}), Desk("limner 1")
    async with serving(queue, desk):
        hand = await idle_hand(queue)
        await queue.call("limner")
        hand.free()
        await desk.until_done(1)


async def test_where_no_hand_is_free_none_is_kept() -> None:
    queue, desk = EmbeddedQueue("here", {"limner": 1}), Desk("limner 1")
    desk.let_go.clear()
    async with serving(queue, desk):
        await queue.call("limner")
        await desk.until(lambda: desk.at_once == 1)
        assert queue.hand("limner") is None
        assert queue.hand("google") is None


async def test_a_process_that_ends_keeps_no_hand_and_does_not_wait_for_one_that_was_kept() -> None:
    queue, desk = EmbeddedQueue("here", {"limner": 1}), Desk()
    async with serving(queue, desk):
        hand = await idle_hand(queue)
        await queue.stop()
        assert queue.hand("limner") is None
    hand.free()


async def test_where_an_engine_has_the_hands_none_is_kept(postgresql_url: str) -> None:
    async with fleet_queue(postgresql_url, "here") as queue, serving(queue, Desk()):
        assert queue.hand("limner") is None


async def test_a_process_knows_itself_and_what_it_has_hands_for(queue: Queue) -> None:
    fleet = await queue.fleet()
    assert fleet.processes == {"here"}
    assert fleet.providers == {"limner", "openai"}


async def test_a_call_is_answered_in_whatever_process_has_a_free_hand(postgresql_url: str) -> None:
    async with AsyncExitStack() as stack:
        busy = await stack.enter_async_context(fleet_queue(postgresql_url, "busy", {"limner": 1}))
        other = await stack.enter_async_context(fleet_queue(postgresql_url, "other", {"limner": 1}))
        caller = await stack.enter_async_context(fleet_queue(postgresql_url, "caller", {}))
        held, free = Desk("limner 1"), Desk()
        held.let_go.clear()
        await stack.enter_async_context(serving(busy, held))
        await caller.call("limner")
        await held.until(lambda: held.at_once == 1)
        free.waiting.append("limner 2")
        await stack.enter_async_context(serving(other, free))
        await caller.call("limner")
        await free.until_done(1)
        assert (await caller.fleet()).processes == {"busy", "other", "caller"}
        assert (await caller.fleet()).providers == {"limner"}


async def test_what_a_process_has_hands_for_is_known_as_soon_as_it_is(postgresql_url: str) -> None:
    async with fleet_queue(postgresql_url, "caller", {}) as caller, fleet_queue(postgresql_url, "worker"):
        assert (await caller.fleet()).providers == set(HANDS)


async def test_who_ends_orderly_is_known_to_be_gone_at_once(postgresql_url: str) -> None:
    async with fleet_queue(postgresql_url, "staying") as staying:
        async with fleet_queue(postgresql_url, "going"):
            assert (await staying.fleet()).processes == {"staying", "going"}
        assert (await staying.fleet()).processes == {"staying"}


async def _until(event: asyncio.Event) -> None:
    await event.wait()
