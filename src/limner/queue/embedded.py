"""The queue and the events of a single process, in memory."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from contextlib import contextmanager

from limner.queue.base import Event, Fleet, Work

LATEST_MOST = 10_000
"""Of so many generations the last event is remembered; an end that was missed must not be remembered for ever."""

TOGETHER_SECONDS = 0.05
"""Watchers whose time is over are woken so often, several at once: thousands do not have this process wake for each."""


class EmbeddedQueue:
    """Calls are counted, and every hand looks until nothing waits: more calls than hands say nothing new."""

    def __init__(self, process_id: str, hands: Mapping[str, int]) -> None:
        self._process_id = process_id
        self._hands = hands
        self._calls = {provider_id: _Calls(count) for provider_id, count in hands.items()}
        self._stopped = asyncio.Event()
        self._hands_at_work: list[asyncio.Task[None]] = []

    def hand(self, provider_id: str) -> "_Hand | None":
        calls = self._calls.get(provider_id)
        return None if calls is None or self._stopped.is_set() else calls.idle_hand()

    async def call(self, provider_id: str, count: int = 1) -> None:
        if provider_id in self._calls:
            self._calls[provider_id].add(count)

    async def serve(self, work: Work) -> None:
        self._hands_at_work = [
            asyncio.create_task(self._hand(provider_id, work))
            for provider_id, count in self._hands.items()
            for _ in range(count)
        ]
        try:
            await self._stopped.wait()
        except asyncio.CancelledError:
            for hand in self._hands_at_work:
                hand.cancel()
            raise
        for calls in self._calls.values():
            calls.send_home()

    async def stop(self) -> None:
        self._stopped.set()

    async def fleet(self) -> Fleet:
        return Fleet(frozenset({self._process_id}), frozenset(self._hands))

    async def close(self) -> None:
        pass

    async def _hand(self, provider_id: str, work: Work) -> None:
        while not self._stopped.is_set():
            if (task := await self._calls[provider_id].next()) is not None:
                await asyncio.wait([task])
            if not self._stopped.is_set():
                await work(provider_id)


class _Calls:
    """Those nobody has answered yet, and the hands that wait for one."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._idle: deque[_Hand] = deque()

    def add(self, count: int) -> None:
        self._count = min(self._count + count, self._most)
        for _ in range(count):
            self._wake_one()

    def idle_hand(self) -> "_Hand | None":
        return self._idle.popleft() if self._idle else None

    async def next(self) -> "asyncio.Task[None] | None":
        """Returns when there is a call, or with what this hand was kept for."""
        while not self._count:
            hand = _Hand(asyncio.get_running_loop().create_future())
            self._idle.append(hand)
            try:
                if (task := await hand.news) is not None:
                    return task
            except asyncio.CancelledError:
                if not hand.news.cancelled():
                    self._wake_one()  # the call we were woken for is somebody else's now
                raise
        self._count -= 1
        return None

    def send_home(self) -> None:
        while self._idle:
            self._idle.popleft().news.cancel()

    def _wake_one(self) -> None:
        while self._idle:
            hand = self._idle.popleft()
            if not hand.news.done():
                hand.free()
                return


class _Hand:
    """One that waits: `news` comes with what it was kept for, or with nothing when it shall look for itself."""

    __slots__ = ("news",)

    def __init__(self, news: "asyncio.Future[asyncio.Task[None] | None]") -> None:
        self.news = news

    def hold(self, task: "asyncio.Task[None]") -> None:
        self._tell(task)

    def free(self) -> None:
        self._tell(None)

    def _tell(self, task: "asyncio.Task[None] | None") -> None:
        if not self.news.done():  # its process was told to end meanwhile
            self.news.set_result(task)


class EmbeddedEvents:
    """Watchers by generation id, told in the same event loop."""

    def __init__(self) -> None:
        self._watchers: dict[str, list[_Watching]] = {}
        self._latest: OrderedDict[str, Event] = OrderedDict()

    def publish(self, event: Event) -> None:
        if event.kind == "ended":
            self._latest.pop(event.generation_id, None)
        elif event.kind in ("queued", "running"):
            self._latest[event.generation_id] = event
            if len(self._latest) > LATEST_MOST:
                self._latest.popitem(last=False)
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

    def is_watched(self, generation_id: str) -> bool:
        return generation_id in self._watchers

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

    __slots__ = ("_arrived", "_events", "_woken")

    def __init__(self) -> None:
        self._events: list[
            Event
        ] = []  # few at a time, and thousands of mailboxes: an empty deque takes ten times as much
        self._arrived: asyncio.Future[None] | None = None
        self._woken = False

    def tell(self, event: Event) -> None:
        last = self._events[-1] if self._events else None
        if last and last.kind == event.kind == "running" and last.generation_id == event.generation_id:
            self._events.pop()
        self._events.append(event)
        self._arrive()

    def wake(self) -> None:
        self._woken = True
        self._arrive()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            if (event := await self.next(3600.0)) is not None:
                yield event

    async def next(self, timeout_seconds: float) -> Event | None:
        if not self._events and not self._woken:
            loop = asyncio.get_running_loop()
            self._arrived = loop.create_future()
            over = loop.call_at(shared_moment(loop.time(), timeout_seconds), self._arrive)
            try:
                await self._arrived
            finally:
                over.cancel()
                self._arrived = None
        self._woken = False
        return self._events.pop(0) if self._events else None

    def _arrive(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)


def shared_moment(now: float, timeout_seconds: float) -> float:
    """When a wait is over: a little early, at a moment that others share; a short one to the point."""
    due = now + timeout_seconds
    return due - due % TOGETHER_SECONDS if timeout_seconds > 1 else due
