"""Waiting for generations: who waits, until when, and what becomes of a wait that breaks off.

A wait looks at the rows again whenever an event or the lookout says that something ended: a missed event costs time and
nothing else.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import structlog

from limner.db.base import Database
from limner.db.types import Clock
from limner.errors import ServiceError
from limner.images import calls, generations, line
from limner.images.beginning import Started
from limner.images.generations import Generation
from limner.images.lookout import Lookout
from limner.queue.base import Event, Events, Watching

S = TypeVar("S", bound=Started | None)

OnEvent = Callable[[Event | None], Awaitable[None]]

log = structlog.stdlib.get_logger(__name__)

AWAY_SECONDS = 1.0
"""Between two looks at a database that does not answer."""

TICK_SECONDS = 10.0
"""How long who listens to a wait goes without hearing of it."""


class Waits:
    """The waits of one process."""

    def __init__(self, *, database: Database, events: Events, clock: Clock) -> None:
        self._database = database
        self._events = events
        self._clock = clock
        self._lookout = Lookout(database, events)
        self._last_moment: float | None = None
        self._detached: set[asyncio.Task[None]] = set()

    async def wait(
        self, started: Started, seconds: float, on_event: OnEvent | None, tick_seconds: float, *, delivers: bool
    ) -> list[Generation]:
        try:
            rows = await self.until_ended(started, seconds, on_event, tick_seconds)
        except BaseException:
            self._detach(self._break_off(started))
            raise
        if not all(row.has_ended for row in rows):
            with _without_database():
                await self._break_off(started)
        elif delivers:
            await self.deliver(started)
        return rows

    async def until_ended(
        self, started: Started, seconds: float, on_event: OnEvent | None, tick_seconds: float
    ) -> list[Generation]:
        """Watch until all ended or the time is over; nothing is delivered or broken off by it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        with self._lookout.watch(started.generation_ids) as watching:
            rows = None if self._is_under_way(started) else await self._rows_when_there(started, until)
            if on_event is not None:
                await on_event(None)
            while (unended := _unended(started, rows)) and (left := self._left(until)) > 0:
                event = await watching.next(min(left, tick_seconds))
                if on_event is not None:
                    await on_event(event)
                if self._left(until) <= 0 or any(self.may_have_ended(each, event) for each in unended):
                    with _without_database():  # what was known still holds
                        rows = await self.rows(started)
            return await self._rows_when_there(started, until) if rows is None else rows

    def end_soon(self, seconds: float) -> None:
        """The process was told to end: nobody waits longer than this any more; who asks again is answered elsewhere."""
        loop = asyncio.get_running_loop()
        self._last_moment = loop.time() + seconds
        loop.call_later(seconds, self._lookout.wake_all)

    async def rows(self, started: Started) -> list[Generation]:
        """How the generations of a call stand, in order; deleted ones are left out."""
        rows = await self._database.read(lambda tx: generations.of_call(tx, started.call_id))
        return [row for row in rows if row.id in started.generation_ids and row.deleted_at is None]

    async def deliver(self, started: Started) -> None:
        """Where it cannot be noted the caller gets the picture all the same; the call stays adoptable."""
        with _without_database():
            await self._database.write(lambda tx: calls.deliver(tx, started.call_id, self._clock()))

    def handed_over(self, started: Started, taken: Coroutine[Any, Any, bool]) -> None:
        self._detach(self._hand_over(started, taken))

    def lost(self, started: Started) -> None:
        self._detach(self._break_off(started))

    async def give_up(self, caller_id: str, wait_name: str) -> None:
        await self._database.write(lambda tx: calls.give_up(tx, caller_id, wait_name, self._clock()))

    async def to_the_end(self, work: "Coroutine[Any, Any, S] | asyncio.Task[S]") -> S:
        """Finish what begins or takes over a call although its caller leaves; then another may adopt it."""
        task = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._detach(self._abandon(task))
            raise

    async def state(self, generation_id: str) -> Event | None:
        """The latest news of a generation that has not ended, with its place in the line."""
        latest, place = self._events.latest(generation_id), None
        with _without_database():
            place = await self._place(generation_id, latest)
        return latest if place is None else Event("queued", generation_id, phase="queued", place=place)

    def watch(self, *generation_ids: str) -> AbstractContextManager[Watching]:
        return self._lookout.watch(generation_ids)

    def may_have_ended(self, generation_id: str, event: Event | None) -> bool:
        """Whether its row is worth a look, now that a watcher heard this."""
        return (event is not None and event.kind == "ended") or self._lookout.has_ended(generation_id)

    async def close(self) -> None:
        """Finish what was left to do for callers who went away."""
        await self._lookout.close()
        if self._detached:
            await asyncio.gather(*self._detached, return_exceptions=True)

    def _left(self, until: float) -> float:
        last = until if self._last_moment is None else min(until, self._last_moment)
        return last - asyncio.get_running_loop().time()

    async def _place(self, generation_id: str, latest: Event | None) -> int | None:
        """As of the last look of all, where there was one: what began since then has told so."""
        if not self._lookout.has_seen(generation_id):
            return await self._database.read(lambda tx: line.place(tx, generation_id))
        has_begun = latest is not None and latest.kind == "running"
        return None if has_begun else self._lookout.place(generation_id)

    def _is_under_way(self, started: Started) -> bool:
        """Begun just now, and running by the latest news: who watches will hear of each end, and needs no look before."""
        latest = [self._events.latest(each) for each in started.generation_ids]
        return not started.replayed and all(event is not None and event.kind == "running" for event in latest)

    async def _rows_when_there(self, started: Started, until: float) -> list[Generation]:
        """The call has begun and may be paid for: a database that goes away now is waited for."""
        while True:
            try:
                return await self.rows(started)
            except OSError:
                if self._left(until) <= 0:
                    raise
                await asyncio.sleep(AWAY_SECONDS)

    async def _hand_over(self, started: Started, taken: Coroutine[Any, Any, bool]) -> None:
        if await taken:
            await self._database.write(lambda tx: calls.deliver_answer(tx, started.call_id, self._clock()))
        else:
            await self._break_off(started)

    async def _break_off(self, started: Started) -> None:
        await self._database.write(lambda tx: calls.break_off(tx, started.call_id, self._clock()))

    async def _abandon(self, beginning: "asyncio.Future[S]") -> None:
        with contextlib.suppress(ServiceError, OSError):
            if (started := await beginning) is not None:
                await self._break_off(started)

    def _detach(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it although the caller's own task is being cancelled."""
        task = asyncio.create_task(_as_far_as_it_can_be_written(work))
        self._detached.add(task)
        task.add_done_callback(self._detached.discard)


def _unended(started: Started, rows: list[Generation] | None) -> Sequence[str]:
    """The ids of those that go on, as far as is known."""
    return started.generation_ids if rows is None else [row.id for row in rows if not row.has_ended]


@contextmanager
def _without_database() -> Generator[None]:
    """Go on where it does not answer: the next look may."""
    try:
        yield
    except OSError as problem:
        log.warning("a wait goes on without the database", error=str(problem))


async def _as_far_as_it_can_be_written(work: Coroutine[Any, Any, None]) -> None:
    with _without_database():
        await work
