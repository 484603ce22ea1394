"""Placing the prompt's things in a landscape: boats on water, houses on land, balloons in the air."""

from limner.providers.sketches.board import Board
from limner.providers.sketches.colour import RGB, mix
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.motifs.figures import FIGURES, dressed, figure, natural
from limner.providers.sketches.words import Thing

SCENERY = frozenset({"sun", "moon", "star", "mountain", "cloud", "pine", "leaf", "heart", "key", "crown"})
"""Things a landscape shows by itself, or that do not stand about in one."""
_AIR = frozenset({"balloon", "butterfly", "rocket", "planet", "plane", "bee", "bird", "sun", "moon", "star", "cloud"})
_WATER = frozenset({"boat", "whale", "fish", "turtle"})
_TALL = {
    "house": 0.2, "lighthouse": 0.36, "castle": 0.34, "windmill": 0.34, "tree": 0.34, "boat": 0.2, "whale": 0.22,
    "balloon": 0.22, "rocket": 0.26, "planet": 0.2, "plane": 0.15, "bird": 0.11, "butterfly": 0.12, "bee": 0.1,
    "elephant": 0.3, "bear": 0.3, "car": 0.18, "bicycle": 0.2, "mushroom": 0.18, "flower": 0.24, "tulip": 0.22,
}  # fmt: skip
"""Heights as shares of the picture's short side; everything else is a third."""
_DRAUGHT = {"whale": 0.3, "fish": 0.4, "turtle": 0.25}
"""How deep in the water a thing lies, in its own heights."""


def cast(board: Board, *, ground: float, water: float | None = None, without: frozenset[str] = SCENERY) -> None:
    """Place what the prompt names: on the ground at that share of the height, on the water, or in the air.

    `without` are things the picture shows by itself.
    """
    dice = board.dice.named("cast")
    actors = [thing for thing in board.things if thing.name in FIGURES and thing.name not in without][:3]
    spots = dice.shuffled([0.3, 0.5, 0.7]) if len(actors) > 1 else [dice.pick((0.34, 0.5, 0.64))]
    for number, thing in enumerate(actors):
        for copy in range(min(thing.count, 7)):
            _place(board, dice.named(f"{thing.name} {copy}"), thing, spots[number], copy, ground, water)


def own_colour(board: Board, thing: Thing, ground: RGB, turn: int = 0) -> RGB:
    """The colour a thing was given, else the season's, else its natural one."""
    if thing.colour:
        return thing.colour
    if "autumn" in board.reading.moods and thing.name in ("tree", "leaf"):
        return mix((206, 98, 38), board.palette.accent(turn), 0.25)
    return natural(thing.name, board.palette, ground, turn)


def _place(board: Board, dice: Dice, thing: Thing, spot: float, copy: int, ground: float, water: float | None) -> None:
    shrink = (1 - 0.1 * copy) * (0.8 if thing.count > 2 else 1)
    size = board.unit * _TALL.get(thing.name, 0.33) * dice.between(0.9, 1.1) * shrink
    shift = (0, 0.17, -0.17, 0.31, -0.31, 0.08, -0.08)[copy] * board.width
    x = min(max(board.width * spot + shift, size * 0.5), board.width - size * 0.5)
    foot = _foot(board, dice, thing, copy, size, ground, water)
    palette = board.palette
    main = own_colour(board, thing, palette.horizon, copy)
    if palette.night:
        main = mix(main, palette.near, 0.3)
    colours = dressed(palette, main, palette.horizon)
    if thing.name not in _AIR | _WATER and not board.clear:
        board.canvas.oval_shadow(x, foot, size * 0.34, size * 0.035, size * 0.03, 0.35)
    floats = water is not None and thing.name in _WATER and not board.clear
    line = foot - size * _DRAUGHT.get(thing.name, 0.03)
    below = _box(board, x - size, line, x + size, foot + size * 0.1) if floats else None
    sea = board.canvas.image.crop(below) if below else None
    figure(board.canvas, thing.name, (x, foot), size, colours, flip=dice.chance(0.5), veil=0.06)
    if below and sea:
        board.canvas.image.paste(sea, below)
        _mirror(board, dice, x, line, size, main)


def _box(board: Board, x0: float, y0: float, x1: float, y1: float) -> tuple[int, int, int, int]:
    return max(0, round(x0)), max(0, round(y0)), min(board.width, round(x1)), min(board.height, round(y1))


def _foot(board: Board, dice: Dice, thing: Thing, copy: int, size: float, ground: float, water: float | None) -> float:
    if thing.name in _AIR:
        return board.height * dice.between(0.2, 0.42) + size * 0.6
    if thing.name in _WATER and water is not None:
        return board.height * water + size * (0.12 + 0.16 * (copy % 3))
    return board.height * min(0.97, ground + 0.012 * (copy % 3))


def _mirror(board: Board, dice: Dice, x: float, line: float, size: float, main: RGB) -> None:
    """What the water shows of a floating thing: broken dashes in its colour."""
    water = mix(board.palette.water, board.palette.horizon, 0.25)
    for number in range(9):
        half = size * (0.4 - 0.026 * number) * dice.between(0.55, 1.0)
        at = (x + size * dice.between(-0.05, 0.05), line + size * (0.01 + 0.065 * number))
        tone = mix(main, water, 0.3 + 0.05 * number)
        board.canvas.ellipse(*at, half, max(0.6, size * 0.011), tone, 0.7 - 0.055 * number)
