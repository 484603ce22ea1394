"""How long a tool call waits, and what it says meanwhile."""

import time

from limner.errors import NotFound
from limner.images.beginning import Started
from limner.images.generations import Generation
from limner.images.service import Images
from limner.mcp_server.clients import SILENT_PATIENCE_SECONDS
from limner.mcp_server.tools import ToolCall
from limner.queue.base import Event

PROGRESS_SECONDS = 10.0
"""At least every this often, so that no client's timer runs out."""


def patience_seconds(call: ToolCall, asked: int | None) -> int:
    """What was asked for; else as long as this client listens."""
    if asked is not None:
        return asked
    return call.profile.patience_seconds if call.wants_progress else SILENT_PATIENCE_SECONDS


class Waits:
    """Waiting for pictures while the client hears how it goes."""

    def __init__(self, images: Images, progress_seconds: float = PROGRESS_SECONDS) -> None:
        self._images = images
        self._progress_seconds = progress_seconds

    async def for_call(self, call: ToolCall, started: Started, seconds: float) -> list[Generation]:
        """At least one generation, ended or as it stands when the wait is over; NotFound if all were deleted.

        The first progress comes at once and names the id, so that the handle is never lost.
        """
        report = Progress(call, self._images, started.generation_ids[0], self._progress_seconds)
        with call.waiting.cancellable(call.name) as cancelling:
            rows = await self._images.wait(
                started, seconds, report, tick_seconds=self._progress_seconds, delivers=False
            )
            if all(row.has_ended for row in rows):
                call.outcomes.append(started)
        if cancelling.cancelled_caught:
            rows = await self._images.standing(started)
        if not rows:
            raise NotFound("The picture was deleted.")
        return rows

    async def for_one(self, call: ToolCall, generation_id: str, seconds: float) -> Generation:
        """An own picture, when it has ended or the time is over; delivers it."""
        report = Progress(call, self._images, generation_id, self._progress_seconds) if seconds else None
        with call.waiting.cancellable(call.name):
            return await self._images.get_when_ended(
                call.principal, generation_id, seconds, report, tick_seconds=self._progress_seconds
            )
        return await self._images.get(call.principal, generation_id)


class Progress:
    """Tells the client how a generation goes: strictly increasing, the phase and the elapsed seconds in words."""

    def __init__(self, call: ToolCall, images: Images, generation_id: str, progress_seconds: float) -> None:
        self._call = call
        self._images = images
        self._generation_id = generation_id
        self._progress_seconds = progress_seconds
        self._began = time.monotonic()
        self._last = -1.0

    async def __call__(self, event: Event | None) -> None:
        """News are told at once; what is none only when it was silent for long."""
        elapsed = time.monotonic() - self._began
        is_news = event is not None and event.kind in ("queued", "running")
        if event is not None and not is_news and elapsed - self._last < self._progress_seconds:
            return
        state = event if is_news else await self._images.state(self._generation_id)
        self._last = max(self._last + 0.001, round(elapsed, 3))
        await self._call.report(self._last, None, describe(self._generation_id, state, elapsed))


def describe(generation_id: str, state: Event | None, elapsed_seconds: float) -> str:
    return f"{generation_id}: {phase(state)}, {elapsed_seconds:.0f} s"


def phase(state: Event | None) -> str:
    if state is None:
        return "rendering"
    if state.kind == "queued":
        return f"queued, place {state.place}" if state.place else "queued"
    done = f" {state.fraction:.0%}" if state.fraction is not None else ""
    return f"{state.phase or 'rendering'}{done}"
