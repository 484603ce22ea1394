"""Pillow's whole-picture operations in the words of this package, typed."""

from collections.abc import Callable, Iterator, Sequence
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
    values = map(tone, range(256))
    levels = [0 if value <= 0 else 255 if value >= 255 else int(value + 0.5) for value in values]
    if grey.width * grey.height <= _STRIP_PIXELS * 4:
        return cast(Any, grey).point(levels)
    whole = Image.new("L", grey.size)
    for top, strip in strips(grey):
        whole.paste(cast(Any, strip).point(levels), (0, top))
    return whole


def strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """A large picture in bands with their tops, for operations that hold the interpreter while they run."""
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(image.height, top + rows)))


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
    whole = Image.new("RGBA", premultiplied.size)
    for top, strip in strips(premultiplied):
        whole.paste(Image.frombytes("RGBa", strip.size, strip.tobytes()).convert("RGBA"), (0, top))
    return whole
