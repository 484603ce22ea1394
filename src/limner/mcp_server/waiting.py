"""How long a tool call waits, and what it says meanwhile."""

import time
from collections.abc import Awaitable, Callable

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


async def wait(images: Images, call: ToolCall, started: Started, seconds: float) -> list[Generation]:
    """Wait and report: the first progress at once, naming the id, so that the handle is never lost."""
    report = Progress(call, images, started.generation_ids[0])
    await report(None)
    return await images.wait(started, seconds, report, tick_seconds=PROGRESS_SECONDS)


class Progress:
    """Tells the client how a generation goes: strictly increasing, the phase and the elapsed seconds in words."""

    def __init__(self, call: ToolCall, images: Images, generation_id: str) -> None:
        self._call = call
        self._images = images
        self._generation_id = generation_id
        self._began = time.monotonic()
        self._last = -1.0

    async def __call__(self, event: Event | None) -> None:
        if event is not None and event.kind not in ("queued", "running"):
            return
        state = self._images.state(self._generation_id) if event is None else event
        elapsed = time.monotonic() - self._began
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


Reporter = Callable[[Event | None], Awaitable[None]]
