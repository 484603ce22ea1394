"""What a model makes of a request: its defaults, exact size and price; what it cannot do is refused with what it can."""

from collections.abc import Sequence
from dataclasses import replace

from limner.catalog import sizes
from limner.catalog.models import ENUM_OPTIONS, EnumDescriptor, Model, Options, RangeDescriptor
from limner.errors import Detail, UnsupportedOption


def with_nearest_ratio(model: Model, options: Options) -> tuple[Options, tuple[str, ...]]:
    """A ratio the model knows a stand-in for becomes that, and a warning says so."""
    asked = options.aspect_ratio
    if asked is None or (nearest := model.nearest_ratios.get(asked)) is None:
        return options, ()
    warning = f"{model.name} has no exact {asked} size; the picture was made at the nearest one, {nearest}."
    return replace(options, aspect_ratio=nearest), (warning,)


def with_size_in_words(model: Model, options: Options) -> Options:
    """A size in pixels becomes ratio and resolution; raises UnsupportedOption for one the model does not make."""
    named = sizes.in_words_of(model, options)
    if named is None:
        assert options.size_px is not None
        width, height = options.size_px
        raise _unsupported(model, "size", f"does not make {width}x{height}", ("auto", *sizes.allowed(model)))
    return named


def with_defaults(model: Model, options: Options) -> Options:
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


def check(model: Model, options: Options) -> None:
    """Raises UnsupportedOption, with the allowed values, for the first thing the model cannot do."""
    for name, (attribute, _) in ENUM_OPTIONS.items():
        _check_enum(model, name, getattr(options, attribute))
    _check_seed(model, options.seed)
    _check_count(model, "references", options.references)
    _check_count(model, "images", options.images)
    if options.mask and "mask" not in model.parameters:
        raise _unsupported(model, "mask", "takes no mask", ())
    if options.background == "transparent" and options.output_format == "jpeg":
        raise _unsupported(model, "outputFormat", "cannot be transparent as jpeg", ("png", "webp"))


def exact_size(model: Model, options: Options) -> tuple[int, int] | None:
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


def price(model: Model, options: Options) -> int:
    """Whole credits for one picture."""
    extra = (
        by_value.get(getattr(options, ENUM_OPTIONS[name][0]) or "", 0)
        for name, by_value in model.credits.options.items()
    )
    return model.credits.base + sum(extra)


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
