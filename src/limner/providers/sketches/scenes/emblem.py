"""Bold figures as the subject: one thing (or a few) in a designed setting, and patterns made of things."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Gradient
from limner.providers.sketches.colour import RGB, darker, distance, lighter, mix
from limner.providers.sketches.curves import circle, curve, pie
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.motifs.figures import FIGURES, dressed, figure, natural
from limner.providers.sketches.words import Thing

FLOATING = frozenset(
    {
        "balloon",
        "butterfly",
        "rocket",
        "planet",
        "cloud",
        "sun",
        "moon",
        "star",
        "heart",
        "plane",
        "bee",
        "key",
        "leaf",
        "bulb",
        "crown",
        "owl",
    }
)
SWIMMING = frozenset({"fish", "whale", "boat"})


@dataclass(frozen=True, slots=True)
class _Place:
    x: float
    foot: float
    size: float


def emblem(board: Board) -> Iterator[None]:
    """The things of the prompt, large, before a disc, an arch, rays or hills."""
    dice = board.dice.named("emblem")
    things = _listed(board, dice)
    ground = _ground(board, dice, things)
    places = _places(board, len(things))
    if not board.clear:
        _setting(board, dice, things)(board, dice, ground, max(place.foot for place in places))
    yield
    for number, (thing, place) in enumerate(zip(things, places, strict=True)):
        main = thing.colour or natural(thing.name, board.palette, ground, number)
        colours = dressed(board.palette, main, ground)
        if not board.clear and thing.name not in FLOATING | SWIMMING:
            board.canvas.oval_shadow(
                place.x, place.foot, place.size * 0.36, place.size * 0.035, place.size * 0.02, 0.28
            )
        flip = number % 2 == 1 and len(things) > 1
        figure(board.canvas, thing.name, (place.x, place.foot), place.size, colours, flip=flip)
        yield
    if not board.clear and things[0].name in SWIMMING:
        _water(board, dice, ground, places)


def pattern(board: Board) -> Iterator[None]:
    """The things of the prompt as a repeat, in the staggered rows of printed cloth."""
    dice = board.dice.named("pattern")
    things = _listed(board, dice, single=True)
    ground = dice.pick(
        (board.palette.paper, mix(board.palette.paper, board.palette.accent(2), 0.35), board.palette.ink)
    )
    if not board.clear:
        board.canvas.cover(ground)
    step = board.unit / dice.whole(4, 5)
    yield
    rows = math.ceil(board.height / step) + 1
    for row in range(rows):
        columns = math.ceil(board.width / step) + 2
        for column in range(columns):
            number = row * 2 + column
            thing = things[number % len(things)]
            main = thing.colour or natural(thing.name, board.palette, ground, number)
            x = column * step - (step / 2 if row % 2 else 0)
            figure(
                board.canvas,
                thing.name,
                (x, row * step + step * 0.4),
                step * 0.76,
                dressed(board.palette, main, ground),
                flip=bool(row % 2),
            )
            _speck(board, dice, number, x + step / 2, row * step, ground, step)
        if row == rows // 2:
            yield


def _listed(board: Board, dice: Dice, *, single: bool = False) -> list[Thing]:
    """One entry per figure to paint, at most nine."""
    named = [thing for thing in board.things if thing.name in FIGURES]
    if not named:
        named = [Thing(dice.pick(("bird", "fox", "tulip", "boat", "cat", "balloon", "whale", "butterfly")))]
    if single:
        return named
    return [thing for thing in named for _ in range(thing.count)][:9]


def _ground(board: Board, dice: Dice, things: Sequence[Thing]) -> RGB:
    """A ground the first thing stands out from."""
    palette = board.palette
    if palette.dark:
        return mix(palette.sky[0], palette.sky[1], 0.5)
    wanted = things[0].colour
    grounds = [
        palette.paper,
        mix(palette.paper, palette.accent(2), 0.45),
        mix(palette.paper, palette.accent(1), 0.4),
        mix(palette.sky[-2], palette.paper, 0.4),
    ]
    return dice.pick([colour for colour in grounds if wanted is None or distance(colour, wanted) > 0.2] or grounds)


def _setting(board: Board, dice: Dice, things: Sequence[Thing]) -> Callable[[Board, Dice, RGB, float], None]:
    if things[0].name in SWIMMING:
        return _disc
    if things[0].name in FLOATING:
        return dice.pick((_disc, _rays, _orbit))
    return dice.pick((_disc, _arch, _hills, _rays))


def _places(board: Board, count: int) -> list[_Place]:
    """Where each figure stands: one in the middle, a few in a row, more in two rows."""
    rows = 1 if count <= 3 or board.wide else 2 if count <= 6 else 3
    places: list[_Place] = []
    for row in range(rows):
        inside = count // rows + (row < count % rows)
        cell = board.width / (inside + 0.4)
        size = min(cell * 0.86, board.height / rows * 0.66, board.unit * 0.62)
        foot = board.height / 2 + size * 0.56 if rows == 1 else board.height * (row + 0.9) / (rows + 0.1)
        if rows == 1:
            foot = min(foot, board.height * 0.9)
        start = (board.width - cell * inside) / 2 + cell / 2
        places.extend(_Place(start + cell * number, foot, size) for number in range(inside))
    return places


def _disc(board: Board, dice: Dice, ground: RGB, floor: float) -> None:
    """A great sun behind, and ornaments at both sides."""
    canvas, palette = board.canvas, board.palette
    canvas.cover(Gradient((lighter(ground, 0.02), darker(ground, 0.03))))
    colour = mix(palette.accent(2), ground, 0.35) if not palette.dark else mix(palette.light, ground, 0.25)
    cx, cy, radius = board.width / 2, board.height / 2, board.unit * 0.4
    canvas.circle(cx, cy, radius, Gradient((lighter(colour, 0.05), colour)))
    canvas.ring(cx, cy, radius * 1.09, board.unit * 0.004, colour)
    _sprays(board, dice, ground)


def _arch(board: Board, dice: Dice, ground: RGB, floor: float) -> None:
    """A doorway into another colour, with a floor."""
    canvas, palette = board.canvas, board.palette
    canvas.cover(ground)
    cx, half = board.width / 2, board.unit * 0.36
    top = floor - board.unit * 0.78
    inner = mix(palette.accent(dice.whole(0, 2)), ground, 0.45)
    for grow, colour in ((0.045, mix(inner, ground, 0.55)), (0.0, inner)):
        wide = half + board.unit * grow
        dome = [(cx + x - cx, y) for x, y in pie(cx, top + half, wide, 180, 360)[1:]]
        canvas.polygon([(cx - wide, floor), *dome, (cx + wide, floor)], Gradient((lighter(colour, 0.04), colour)))
    canvas.block(0, floor, board.width, board.height, mix(palette.accent(1), ground, 0.25 if not palette.dark else 0.6))


def _hills(board: Board, dice: Dice, ground: RGB, floor: float) -> None:
    """Three soft hills under a low sun."""
    canvas, palette = board.canvas, board.palette
    canvas.cover(Gradient((ground, lighter(mix(ground, palette.light, 0.4), 0.01))))
    sun = mix(palette.accent(2), palette.light, 0.3)
    canvas.circle(
        board.width * dice.between(0.25, 0.75), board.height * dice.between(0.26, 0.36), board.unit * 0.13, sun
    )
    greens = (mix(palette.far, ground, 0.3), mix(palette.far, palette.near, 0.45), mix(palette.near, palette.far, 0.25))
    for number, colour in enumerate(greens):
        base = floor + board.unit * (-0.19 + 0.1 * number)
        knots = [
            (board.width * (k - 0.5) / 4, base + board.unit * 0.07 * math.sin(k * 1.8 + number * 2.2)) for k in range(6)
        ]
        canvas.ground(curve(knots, steps=12), board.height, Gradient((lighter(colour, 0.03), colour)))


def _rays(board: Board, dice: Dice, ground: RGB, floor: float) -> None:
    """A sunburst in two near tones, with a plain disc in the middle."""
    canvas = board.canvas
    canvas.cover(ground)
    cx, cy, reach = board.width / 2, board.height / 2, math.hypot(board.width, board.height)
    tone = mix(ground, board.palette.accent(2), 0.28)
    count = dice.pick((14, 18, 22))
    for number in range(count):
        start = 360 / count * number
        canvas.polygon(_wedge(cx, cy, reach, start, start + 180 / count), tone)
    canvas.circle(cx, cy, board.unit * 0.39, mix(tone, board.palette.accent(2), 0.2))
    canvas.circle(cx, cy, board.unit * 0.37, lighter(ground, 0.02))


def _orbit(board: Board, dice: Dice, ground: RGB, floor: float) -> None:
    """Rings around the middle, with specks on them."""
    canvas, palette = board.canvas, board.palette
    canvas.cover(Gradient((lighter(ground, 0.02), darker(ground, 0.04))))
    cx, cy = board.width / 2, board.height / 2
    for number in range(4):
        radius = board.unit * (0.33 + 0.085 * number)
        canvas.ring(
            cx, cy, radius, board.unit * 0.003, mix(ground, palette.ink if not palette.dark else palette.paper, 0.45)
        )
        angle = dice.between(0, math.tau)
        canvas.circle(
            cx + math.cos(angle) * radius,
            cy + math.sin(angle) * radius,
            board.unit * dice.between(0.008, 0.02),
            palette.accent(number),
        )


def _wedge(cx: float, cy: float, reach: float, start: float, end: float) -> list[tuple[float, float]]:
    a, b = math.radians(start), math.radians(end)
    return [
        (cx, cy),
        (cx + math.cos(a) * reach, cy + math.sin(a) * reach),
        (cx + math.cos(b) * reach, cy + math.sin(b) * reach),
    ]


def _sprays(board: Board, dice: Dice, ground: RGB) -> None:
    """A leafy branch left and right, mirrored."""
    canvas, palette, unit = board.canvas, board.palette, board.unit
    leaf = mix(palette.accent(3), palette.near, 0.3) if not palette.dark else mix(palette.accent(0), ground, 0.4)
    bow, count = dice.between(0.44, 0.47), dice.whole(5, 7)
    cx, cy = board.width / 2, board.height / 2
    for side in (-1, 1):
        for number in range(count):
            angle = math.radians(90 - side * (28 + number * 72 / count))
            x, y = cx + math.cos(angle) * unit * bow, cy + math.sin(angle) * unit * bow
            for turn in (-0.55, 0.55):
                along = angle - side * math.pi / 2 + turn
                canvas.polygon(_petal(x, y, along, unit * 0.062, unit * 0.014), leaf)


def _petal(x: float, y: float, angle: float, long: float, wide: float) -> list[tuple[float, float]]:
    cos, sin = math.cos(angle), math.sin(angle)
    return [
        (
            x + cos * long / 2 + px * cos * long / 2 - py * sin * wide,
            y + sin * long / 2 + px * sin * long / 2 + py * cos * wide,
        )
        for px, py in circle(0, 0, 1, 1, steps=20)
    ]


def _water(board: Board, dice: Dice, ground: RGB, places: Sequence[_Place]) -> None:
    """Waves in front of whatever swims, and bubbles."""
    canvas, palette, unit = board.canvas, board.palette, board.unit
    base = max(place.foot - place.size * 0.12 for place in places)
    for number in range(3):
        y = base + unit * 0.07 * number
        phase = dice.between(0, math.tau)
        line = [
            (board.width * t / 60, y + unit * 0.014 * math.sin(phase + t * 0.75 * board.width / unit))
            for t in range(61)
        ]
        colour = mix(palette.water, palette.accent(1), 0.4)
        canvas.ground(line, board.height, mix(lighter(colour, 0.16 - 0.07 * number), ground, 0.25 - 0.1 * number))


def _speck(board: Board, dice: Dice, number: int, x: float, y: float, ground: RGB, step: float) -> None:
    """A small ornament in the gaps of a repeat."""
    loud = [accent for accent in board.palette.accents if distance(accent, ground) > 0.15]
    colour = loud[number % len(loud)] if loud else board.palette.ink
    if number % 2:
        board.canvas.circle(x, y, step * 0.035, colour)
    else:
        for turn in range(4):
            board.canvas.polygon(_petal(x, y, turn * math.pi / 2, step * 0.09, step * 0.02), colour)
