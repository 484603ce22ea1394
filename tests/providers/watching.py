"""A runner's ear for the tests: notes what a provider tells it."""

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Listening:
    handles: list[str] = field(default_factory=list)
    steps: list[tuple[float | None, str]] = field(default_factory=list)
    partials: list[tuple[bytes, str]] = field(default_factory=list)
    _stepped: asyncio.Event = field(default_factory=asyncio.Event)

    async def submitted(self, handle: str) -> None:
        self.handles.append(handle)

    async def progress(self, fraction: float | None, message: str) -> None:
        self.steps.append((fraction, message))
        self._stepped.set()

    async def partial(self, data: bytes, media_type: str) -> None:
        self.partials.append((data, media_type))

    async def next_step(self) -> None:
        """Until the provider tells of progress again."""
        self._stepped.clear()
        await asyncio.wait_for(self._stepped.wait(), 60)
