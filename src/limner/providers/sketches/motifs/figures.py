"""Painting motifs: parsing their shapes once, colouring the roles, laying them on a canvas."""

from dataclasses import dataclass
from functools import lru_cache

from limner.providers.sketches.canvas import Canvas
from limner.providers.sketches.colour import RGB, chroma, darker, distance, lighter, lightness, lit, mix, rgb
from limner.providers.sketches.curves import Point, circle, curve, outline
from limner.providers.sketches.motifs.animals import ANIMALS
from limner.providers.sketches.motifs.things import THINGS
from limner.providers.sketches.palette import Palette

FIGURES = ANIMALS | THINGS
_INK, _CHALK = (28, 26, 32), (236, 230, 218)
_NATURAL: dict[str, RGB] = {
    name: rgb(code)
    for code, names in {
        "3f7d4f": "tree pine leaf cactus turtle",
        "e0702a": "fox",
        "7d5236": "bear owl",
        "8796a6": "elephant",
        "2f6690": "whale",
        "2b3440": "penguin",
        "f4b83a": "sun star crown bulb bee",
        "f3dc9a": "moon",
        "d2382f": "mushroom heart",
        "5f6f86": "mountain",
        "a8572e": "guitar",
        "a39a94": "castle",
        "c94a3b": "lighthouse rocket",
        "d98a5b": "cat",
        "b9855a": "dog",
        "b9a48f": "rabbit",
    }.items()
    for name in names.split()
}
"""What colour a thing is when nobody says."""


@dataclass(frozen=True, slots=True)
class _Shape:
    role: str
    points: tuple[Point, ...]
    width: float = 0.0
    """Above 0 it is a line, else a filled outline."""


def figure(
    canvas: Canvas,
    name: str,
    foot: Point,
    size: float,
    colours: dict[str, RGB],
    *,
    flip: bool = False,
    veil: float = 0.0,
) -> None:
    """Paint a motif standing on `foot`, `size` tall; `veil` (0..1) sinks it in the air of `colours["air"]`."""
    scale = size / 100
    turn = -1 if flip else 1
    for shape in _shapes(name):
        points = [(foot[0] + (x - 50) * scale * turn, foot[1] + (y - 100) * scale) for x, y in shape.points]
        colour = mix(colours[shape.role], colours["air"], veil) if veil else colours[shape.role]
        if shape.width:
            canvas.line(points, shape.width * scale, colour)
        else:
            canvas.polygon(points, colour)


def natural(name: str, palette: Palette, ground: RGB, turn: int = 0) -> RGB:
    """A colour for a motif nobody coloured: its own, or an accent that stands out from the ground."""
    usual = _NATURAL.get(name)
    if usual and distance(usual, ground) > 0.2:
        return mix(usual, palette.accent(0), 0.12)
    loud = [accent for accent in palette.accents if distance(accent, ground) > 0.2] or [palette.ink]
    return loud[turn % len(loud)]


def dressed(palette: Palette, main: RGB, ground: RGB) -> dict[str, RGB]:
    """The colour of every role, for a motif of `main` colour before `ground`."""
    others = [accent for accent in palette.accents if distance(accent, main) > 0.14 and chroma(accent) > 0.05]
    accent = others[0] if others else lighter(main, 0.2)
    second = others[1] if len(others) > 1 else darker(accent, 0.15)
    green = mix((74, 124, 78), palette.near, 0.25)
    return {
        "body": main,
        "dark": darker(main, 0.1),
        "deep": darker(main, 0.2),
        "light": lighter(main, 0.1),
        "pale": mix(main, (252, 246, 236), 0.72),
        "white": (252, 249, 242),
        "ink": _INK if lightness(main) > 0.36 else _CHALK,
        "line": _INK if lightness(ground) > 0.45 else _CHALK,
        "beak": (240, 160, 52),
        "navy": (34, 44, 74),
        "accent": accent,
        "accent2": second,
        "shade": mix(ground, (40, 34, 44), 0.22),
        "wood": mix((122, 82, 54), palette.near, 0.2),
        "trunk": mix((96, 68, 50), palette.near, 0.35),
        "stem": green,
        "leaf": lit(green, 0.55),
        "glass": mix((150, 196, 214), palette.horizon, 0.35),
        "glow": (255, 214, 120),
        "ground": ground,
        "air": palette.horizon,
    }


@lru_cache(maxsize=64)
def _shapes(name: str) -> tuple[_Shape, ...]:
    shapes: list[_Shape] = []
    for line in FIGURES[name].strip().splitlines():
        role, kind, numbers = line.strip().split(" ", 2)
        shape = _shape(role.rstrip("*"), kind, numbers)
        shapes.append(shape)
        if role.endswith("*"):
            mirrored = tuple((100 - x, y) for x, y in shape.points)
            shapes.append(_Shape(shape.role, mirrored, shape.width))
    return tuple(shapes)


def _shape(role: str, kind: str, numbers: str) -> _Shape:
    if kind == "p":
        return _Shape(role, tuple(outline(numbers)))
    values = [float(number) for number in numbers.split()]
    if kind == "o":
        return _Shape(role, tuple(circle(*values[:4])))
    if kind == "r":
        return _Shape(role, (*(loop := circle(*values[:3])), loop[0]), values[3])
    width, *rest = values
    return _Shape(role, tuple(curve(list(zip(rest[::2], rest[1::2], strict=True)), steps=16)), width)
