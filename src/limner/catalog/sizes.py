"""A size asked for in pixels, in the words of a model: one of its named sizes, a free one, or a refusal."""

from dataclasses import replace
from math import gcd

from limner.catalog.models import Model, Options

TIERS = (("1K", 2_000_000), ("2K", 7_000_000), ("4K", 40_000_000))
"""The resolution a number of pixels counts as, for what it costs."""


def in_words_of(model: Model, options: Options) -> Options | None:
    """The options with ratio and resolution for `size_px`; None when the model cannot make that size.

    `size_px` stays only where it is the model's free choice; a named size says it by name.
    """
    assert options.size_px is not None
    if (named := _named(model, options.size_px)) is not None:
        return replace(options, aspect_ratio=named[0], resolution=named[1], size_px=None)
    if model.free_sizes is not None and model.free_sizes.allow(options.size_px):
        return replace(options, aspect_ratio=None, resolution=_tier(options.size_px))
    ratio = _ratio(options.size_px)
    if not model.sizes and ratio in _values(model, "aspectRatio"):
        tier = _tier(options.size_px)
        return replace(
            options, aspect_ratio=ratio, resolution=tier if tier in _values(model, "resolution") else None, size_px=None
        )
    return None


def allowed(model: Model) -> list[str]:
    """What can be asked for, as `WIDTHxHEIGHT`."""
    return [f"{width}x{height}" for sizes in model.sizes.values() for width, height in sizes.values()]


def _named(model: Model, size_px: tuple[int, int]) -> tuple[str, str] | None:
    for ratio, sizes in model.sizes.items():
        for resolution, size in sizes.items():
            if tuple(size) == size_px:
                return ratio, resolution
    return None


def _tier(size_px: tuple[int, int]) -> str:
    pixels = size_px[0] * size_px[1]
    return next((name for name, most in TIERS if pixels <= most), "4K")


def _ratio(size_px: tuple[int, int]) -> str:
    divisor = gcd(*size_px)
    return f"{size_px[0] // divisor}:{size_px[1] // divisor}"


def _values(model: Model, name: str) -> tuple[str, ...]:
    return getattr(model.parameters.get(name), "values", ())
