"""Colours and the ways to mix them so that the mixture stays clean (OKLab, not raw RGB)."""

import math
from collections.abc import Sequence
from functools import lru_cache

RGB = tuple[int, int, int]
Lab = tuple[float, float, float]

WHITE: RGB = (255, 255, 255)
BLACK: RGB = (0, 0, 0)


def rgb(code: str) -> RGB:
    """The colour of `e4572e`."""
    return int(code[0:2], 16), int(code[2:4], 16), int(code[4:6], 16)


@lru_cache(maxsize=4096)
def mix(one: RGB, other: RGB, share: float) -> RGB:
    """`one` with `share` (0..1) of `other` in it."""
    a, b = _lab(one), _lab(other)
    return _rgb((a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share))


def lightness(colour: RGB) -> float:
    """How light it looks, 0..1."""
    return _lab(colour)[0]


def chroma(colour: RGB) -> float:
    """How coloured it is: 0 for grey, about 0.3 for the loudest."""
    _, a, b = _lab(colour)
    return math.hypot(a, b)


@lru_cache(maxsize=4096)
def lit(colour: RGB, to: float) -> RGB:
    """The same hue at another lightness."""
    _, a, b = _lab(colour)
    return _rgb((to, a, b))


def lighter(colour: RGB, by: float) -> RGB:
    return lit(colour, min(0.98, lightness(colour) + by))


def darker(colour: RGB, by: float) -> RGB:
    return lit(colour, max(0.05, lightness(colour) - by))


def muted(colour: RGB, keep: float) -> RGB:
    """The same lightness with only `keep` of its colour (more than 1 makes it louder)."""
    light, a, b = _lab(colour)
    return _rgb((light, a * keep, b * keep))


def turned(colour: RGB, degrees: float) -> RGB:
    """The same lightness and strength at another hue."""
    light, a, b = _lab(colour)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return _rgb((light, a * cos - b * sin, a * sin + b * cos))


def distance(one: RGB, other: RGB) -> float:
    """How different two colours look (0.1 is clearly different)."""
    return math.dist(_lab(one), _lab(other))


@lru_cache(maxsize=512)
def ramp(stops: tuple[RGB, ...], count: int = 64) -> tuple[RGB, ...]:
    """`count` colours that run evenly through all the stops."""
    if len(stops) == 1:
        return stops * count
    return tuple(_between(stops, index / (count - 1) * (len(stops) - 1)) for index in range(count))


def table(stops: Sequence[RGB]) -> list[int]:
    """A 256-colour palette that runs through the stops, flat as Pillow takes it."""
    return [channel for colour in ramp(tuple(stops), 256) for channel in colour]


def _between(stops: Sequence[RGB], at: float) -> RGB:
    index = min(int(at), len(stops) - 2)
    return mix(stops[index], stops[index + 1], at - index)


@lru_cache(maxsize=4096)
def _lab(colour: RGB) -> Lab:
    r, g, b = (_linear(channel / 255) for channel in colour)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _rgb(lab: Lab) -> RGB:
    light, a, b = lab
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        _byte(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _byte(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _byte(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _byte(value: float) -> int:
    clipped = min(max(value, 0.0), 1.0)
    curved = clipped * 12.92 if clipped <= 0.0031308 else 1.055 * clipped ** (1 / 2.4) - 0.055
    return round(curved * 255)
