"""What a queue of generations and a channel of events look like to the rest of the house.

The generation's row and lease are the truth, and the rows say whose turn it is. The queue only brings
waiting work and free hands together, and an event only says that something changed. Losing either loses
nothing: recovery calls again, and a waiter looks again.
"""

from asyncio import Task
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

EventKind = Literal["queued", "running", "partial", "cancel", "ended"]

Work = Callable[[str], Awaitable[None]]
"""Takes what waits for a provider, one after the other, until nothing does."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a generation; `place` counts from 1, `fraction` from 0 to 1."""

    kind: EventKind
    generation_id: str
    phase: str | None = None
    fraction: float | None = None
    place: int | None = None
    partial: bytes | None = None
    partial_media_type: str | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """The ids of the processes that live, and the providers some of them have hands for."""

    processes: frozenset[str]
    providers: frozenset[str]


class Hand(Protocol):
    """A free hand of this process, kept for what is about to be taken; exactly one of the two must follow."""

    def hold(self, task: "Task[None]") -> None:
        """It is at work on this, and goes on to whatever waits when that ended."""
        ...

    def free(self) -> None:
        """There was nothing for it."""
        ...


class Queue(Protocol):
    """One process's end of it."""

    def hand(self, provider_id: str) -> Hand | None:
        """A free hand, so that nobody has to be called; None where none is, or where calls alone know of them."""
        ...

    async def call(self, provider_id: str, count: int = 1) -> None:
        """So many more wait for this provider: free hands, wherever they are, go and look.

        To be called after their rows are committed. Raises nothing: a call that is lost is made again by recovery.
        """
        ...

    async def serve(self, work: Work) -> None:
        """Answer calls until `stop`, with the hands this process has; a hand is one `work`."""
        ...

    async def stop(self) -> None:
        """Answer no more calls; work under way goes on."""
        ...

    async def fleet(self) -> Fleet:
        """Who lives, this process included. OSError where that cannot be known now."""
        ...

    async def close(self) -> None: ...


class Watching(Protocol):
    """The events of some generations, from the moment it was opened."""

    def __aiter__(self) -> AsyncIterator[Event]: ...

    async def next(self, timeout_seconds: float) -> Event | None:
        """None when nothing happened in time, or when somebody said `wake`; a long wait may end a moment early."""
        ...

    def wake(self) -> None: ...


class Events(Protocol):
    def publish(self, event: Event) -> None: ...

    def watch(self, generation_ids: Sequence[str]) -> AbstractContextManager[Watching]: ...

    def latest(self, generation_id: str) -> Event | None:
        """The last event of a generation that has not ended."""
        ...

    async def close(self) -> None: ...
