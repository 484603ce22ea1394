"""One regular look at the rows for all who wait in this process, instead of one by each of them.

An event may be lost with the process that sent it; the look finds what it would have told. Ten thousand who wait cost
one read of what has not ended, and each of them a glance into a dictionary.
"""

import asyncio
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

import structlog

from limner.db.base import Database, Transaction
from limner.images import line, lists
from limner.queue.base import Events, Watching

LOOK_SECONDS = 10.0

log = structlog.stdlib.get_logger(__name__)


class Lookout:
    """`watch` is `Events.watch`, with somebody who looks; a watcher whose generation has ended is woken."""

    def __init__(self, database: Database, events: Events, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._database = database
        self._events = events
        self._look_seconds = look_seconds
        self._watchers: dict[Watching, Sequence[str]] = {}
        self._places: Mapping[str, int | None] = {}
        self._ended: set[str] = set()
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def watch(self, generation_ids: Sequence[str]) -> Generator[Watching]:
        with self._events.watch(generation_ids) as watching:
            self._watchers[watching] = generation_ids
            if self._looking is None:
                self._looking = asyncio.create_task(self._look_while_watched())
            try:
                yield watching
            finally:
                del self._watchers[watching]

    def has_ended(self, generation_id: str) -> bool:
        """As far as the last look saw: false says nothing."""
        return generation_id in self._ended

    def place(self, generation_id: str) -> int | None:
        """In the line, when last looked; None where it did not wait any more, or nobody has looked since it is watched."""
        return self._places.get(generation_id)

    def has_seen(self, generation_id: str) -> bool:
        """Whether the last look found it under way."""
        return generation_id in self._places

    def wake_all(self) -> None:
        for watching in self._watchers:
            watching.wake()

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look_while_watched(self) -> None:
        try:
            while self._watchers:
                await asyncio.sleep(self._look_seconds)
                try:
                    await self._look()
                except OSError as problem:
                    log.warning("those who wait go on without the database", error=str(problem))
        finally:
            self._looking = None
            self._places, self._ended = {}, set()

    async def _look(self) -> None:
        watchers = dict(self._watchers)  # who comes meanwhile may wait for what this look does not see yet
        under_way = await self._database.read_slowly(_under_way)
        self._places = under_way
        self._ended = {each for ids in watchers.values() for each in ids if each not in under_way}
        for watching, ids in watchers.items():
            if watching in self._watchers and not self._ended.isdisjoint(ids):
                watching.wake()


def _under_way(tx: Transaction) -> dict[str, int | None]:
    """All that has not ended, in all accounts, with its place in the line where it waits."""
    return {**dict.fromkeys(lists.running(tx)), **line.places(tx)}
