"""Skylines: towers in the haze, with lit windows once it is dark."""

from collections.abc import Iterator

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Gradient
from limner.providers.sketches.cast import cast
from limner.providers.sketches.colour import RGB, darker, lighter, mix
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.scenes.heavens import heaven
from limner.providers.sketches.scenes.water import reflect


def city(board: Board) -> Iterator[None]:
    dice = board.dice.named("city")
    wet = dice.chance(0.45) or board.reading.says("harbour", "harbor", "bay", "river", "sea", "water", "reflection")
    shore = dice.between(0.74, 0.82) if wet else 1.0
    heaven(board, horizon=min(shore, 0.86), low=dice.chance(0.5))
    yield
    rows = 4
    for row in range(rows):
        _row(board, dice.named(f"row {row}"), row / (rows - 1), shore * board.height)
        if row == 1:
            yield
    if wet and not board.clear:
        reflect(board, shore, dice.named("water"), strength=0.7)
    cast(board, ground=0.98, water=shore + 0.03 if wet else None)


def _row(board: Board, dice: Dice, depth: float, ground: float) -> None:
    """One row of houses: far ones tall, thin and pale, near ones broad and dark."""
    palette = board.palette
    far = mix(palette.far, palette.horizon, 0.4)
    colour = mix(far, darker(palette.near, 0.02), depth)
    foot = mix(colour, palette.horizon, 0.55 * (1 - depth) + 0.05)
    reach = min(ground, board.unit * 1.25)
    tall = reach * (0.62 - 0.36 * depth)
    x = -board.unit * dice.between(0, 0.08)
    while x < board.width:
        wide = board.unit * dice.between(0.045, 0.105) * (0.85 + 0.5 * depth)
        height = tall * (0.4 + 0.6 * dice.between(0, 1) ** 1.4)
        if dice.chance(0.86 - 0.25 * depth):
            tone = mix(colour, lighter(colour, 0.035), dice.between(0, 1))
            _tower(board, dice, x, ground, wide, height, Gradient((tone, mix(tone, foot, 0.7))))
            if depth > 0.3:
                _windows(board, dice, x, ground, wide, height, tone, depth)
        x += wide * dice.between(0.85, 1.25)


def _tower(board: Board, dice: Dice, x: float, ground: float, wide: float, height: float, fill: Gradient) -> None:
    canvas, top = board.canvas, ground - height
    canvas.block(x, top, x + wide, ground, fill)
    crown = fill.stops[0]
    kind = dice.whole(0, 7)
    if kind == 0:
        canvas.line([(x + wide / 2, top), (x + wide / 2, top - wide * 0.9)], wide * 0.05, crown)
    elif kind == 1:
        canvas.polygon([(x, top + 1), (x + wide / 2, top - wide * 0.55), (x + wide, top + 1)], crown)
    elif kind == 2:
        canvas.block(x + wide * 0.2, top - wide * 0.3, x + wide * 0.8, top, crown)
        canvas.block(x + wide * 0.36, top - wide * 0.55, x + wide * 0.64, top - wide * 0.3, crown)
    elif kind == 3:
        canvas.polygon([(x, top + 1), (x, top - wide * 0.4), (x + wide, top + 1)], crown)
    elif kind == 4:
        canvas.slice(x + wide / 2, top + 1, wide / 2, 180, 360, crown)


def _windows(
    board: Board, dice: Dice, x: float, ground: float, wide: float, height: float, wall: RGB, depth: float
) -> None:
    """A grid of panes: some lit at night, faint by day."""
    palette = board.palette
    columns = max(2, round(wide / (board.unit * 0.017)))
    cell = wide / (columns + 0.6)
    rows = int((height - cell) / (cell * 1.25))
    night = palette.dark
    glow = mix(palette.light, (255, 196, 92), 0.55)
    share = 0.34 if night else 0.5
    for row in range(rows):
        for column in range(columns):
            if dice.chance(share):
                left = x + cell * (column + 0.55)
                top = ground - height + cell * (0.7 + row * 1.25)
                pane = (
                    mix(wall, glow, dice.between(0.35, 0.95))
                    if night
                    else mix(wall, palette.horizon, 0.16 + 0.1 * depth)
                )
                board.canvas.block(left, top, left + max(1, cell * 0.5), top + max(1, cell * 0.66), pane)
