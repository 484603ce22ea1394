"""A runner's ear for the tests: notes what a provider tells it."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Listening:
    handles: list[str] = field(default_factory=list)
    steps: list[tuple[float | None, str]] = field(default_factory=list)
    partials: list[tuple[bytes, str]] = field(default_factory=list)

    async def submitted(self, handle: str) -> None:
        self.handles.append(handle)

    async def progress(self, fraction: float | None, message: str) -> None:
        self.steps.append((fraction, message))

    async def partial(self, data: bytes, media_type: str) -> None:
        self.partials.append((data, media_type))
