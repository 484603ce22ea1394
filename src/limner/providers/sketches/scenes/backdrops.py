"""Settings a bold figure stands before: a disc, an arch, hills, rays, orbits."""

import math

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Gradient
from limner.providers.sketches.colour import RGB, darker, lighter, mix
from limner.providers.sketches.curves import circle, curve, pie
from limner.providers.sketches.dice import Dice


def disc(board: Board, dice: Dice, ground: RGB, floor: float) -> None:
    """A great sun behind, and ornaments at both sides."""
    canvas, palette = board.canvas, board.palette
    canvas.cover(Gradient((lighter(ground, 0.02), darker(ground, 0.03))))
    colour = mix(palette.accent(2), ground, 0.35) if not palette.dark else mix(palette.light, ground, 0.25)
    cx, cy, radius = board.width / 2, board.height / 2, board.unit * 0.4
    canvas.circle(cx, cy, radius, Gradient((lighter(colour, 0.05), colour)))
    canvas.ring(cx, cy, radius * 1.09, board.unit * 0.004, colour)
    _sprays(board, dice, ground)


def arch(board: Board, dice: Dice, ground: RGB, floor: float) -> None:
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


def hills(board: Board, dice: Dice, ground: RGB, floor: float) -> None:
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


def rays(board: Board, dice: Dice, ground: RGB, floor: float) -> None:
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


def orbit(board: Board, dice: Dice, ground: RGB, floor: float) -> None:
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
                canvas.polygon(petal(x, y, along, unit * 0.062, unit * 0.014), leaf)


def petal(x: float, y: float, angle: float, long: float, wide: float) -> list[tuple[float, float]]:
    cos, sin = math.cos(angle), math.sin(angle)
    return [
        (
            x + cos * long / 2 + px * cos * long / 2 - py * sin * wide,
            y + sin * long / 2 + px * sin * long / 2 + py * cos * wide,
        )
        for px, py in circle(0, 0, 1, 1, steps=20)
    ]
