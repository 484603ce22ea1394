"""The queue and the events of a single process: in memory, over the rows of the database."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import contextmanager

from limner.queue.base import Event, Job


class EmbeddedQueue:
    """A line per provider."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._provider_of: dict[str, str] = {}

    async def put(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if job.generation_id not in self._provider_of:
                self._provider_of[job.generation_id] = job.provider_id
                self._line(job.provider_id).add(job)

    async def take(self, provider_id: str) -> Job:
        job = await self._line(provider_id).next()
        del self._provider_of[job.generation_id]
        return job

    def place(self, generation_id: str) -> int | None:
        provider_id = self._provider_of.get(generation_id)
        return None if provider_id is None else self._line(provider_id).place(generation_id)

    def waiting(self) -> int:
        return len(self._provider_of)

    async def close(self) -> None:
        pass

    def _line(self, provider_id: str) -> "_Line":
        return self._lines.setdefault(provider_id, _Line())


class _Line:
    """A queue per account, served in turn."""

    def __init__(self) -> None:
        self._by_account: dict[str, deque[Job]] = {}
        self._turn: deque[str] = deque()
        self._takers: deque[asyncio.Future[None]] = deque()

    def add(self, job: Job) -> None:
        if job.account_id not in self._by_account:
            self._by_account[job.account_id] = deque()
            self._turn.append(job.account_id)
        self._by_account[job.account_id].append(job)
        self._wake_one()

    async def next(self) -> Job:
        while not self._turn:
            taker = asyncio.get_running_loop().create_future()
            self._takers.append(taker)
            try:
                await taker
            except asyncio.CancelledError:
                if taker.done():
                    self._wake_one()  # the job we were woken for is somebody else's now
                raise
        return self._pop()

    def place(self, generation_id: str) -> int | None:
        """In turns: a job with k of its account before it waits for k rounds of every account."""
        for account_id, jobs in self._by_account.items():
            for before, job in enumerate(jobs):
                if job.generation_id == generation_id:
                    return self._place(account_id, before)
        return None

    def _wake_one(self) -> None:
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                return

    def _pop(self) -> Job:
        account_id = self._turn.popleft()
        jobs = self._by_account[account_id]
        job = jobs.popleft()
        if jobs:
            self._turn.append(account_id)
        else:
            del self._by_account[account_id]
        return job

    def _place(self, account_id: str, before: int) -> int:
        turn = self._turn.index(account_id)
        others = 0
        for index, other in enumerate(self._turn):
            if other != account_id:
                others += min(len(self._by_account[other]), before + (1 if index < turn else 0))
        return before + others + 1


class EmbeddedEvents:
    """Watchers by generation id, told in the same event loop."""

    def __init__(self) -> None:
        self._watchers: dict[str, list[_Watching]] = {}
        self._latest: dict[str, Event] = {}

    def publish(self, event: Event) -> None:
        if event.kind == "ended":
            self._latest.pop(event.generation_id, None)
        elif event.kind in ("queued", "running"):
            self._latest[event.generation_id] = event
        for watcher in self._watchers.get(event.generation_id, ()):
            watcher.tell(event)

    @contextmanager
    def watch(self, generation_ids: Sequence[str]) -> "Generator[_Watching]":
        watching = _Watching()
        for generation_id in generation_ids:
            self._watchers.setdefault(generation_id, []).append(watching)
        try:
            yield watching
        finally:
            for generation_id in generation_ids:
                self._forget(generation_id, watching)

    def latest(self, generation_id: str) -> Event | None:
        return self._latest.get(generation_id)

    async def close(self) -> None:
        pass

    def _forget(self, generation_id: str, watching: "_Watching") -> None:
        watchers = self._watchers[generation_id]
        watchers.remove(watching)
        if not watchers:
            del self._watchers[generation_id]


class _Watching:
    """A small mailbox: a slow watcher sees the newest progress, and never misses an end."""

    __slots__ = ("_arrived", "_events")

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._arrived: asyncio.Future[None] | None = None

    def tell(self, event: Event) -> None:
        last = self._events[-1] if self._events else None
        if last and last.kind == event.kind == "running" and last.generation_id == event.generation_id:
            self._events.pop()
        self._events.append(event)
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            if (event := await self.next(3600.0)) is not None:
                yield event

    async def next(self, timeout_seconds: float) -> Event | None:
        if not self._events:
            self._arrived = asyncio.get_running_loop().create_future()
            try:
                # Not wait_for: on Python 3.11 it loses a cancellation that meets an arrival.
                async with asyncio.timeout(timeout_seconds):
                    await self._arrived
            except TimeoutError:
                return None
            finally:
                self._arrived = None
        return self._events.popleft() if self._events else None
