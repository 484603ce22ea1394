"""What one model can do and what it costs, what may be asked of it, and a request it can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Status = Literal["active", "deprecated", "retired"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class EnumDescriptor(_Entry):
    type: Literal["enum"] = "enum"
    values: tuple[str, ...]
    default: str | None = None


class RangeDescriptor(_Entry):
    type: Literal["range"] = "range"
    min: int
    max: int


class BooleanDescriptor(_Entry):
    type: Literal["boolean"] = "boolean"


Descriptor = Annotated[EnumDescriptor | RangeDescriptor | BooleanDescriptor, Field(discriminator="type")]


class Credits(_Entry):
    """Whole credits per picture: `base`, plus what each option value adds (`{"thinkingLevel": {"deep": 2}}`)."""

    base: int = Field(ge=0)
    options: Mapping[str, Mapping[str, int]] = {}


class FreeSizes(_Entry):
    """Any size will do: each side a multiple of `multiple`, from `least` to `most` pixels, no longer than `max_ratio` times the other."""

    multiple: int = 1
    least: int
    most: int
    max_ratio: float

    def allow(self, size_px: tuple[int, int]) -> bool:
        short, long = sorted(size_px)
        fits = self.least <= short and long <= self.most and long <= short * self.max_ratio
        return fits and short % self.multiple == 0 and long % self.multiple == 0


class Model(_Entry):
    """One entry of the catalogue (docs/providers.md explains each key)."""

    id: str
    provider: str
    upstream_id: str
    name: str
    description: str = ""
    aliases: tuple[str, ...] = ()
    status: Status = "active"
    shutdown_at: date | None = None
    replaced_by: str | None = None
    successor_upstream_id: str | None = None
    also_served_by: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    credits: Credits
    parameters: Mapping[str, Descriptor] = {}
    sizes: Mapping[str, Mapping[str, tuple[int, int]]] = {}
    free_sizes: FreeSizes | None = None
    nearest_ratios: Mapping[str, str] = {}
    options: Mapping[str, Any] = {}
    recommended: bool = False
    expected_seconds: float = 30.0
    timeout_seconds: float = 600.0
    cost_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked of a model besides its prompt; None means the model's own default."""

    aspect_ratio: str | None = None
    resolution: str | None = None
    quality: str | None = None
    thinking_level: str | None = None
    background: str | None = None
    output_format: str | None = None
    seed: int | None = None
    size_px: tuple[int, int] | None = None
    references: int = 0
    images: int = 0
    mask: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A request the model can do: by which route, at which exact size, for how many credits a picture."""

    model: Model
    route: Model
    upstream_id: str
    options: Options
    size_px: tuple[int, int] | None
    credits: int
    warnings: tuple[str, ...] = ()
    fallbacks: "tuple[Plan, ...]" = ()


# The option names of the wire, and where each stands in Options. What is asked with the value on the
# right asks for nothing, so every model takes it.
ENUM_OPTIONS: Mapping[str, tuple[str, str | None]] = {
    "aspectRatio": ("aspect_ratio", None),
    "resolution": ("resolution", None),
    "quality": ("quality", None),
    "thinkingLevel": ("thinking_level", "default"),
    "background": ("background", "auto"),
    "outputFormat": ("output_format", None),
}
