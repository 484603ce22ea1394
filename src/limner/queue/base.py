"""What a queue of generations and a channel of events look like to the rest of the house.

The generation's row and lease are the truth; the queue only hands ids to runners, and an event only
says that something changed. Losing either loses nothing: recovery puts rows back.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

EventKind = Literal["queued", "running", "partial", "cancel", "ended"]


@dataclass(frozen=True, slots=True)
class Job:
    generation_id: str
    account_id: str
    provider_id: str


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


class Queue(Protocol):
    async def put(self, jobs: Sequence[Job]) -> None:
        """Idempotent for a job that already waits."""
        ...

    async def take(self, provider_id: str) -> Job:
        """The provider's next job, accounts in turn, so that nobody's five hundred delay another's first."""
        ...

    def place(self, generation_id: str) -> int | None:
        """How many jobs its provider begins before this one, plus one; None when it does not wait here."""
        ...

    def waiting(self) -> int: ...

    async def close(self) -> None: ...


class Watching(Protocol):
    """The events of some generations, from the moment it was opened."""

    def __aiter__(self) -> AsyncIterator[Event]: ...

    async def next(self, timeout_seconds: float) -> Event | None:
        """None when nothing happened in time."""
        ...


class Events(Protocol):
    def publish(self, event: Event) -> None: ...

    def watch(self, generation_ids: Sequence[str]) -> AbstractContextManager[Watching]: ...

    def latest(self, generation_id: str) -> Event | None:
        """The last event of a generation that has not ended."""
        ...

    async def close(self) -> None: ...
