"""What may be asked of a picture besides its prompt; what a model cannot do, the server refuses."""

from collections.abc import Sequence
from typing import Literal, TypedDict


class Options(TypedDict, total=False):
    model_id: str | None
    aspect_ratio: str | None
    resolution: Literal["1K", "2K", "4K"] | None
    quality: Literal["draft", "standard", "high"] | None
    style: str | None
    thinking_level: Literal["default", "deep"] | None
    background: Literal["auto", "opaque", "transparent"] | None
    output_format: Literal["png", "jpeg", "webp"] | None
    seed: int | None
    references: Sequence[str] | None
    mask: str | None
