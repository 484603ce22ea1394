"""The catalogue: which models there are, what each can do and what it costs; anything it cannot do is refused here.

Data comes from `models.toml`, an operator's file that adds to or overrides it, and what suppliers say
they offer. A model's entry is complete: no other part knows a supplier's limits.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from limner.catalog import sizes
from limner.errors import Detail, ModelUnavailable, UnknownModel, UnsupportedOption

Status = Literal["active", "deprecated", "retired"]


class BadCatalog(Exception):
    """A catalogue file cannot be used; the message is one sentence for the operator."""


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


_NOT_SHARED = {
    *(
        "aliases",
        "status",
        "shutdownAt",
        "replacedBy",
        "successorUpstreamId",
        "alsoServedBy",
        "fallbacks",
        "recommended",
    ),
}


class Catalog:
    """The models of this server. `unavailable` says per provider why it cannot be used (absent: it can)."""

    def __init__(
        self,
        models: Iterable[Model],
        *,
        unavailable: Mapping[str, str],
        default_model: str | None = None,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self.replace(models)
        self._unavailable = unavailable
        self._today = today
        self._default = default_model
        if default_model is not None:
            self.find(default_model)

    def replace(self, models: Iterable[Model]) -> None:
        """These are the models from now on: suppliers' offers change while a server runs."""
        self._models = {model.id: model for model in models}
        self._aliases = {alias: model.id for model in self._models.values() for alias in model.aliases}

    def models(self) -> Sequence[Model]:
        return tuple(self._models.values())

    def find(self, model_id: str) -> Model:
        """The entry of an id or alias; raises UnknownModel with the ids that can be used."""
        model = self._models.get(self._aliases.get(model_id, model_id))
        if model is None:
            usable = [each.id for each in self._models.values() if self.reason(each) is None]
            raise UnknownModel(
                f"There is no model '{model_id[:100]}'. Available: {', '.join(usable)}.",
                details=[Detail("modelId", "unknown model", "unknown_model")],
                extra={"allowed": usable},
            )
        return model

    @property
    def default(self) -> Model:
        """The configured default, else the recommended model of the first usable supplier, else the built-in one."""
        if self._default is not None:
            return self.find(self._default)
        usable = [model for model in self._models.values() if self.reason(model) is None and model.provider != "limner"]
        return next((model for model in usable if model.recommended), self._models["limner:sketch"])

    def reason(self, model: Model) -> str | None:
        """Why a model cannot be used now; None when it can."""
        if any(self._own_reason(route) is None for route in self._routes(model)):
            return None
        return self._own_reason(model)

    def plan(self, model: Model, options: Options, *, nearest_size: bool = False) -> Plan:
        """Check and price one picture; raises ModelUnavailable or UnsupportedOption (with the allowed values).

        With `nearest_size` a ratio the model knows a stand-in for is served by it and a warning says so.
        """
        planned = self._plan(model, options, nearest_size=nearest_size)
        return replace(planned, fallbacks=tuple(self._fallbacks(model, options, planned.credits)))

    def _fallbacks(self, model: Model, options: Options, most_credits: int) -> Iterator[Plan]:
        """What the operator allows in the model's place: able to do the same, usable now, and no dearer."""
        for model_id in model.fallbacks:
            try:
                planned = self._plan(self.find(model_id), options, nearest_size=False)
            except (UnknownModel, ModelUnavailable, UnsupportedOption):
                continue
            if planned.credits <= most_credits:
                yield planned

    def _plan(self, model: Model, options: Options, *, nearest_size: bool) -> Plan:
        route = self._route(model)
        options, warnings = _with_nearest_ratio(model, options) if nearest_size else (options, ())
        options = _with_defaults(model, options if options.size_px is None else _with_size_in_words(model, options))
        _check(model, options)
        _check(route, options)
        return Plan(
            model=model,
            route=route,
            upstream_id=self._upstream_id(route),
            options=options,
            size_px=_size(route, options),
            credits=_price(model, options),
            warnings=warnings,
        )

    def _routes(self, model: Model) -> list[Model]:
        return [model, *(self._models[other] for other in model.also_served_by if other in self._models)]

    def _route(self, model: Model) -> Model:
        for route in self._routes(model):
            if self._own_reason(route) is None:
                return route
        raise ModelUnavailable(
            f"The model {model.id} cannot be used: {self._own_reason(model)}.", extra={"replacedBy": model.replaced_by}
        )

    def _own_reason(self, model: Model) -> str | None:
        if (reason := self._unavailable.get(model.provider)) is not None:
            return reason
        if self._is_shut_down(model) and model.successor_upstream_id is None:
            instead = f"; use {model.replaced_by}" if model.replaced_by else ""
            return f"its supplier retired it{instead}"
        return None

    def _is_shut_down(self, model: Model) -> bool:
        return model.shutdown_at is not None and model.shutdown_at <= self._today()

    def _upstream_id(self, route: Model) -> str:
        if self._is_shut_down(route) and route.successor_upstream_id is not None:
            return route.successor_upstream_id
        return route.upstream_id


def load(path: Path | None, discovered: Iterable[Mapping[str, Any]] = ()) -> list[Model]:
    """The built-in entries, then discovered ones that are new, then the operator's, which win; raises BadCatalog."""
    entries = {entry["id"]: dict(entry) for entry in _read_builtin()}
    for entry in discovered:
        entries.setdefault(entry["id"], dict(entry))
    for entry in _read(path) if path else []:
        entries[entry["id"]] = {**entries.get(entry["id"], {}), **entry}
    completed: dict[str, dict[str, Any]] = {}
    for name, entry in entries.items():
        completed[name] = _completed(entry, completed)
    return [_model(entry) for entry in completed.values()]


def _read_builtin() -> list[dict[str, Any]]:
    text = resources.files("limner.catalog").joinpath("models.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["models"]


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        entries = TypeAdapter(list[dict[str, Any]]).validate_python(
            tomllib.loads(path.read_text("utf-8")).get("models", [])
        )
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as problem:
        raise BadCatalog(f"The catalogue {path} cannot be read: {str(problem).splitlines()[0]}.") from None
    for entry in entries:
        if not isinstance(entry.get("id"), str):
            raise BadCatalog(f"The catalogue {path} has an entry without an id.")
    return entries


def _completed(entry: Mapping[str, Any], above: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`like` names the entry above that says what this one leaves out, except what belongs to one model's life."""
    own = {key: value for key, value in entry.items() if key != "like"}
    if (name := entry.get("like")) is None:
        return own
    if name not in above:
        raise BadCatalog(f"The catalogue entry {entry['id']} is like '{name}', but no such entry stands above it.")
    return {key: value for key, value in above[name].items() if key not in _NOT_SHARED} | own


def _model(entry: Mapping[str, Any]) -> Model:
    try:
        return Model.model_validate(entry)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadCatalog(f"The catalogue entry {entry['id']} is wrong at {where}: {first['msg']}.") from None


def _with_size_in_words(model: Model, options: Options) -> Options:
    named = sizes.in_words_of(model, options)
    if named is None:
        assert options.size_px is not None
        width, height = options.size_px
        raise _unsupported(model, "size", f"does not make {width}x{height}", ("auto", *sizes.allowed(model)))
    return named


def _with_nearest_ratio(model: Model, options: Options) -> tuple[Options, tuple[str, ...]]:
    asked = options.aspect_ratio
    if asked is None or (nearest := model.nearest_ratios.get(asked)) is None:
        return options, ()
    warning = f"{model.name} has no exact {asked} size; the picture was made at the nearest one, {nearest}."
    return replace(options, aspect_ratio=nearest), (warning,)


def _with_defaults(model: Model, options: Options) -> Options:
    """What was left open and the model names a default for; the words that ask for nothing become None."""
    settled: dict[str, str | None] = {}
    for name, (attribute, neutral) in ENUM_OPTIONS.items():
        value = getattr(options, attribute)
        descriptor = model.parameters.get(name)
        if value is None and name in ("aspectRatio", "resolution") and (options.size_px or options.images):
            continue  # a free size says it all; an edit keeps its picture's shape
        if value is None or value == neutral:
            settled[attribute] = descriptor.default if isinstance(descriptor, EnumDescriptor) else None
    return replace(options, **settled)


def _check(model: Model, options: Options) -> None:
    for name, (attribute, _) in ENUM_OPTIONS.items():
        _check_enum(model, name, getattr(options, attribute))
    _check_seed(model, options.seed)
    _check_count(model, "references", options.references)
    _check_count(model, "images", options.images)
    if options.mask and "mask" not in model.parameters:
        raise _unsupported(model, "mask", "takes no mask", ())
    if options.background == "transparent" and options.output_format == "jpeg":
        raise _unsupported(model, "outputFormat", "cannot be transparent as jpeg", ("png", "webp"))


def _check_enum(model: Model, name: str, value: str | None) -> None:
    descriptor = model.parameters.get(name)
    allowed = descriptor.values if isinstance(descriptor, EnumDescriptor) else ()
    if value is not None and value not in allowed:
        raise _unsupported(model, name, f"does not take {name} '{value}'", allowed)


def _check_seed(model: Model, seed: int | None) -> None:
    descriptor = model.parameters.get("seed")
    if seed is not None and descriptor is None:
        raise _unsupported(model, "seed", "takes no seed", ())
    if seed is not None and isinstance(descriptor, RangeDescriptor) and not descriptor.min <= seed <= descriptor.max:
        raise _unsupported(model, "seed", f"takes a seed from {descriptor.min} to {descriptor.max}", ())


def _check_count(model: Model, name: str, count: int) -> None:
    descriptor = model.parameters.get(name)
    most = descriptor.max if isinstance(descriptor, RangeDescriptor) else 0
    if count > most:
        what = f"takes at most {most} {name}" if most else f"takes no {name}"
        raise _unsupported(model, name, what, ())


def _unsupported(model: Model, name: str, what: str, allowed: Sequence[str]) -> UnsupportedOption:
    values = f" Allowed: {', '.join(allowed)}." if allowed else ""
    return UnsupportedOption(
        f"{model.id} {what}.{values}",
        details=[Detail(name, what, "unsupported_option")],
        extra={"option": name, "allowed": list(allowed)},
    )


def _size(model: Model, options: Options) -> tuple[int, int] | None:
    """The exact pixels, where the catalogue knows them; a ratio without that resolution is refused.

    A resolution without a ratio is of a square; with neither, the supplier chooses.
    """
    if options.size_px is not None:
        return options.size_px
    by_resolution = model.sizes.get(options.aspect_ratio or ("1:1" if options.resolution else ""))
    if by_resolution is None:
        return None
    resolution = options.resolution or "1K"
    if resolution not in by_resolution:
        what = f"has no {resolution} size at {options.aspect_ratio}"
        raise _unsupported(model, "resolution", what, tuple(by_resolution))
    return by_resolution[resolution]


def _price(model: Model, options: Options) -> int:
    extra = (
        by_value.get(getattr(options, ENUM_OPTIONS[name][0]) or "", 0)
        for name, by_value in model.credits.options.items()
    )
    return model.credits.base + sum(extra)
