"""Bold figures as the subject: one thing (or a few) in a designed setting, and patterns made of things."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Canvas
from limner.providers.sketches.cast import own_colour
from limner.providers.sketches.colour import RGB, distance, lighter, mix
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.motifs.figures import FIGURES, dressed, figure
from limner.providers.sketches.scenes.backdrops import arch, disc, hills, orbit, petal, rays
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
    level = places[0].foot == places[-1].foot
    if not board.clear:
        backdrop = _setting(dice, things, level=level)
        backdrop(board, dice, ground, max(place.foot for place in places))
    yield
    for number, (thing, place) in enumerate(zip(things, places, strict=True)):
        main = own_colour(board, thing, ground, number)
        colours = dressed(board.palette, main, ground)
        if not board.clear and level and thing.name not in FLOATING | SWIMMING:
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
    stock: dict[tuple[str, RGB, bool], Image.Image] = {}
    rows, columns = math.ceil(board.height / step) + 1, math.ceil(board.width / step) + 2
    for row in range(rows):
        for column in range(columns):
            number = row * 2 + column
            thing, flip = things[number % len(things)], bool(row % 2)
            main = own_colour(board, thing, ground, number)
            if (thing.name, main, flip) not in stock:
                stock[thing.name, main, flip] = _printed(board, thing.name, main, ground, step, flip=flip)
            x = column * step - (step / 2 if flip else 0)
            board.canvas.paste(stock[thing.name, main, flip], x - step * 0.5, row * step - step * 0.5)
            _speck(board, dice, number, x + step / 2, row * step, ground, step)
        if row == rows // 2:
            yield


def _printed(board: Board, name: str, main: RGB, ground: RGB, step: float, *, flip: bool) -> Image.Image:
    """One figure of a repeat, on a clear square of its own."""
    side = max(2, math.ceil(step))
    square = Canvas(side, side, clear=True)
    figure(square, name, (side / 2, side * 0.88), side * 0.76, dressed(board.palette, main, ground), flip=flip)
    return square.finished()


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


def _setting(dice: Dice, things: Sequence[Thing], *, level: bool) -> Callable[[Board, Dice, RGB, float], None]:
    if things[0].name in SWIMMING:
        return disc
    if things[0].name in FLOATING or not level:
        return dice.pick((disc, rays, orbit))
    return dice.pick((disc, arch, hills, rays))


def _places(board: Board, count: int) -> list[_Place]:
    """Where each figure stands: in as many rows as let them be largest."""
    rows = max(range(1, count + 1), key=lambda rows: _size(board, count, rows) * (1.4 if rows == 1 else 1))
    size = _size(board, count, rows)
    places: list[_Place] = []
    for row in range(rows):
        inside = count // rows + (row < count % rows)
        foot = board.height / 2 + (row - (rows - 1) / 2) * size * 1.2 + size * (0.56 if rows == 1 else 0.5)
        step = min(board.width / (inside + 0.3), size * 1.5)
        start = board.width / 2 - step * (inside - 1) / 2
        places.extend(_Place(start + step * number, min(foot, board.height * 0.93), size) for number in range(inside))
    return places


def _size(board: Board, count: int, rows: int) -> float:
    most = -(-count // rows)
    return min(board.width / (most + 0.3) * 0.9, board.height / rows * (0.66 if rows == 1 else 0.8), board.unit * 0.62)


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
        colour = mix(mix(palette.water, palette.accent(1), 0.4), (52, 112, 150), 0.4)
        canvas.ground(line, board.height, mix(lighter(colour, 0.16 - 0.07 * number), ground, 0.25 - 0.1 * number))


def _speck(board: Board, dice: Dice, number: int, x: float, y: float, ground: RGB, step: float) -> None:
    """A small ornament in the gaps of a repeat."""
    loud = [accent for accent in board.palette.accents if distance(accent, ground) > 0.15]
    colour = loud[number % len(loud)] if loud else board.palette.ink
    if number % 2:
        board.canvas.circle(x, y, step * 0.035, colour)
    else:
        for turn in range(4):
            board.canvas.polygon(petal(x, y, turn * math.pi / 2, step * 0.09, step * 0.02), colour)
