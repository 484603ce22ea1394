"""What every supplier of pictures looks like to the rest of the house."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class InputImage:
    """A picture handed to a model: already checked, decoded once, bytes untouched."""

    data: bytes
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """One picture to make, already checked against the catalogue: the model can do all of it.

    `prompt` has the style appended. `size_px` is (width, height) where the catalogue knows the exact
    size; suppliers that take ratio and resolution by name read those instead. `options` are
    supplier-specific fields of the catalogue entry that go on the wire as they are.
    """

    generation_id: str
    model: str
    prompt: str
    operation: Literal["generate", "edit"] = "generate"
    aspect_ratio: str | None = None
    resolution: str | None = None
    size_px: tuple[int, int] | None = None
    quality: str | None = None
    thinking_level: str | None = None
    background: str | None = None
    output_format: str | None = None
    seed: int | None = None
    images: tuple[InputImage, ...] = ()
    mask: InputImage | None = None
    partial_images: int = 0
    timeout_seconds: float = 600.0
    safety_identifier: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class ProviderImage:
    """The picture as the supplier sent it, bytes untouched, and what the supplier said about it.

    `seed` is the one it was made with, where the supplier tells."""

    data: bytes
    served_by: str
    request_id: str | None = None
    cost_usd: Decimal | None = None
    seed: int | None = None
    usage: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Watch(Protocol):
    """What a supplier may tell while it works; the runner listens."""

    async def submitted(self, handle: str) -> None:
        """The supplier took the order under `handle`; it is stored so that another process can resume it."""
        ...

    async def progress(self, fraction: float | None, message: str) -> None:
        """How far the work is (0..1, or None where nobody knows)."""
        ...

    async def partial(self, data: bytes, media_type: str) -> None:
        """A preview of the unfinished picture."""
        ...


class Provider(Protocol):
    """A supplier of pictures.

    `generate` and `resume` raise only `ServiceError`s (`errors`): ModerationBlocked, NoImage,
    UpstreamUnavailable, UpstreamRateLimited, UpstreamTimeout, ModelUnavailable, InvalidRequest.
    One that certainly was not billed is wrapped in `Unbilled`: only that the runner may send again.
    """

    name: str
    safe_to_repeat: bool
    """True where running the same request twice costs nobody anything."""

    cancellable: bool
    """True where cancelling `generate` stops the work without a bill."""

    async def generate(self, request: ImageRequest, watch: Watch) -> ProviderImage: ...

    async def resume(self, request: ImageRequest, handle: str, watch: Watch) -> ProviderImage:
        """Take up an order that another process submitted; `UpstreamTimeout` where there are no handles."""
        ...

    async def discover(self) -> Sequence[Mapping[str, Any]]:
        """Catalogue entries (the keys of models.toml) this supplier offers itself; mostly none."""
        ...

    async def close(self) -> None: ...


class Unbilled(Exception):
    """The supplier certainly did no billable work, so the same request may be sent again.

    `error` is what the user sees when no attempt is left; `delay_seconds` is the pause the supplier asked for.
    """

    def __init__(self, error: Exception, *, delay_seconds: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.delay_seconds = delay_seconds
