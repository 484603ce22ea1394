"""Pillow's whole-picture operations in the words of this package, typed."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from PIL import Image

from limner.providers.sketches.colour import RGB, table

Size = tuple[int, int]
SMOOTH = Image.Resampling.BICUBIC
SOFT = Image.Resampling.BILINEAR
HARD = Image.Resampling.NEAREST
EVEN = Image.Resampling.BOX
_STRIP_PIXELS = 400_000

# Pillow's own annotations of `resize` and `point` name optional numpy types, which are unknown where numpy is
# not installed: hence the casts, here and nowhere else.


def resized(
    image: Image.Image,
    size: Size,
    how: Image.Resampling = SOFT,
    box: tuple[float, float, float, float] | None = None,
) -> Image.Image:
    """`image`, or the part of it in `box`, at another size."""
    return cast(Any, image).resize(size, how, box=box)


def mapped(grey: Image.Image, tone: Callable[[int], float]) -> Image.Image:
    """Every level 0..255 of a grey picture replaced by `tone(level)`, clipped to 0..255."""
    return cast(Any, grey).point([min(255, max(0, round(tone(level)))) for level in range(256)])


def tinted(grey: Image.Image, stops: Sequence[RGB]) -> Image.Image:
    """A grey picture with its tones replaced by the colours between `stops`, darkest first."""
    return indexed(grey, table(stops))


def indexed(grey: Image.Image, colours: Sequence[int]) -> Image.Image:
    """A grey picture with every level replaced by its own of 256 colours (flat: r, g, b, r, ...)."""
    paletted = grey.copy()
    paletted.putpalette(list(colours))
    return paletted.convert("RGB")


def straight(premultiplied: Image.Image) -> Image.Image:
    """A picture whose colours were multiplied by their alpha, as ordinary RGBA; strip by strip."""
    width, height = premultiplied.size
    whole = Image.new("RGBA", (width, height))
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = premultiplied.crop((0, top, width, min(height, top + rows)))
        whole.paste(Image.frombytes("RGBa", strip.size, strip.tobytes()).convert("RGBA"), (0, top))
    return whole
