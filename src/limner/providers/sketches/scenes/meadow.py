"""Gentle country: fields and flowers under hills, and a branch in blossom before the sun."""

import math
from collections.abc import Iterator

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Gradient
from limner.providers.sketches.cast import SCENERY, cast
from limner.providers.sketches.colour import RGB, WHITE, darker, lighter, mix, muted
from limner.providers.sketches.curves import Point, circle, curve
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.scenes.heavens import heaven
from limner.providers.sketches.scenes.land import snowfall
from limner.providers.sketches.texture import ridge, skyline

_FLOWERS = frozenset({"flower", "tulip"})


def meadow(board: Board) -> Iterator[None]:
    """Rolling fields, and at our feet a strip of flowers; snow in winter."""
    dice = board.dice.named("meadow")
    heaven(board, horizon=0.56)
    yield
    far = mix(board.palette.far, board.palette.horizon, 0.35)
    line = skyline(
        ridge(dice.named("hills"), 120, lumps=3, rough=0.42), board.width, board.height * 0.5, board.height * 0.07
    )
    board.canvas.ground(line, board.height, Gradient((far, mix(far, board.palette.horizon, 0.5))))
    green = _green(board)
    fields = 4
    for number in range(fields):
        _field(board, dice.named(f"field {number}"), (number + 0.6) / fields, green)
    yield
    cast(board, ground=0.83, without=SCENERY | _FLOWERS)
    if _snowed_in(board):
        snowfall(board, dice.named("snow"))
    else:
        _flowers(board, dice.named("flowers"), green)


def blossom(board: Board) -> Iterator[None]:
    """A branch of blossom across a great pale sun, hills in the mist behind."""
    dice = board.dice.named("blossom")
    palette = board.palette
    sky = (
        (mix(palette.sky[0], palette.paper, 0.35), mix(palette.horizon, palette.paper, 0.5))
        if not palette.dark
        else palette.sky[:2]
    )
    if not board.clear:
        board.canvas.cover(Gradient(sky))
        sun = mix(palette.light, (236, 112, 96), 0.0 if palette.dark else 0.75)
        at = (board.width * dice.between(0.4, 0.66), board.height * dice.between(0.36, 0.46))
        board.canvas.circle(*at, board.unit * dice.between(0.22, 0.28), Gradient((sun, mix(sun, sky[-1], 0.45))))
        for layer in range(3):
            colour = mix(palette.far, sky[-1], 0.72 - 0.2 * layer)
            heights = ridge(dice.named(f"hill {layer}"), 120, lumps=2, rough=0.4)
            line = skyline(heights, board.width, board.height * (0.72 + 0.09 * layer), board.height * 0.06)
            board.canvas.ground(line, board.height, Gradient((colour, sky[-1])))
    yield
    cast(board, ground=0.95, without=SCENERY | _FLOWERS)
    side = dice.sign()
    for number in range(2):
        _branch(board, dice.named(f"branch {number}"), side, number)
        yield
    _petals(board, dice.named("petals"))


def _snowed_in(board: Board) -> bool:
    return "winter" in board.reading.moods


def _green(board: Board) -> RGB:
    """The meadow's own green, or its snow, in the light of the palette."""
    if _snowed_in(board):
        return mix((236, 241, 247), board.palette.near, 0.55 if board.palette.dark else 0.12)
    grass = (116, 148, 72) if not board.palette.dark else (44, 66, 58)
    return mix(grass, board.palette.near, 0.3)


def _field(board: Board, dice: Dice, near: float, green: RGB) -> None:
    """One slope with furrows that run over its curve."""
    base = board.height * (0.5 + 0.36 * near)
    swing = min(board.height, board.unit) * 0.05
    phase, waves = dice.between(0, math.tau), dice.between(0.5, 0.9) * (board.width / board.unit) ** 0.6
    line = [(board.width * t / 40, base + swing * math.sin(phase + t / 40 * waves * math.tau)) for t in range(41)]
    tone = mix(mix(green, board.palette.horizon, 0.45 * (1 - near)), board.palette.accent(2), dice.between(0, 0.22))
    board.canvas.ground(line, board.height, Gradient((lighter(tone, 0.03), darker(tone, 0.03))))
    if dice.chance(0.55):
        stripe = darker(tone, 0.035)
        for number in range(1, 6):
            drop = board.height * 0.018 * number * (0.7 + near)
            furrow = [(x, y + drop * (1 + 0.25 * math.sin(x / board.width * 3 + phase))) for x, y in line]
            board.canvas.line(furrow, board.unit * 0.004 * (0.5 + near), stripe, 0.7)


def _flowers(board: Board, dice: Dice, green: RGB) -> None:
    """Blades and heads along the lower edge, the nearest largest."""
    unit = min(board.unit, board.height)
    colours = [mix(colour, WHITE, 0.12) for colour in (board.reading.colours or board.palette.accents[:3])]
    board.canvas.ground(
        [(0, board.height * 0.93), (board.width, board.height * 0.92)], board.height, darker(green, 0.1)
    )
    count = board.more(38 * board.width / board.unit)
    spots = sorted((dice.between(0, 1) ** 0.8, dice.between(-0.02, 1.02)) for _ in range(count))
    for near, across in spots:
        x, foot = board.width * across, board.height * (0.9 + 0.14 * near)
        tall = unit * (0.05 + 0.15 * near) * dice.between(0.7, 1.2)
        lean = tall * dice.between(-0.18, 0.18)
        head = (x + lean, foot - tall)
        board.canvas.line(
            [(x, foot), (x + lean * 0.3, foot - tall * 0.55), head], unit * (0.0022 + 0.003 * near), darker(green, 0.12)
        )
        if dice.chance(0.62):
            _head(board, dice, head, unit * (0.011 + 0.02 * near), dice.pick(colours))
        else:
            blade = [
                (x, foot),
                (x + lean - tall * 0.05, foot - tall * 0.5),
                (x + lean * 1.6, foot - tall * 0.9),
                (x + tall * 0.03, foot),
            ]
            board.canvas.polygon(
                curve(blade, closed=True, steps=4), mix(darker(green, 0.05), lighter(green, 0.08), near)
            )


def _head(board: Board, dice: Dice, at: Point, radius: float, colour: RGB) -> None:
    """A daisy, a poppy or a bell, by chance."""
    kind = dice.whole(0, 2)
    if kind == 0:
        for petal in range(7):
            angle = petal * math.tau / 7
            board.canvas.circle(
                at[0] + math.cos(angle) * radius * 0.66, at[1] + math.sin(angle) * radius * 0.5, radius * 0.36, colour
            )
        board.canvas.circle(*at, radius * 0.34, (240, 190, 72))
    elif kind == 1:
        board.canvas.ellipse(at[0], at[1], radius, radius * 0.8, colour)
        board.canvas.ellipse(at[0], at[1] - radius * 0.1, radius * 0.55, radius * 0.42, darker(colour, 0.08))
    else:
        for step in range(5):
            board.canvas.circle(
                at[0],
                at[1] + step * radius * 0.55,
                radius * (0.3 + 0.07 * step),
                mix(colour, lighter(colour, 0.1), 1 - step / 5),
            )


def _branch(board: Board, dice: Dice, side: int, number: int) -> None:
    """A crooked branch from one side, with twigs and clusters of flowers."""
    unit = board.unit
    start = (board.width * (0.5 - side * 0.54), board.height * (dice.between(0.12, 0.3) + 0.34 * number))
    reach = min(board.width * 0.95, unit * 1.2) * (1.0 - 0.45 * number)
    bark = mix(board.palette.ink, (84, 58, 54), 0.6)
    knots = [start]
    rise = dice.between(-0.25, 0.12)
    for step in range(1, 7):
        x = start[0] + side * reach * step / 6
        y = start[1] + unit * (rise * step / 6 + dice.between(-0.045, 0.045))
        knots.append((x, y))
    spine = curve(knots, steps=8)
    for index in range(len(spine) - 1):
        wide = unit * (0.026 - 0.01 * number) * (1 - index / len(spine)) ** 0.9 + unit * 0.002
        board.canvas.line(spine[index : index + 2], wide, bark)
    for twig in range(board.more(11)):
        root = spine[min(len(spine) - 1, int(len(spine) * (0.15 + 0.85 * (twig + dice.between(0, 1)) / 12)))]
        _twig(board, dice.named(f"twig {twig}"), root, side, bark)


def _twig(board: Board, dice: Dice, root: Point, side: int, bark: RGB) -> None:
    unit = board.unit
    angle = math.radians(dice.between(20, 80)) * dice.sign()
    long = unit * dice.between(0.05, 0.15)
    tip = (root[0] + side * math.cos(angle) * long, root[1] + math.sin(angle) * long)
    board.canvas.line([root, tip], unit * 0.0045, bark)
    pink = mix((246, 176, 190), board.palette.accent(0), 0.25)
    for _ in range(dice.whole(2, 5)):
        share = dice.between(0.3, 1.1)
        at = (
            root[0] + (tip[0] - root[0]) * share + unit * dice.between(-0.018, 0.018),
            root[1] + (tip[1] - root[1]) * share + unit * dice.between(-0.018, 0.018),
        )
        _flower(
            board,
            at,
            unit * dice.between(0.016, 0.029),
            mix(pink, WHITE, dice.between(0, 0.5)),
            dice.between(0, math.tau),
        )


def _flower(board: Board, at: Point, radius: float, colour: RGB, turn: float) -> None:
    """Five notched petals and a dark heart."""
    for petal in range(5):
        angle = turn + petal * math.tau / 5
        board.canvas.circle(
            at[0] + math.cos(angle) * radius * 0.58, at[1] + math.sin(angle) * radius * 0.58, radius * 0.5, colour
        )
    board.canvas.circle(*at, radius * 0.3, muted(darker(colour, 0.22), 1.4))


def _petals(board: Board, dice: Dice) -> None:
    """A few petals in the wind."""
    pink = mix((246, 176, 190), board.palette.accent(0), 0.25)
    for _ in range(board.more(18)):
        x, y, size = (
            dice.between(0, board.width),
            dice.between(0.25, 1) * board.height,
            board.unit * dice.between(0.006, 0.012),
        )
        turn = dice.between(0, math.pi)
        shape = [
            (x + px * math.cos(turn) - py * math.sin(turn) * 0.5, y + px * math.sin(turn) + py * math.cos(turn) * 0.5)
            for px, py in circle(0, 0, size, steps=14)
        ]
        board.canvas.polygon(shape, mix(pink, WHITE, dice.between(0, 0.4)), 0.9)
