"""Irregularity: noise fields, ridge lines, film grain."""

from functools import lru_cache

from PIL import Image, ImageChops

from limner.providers.sketches.curves import Point
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.pixels import SMOOTH, mapped, resized, strips

_GRAIN = 128


def field(
    dice: Dice, size: tuple[int, int] = (256, 256), *, coarse: int = 4, octaves: int = 5, gain: float = 0.5
) -> Image.Image:
    """A grey cloud of noise from black to white; `coarse` is how many lumps fit along the short side."""
    short = min(size)
    total: Image.Image | None = None
    weight, share = 0.0, 1.0
    for octave in range(octaves):
        cell = coarse * 2**octave
        if cell > short:
            break
        grid = (max(2, round(cell * size[0] / short)), max(2, round(cell * size[1] / short)))
        layer = resized(Image.frombytes("L", grid, dice.bytes(grid[0] * grid[1])), size, SMOOTH)
        weight += share
        total = layer if total is None else Image.blend(total, layer, share / weight)
        share *= gain
    assert total is not None
    return stretched(total)


def stretched(grey: Image.Image, *, cut: float = 0.01) -> Image.Image:
    """The same field using the whole range, with `cut` of the pixels clipped at either end."""
    counts, total = grey.histogram(), grey.width * grey.height
    low, high, seen = 0, 255, 0
    for level, count in enumerate(counts):
        seen += count
        if seen <= total * cut:
            low = level
        if seen >= total * (1 - cut):
            high = level
            break
    span = max(1, high - low)
    return mapped(grey, lambda level: (level - low) * 255 / span)


def ridge(dice: Dice, count: int, *, rough: float = 0.5, lumps: int = 3) -> list[float]:
    """Heights between -1 and 1 along a skyline, by adding ever finer random waves."""
    heights = [0.0] * (count + 1)
    strength, cells = 1.0, lumps
    while cells <= count:
        knots = [dice.between(-1, 1) for _ in range(cells + 3)]
        offset = dice.between(0, 1)
        for index in range(count + 1):
            at = index / count * cells + offset
            whole = int(at)
            part = at - whole
            part = part * part * (3 - 2 * part)
            heights[index] += strength * (knots[whole] * (1 - part) + knots[whole + 1] * part)
        strength *= rough
        cells *= 2
    peak = max(max(heights), -min(heights), 1e-6)
    return [height / peak for height in heights]


def skyline(heights: list[float], width: float, base: float, swing: float) -> list[Point]:
    """Those heights as points across the picture: `base` is the middle, `swing` the reach up and down."""
    step = width / (len(heights) - 1)
    return [(index * step, base - height * swing) for index, height in enumerate(heights)]


def grain(picture: Image.Image, strength: int) -> None:
    """Lay fine noise of up to ±`strength` levels over an RGB picture, in place.

    Strip by strip: adding pictures holds the interpreter.
    """
    bands = list(strips(picture))
    noise = Image.new("L", (picture.width, bands[0][1].height))
    tile = _noise_tile(strength)
    for left in range(0, noise.width, _GRAIN):
        for top in range(0, noise.height, _GRAIN):
            noise.paste(tile, (left, top))
    noise = noise.convert("RGB")
    for top, band in bands:
        picture.paste(ImageChops.add(band, noise.crop((0, 0, *band.size)), 1, -strength), (0, top))


@lru_cache(maxsize=16)
def _noise_tile(strength: int) -> Image.Image:
    noise = Dice("grain").bytes(_GRAIN * _GRAIN * 2)
    soft = Image.blend(
        Image.frombytes("L", (_GRAIN, _GRAIN), noise[: _GRAIN * _GRAIN]),
        Image.frombytes("L", (_GRAIN, _GRAIN), noise[_GRAIN * _GRAIN :]),
        0.5,
    )
    return mapped(soft, lambda level: level * 2 * strength / 255)
