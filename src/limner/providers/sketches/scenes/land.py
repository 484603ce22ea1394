"""Mountains in mist, dunes and forests: bodies of land one behind the other."""

import math
from collections.abc import Iterator

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Gradient, Point
from limner.providers.sketches.colour import RGB, darker, lighter, mix
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.scenes.heavens import heaven
from limner.providers.sketches.texture import ridge, skyline, under


def ridges(board: Board) -> Iterator[None]:
    """Ranges that fade into the air, with woods on the nearest."""
    dice = board.dice.named("ridges")
    heaven(board, horizon=0.62)
    yield
    layers = board.more(dice.whole(5, 7))
    top = dice.between(0.36, 0.46)
    snowy = board.reading.says("snow", "snowy", "winter", "alp", "everest", "himalaya", "fuji", "glacier")
    for layer in range(layers):
        depth = layer / (layers - 1)
        _range(board, dice.named(f"range {layer}"), depth, top, snowy=snowy)
        if layer == layers // 2:
            yield
    if not board.reading.says("desert", "volcano", "abstract", "minimal", "minimalist"):
        _pines(board, dice.named("pines"), dice.between(0.9, 0.98))


def dunes(board: Board) -> Iterator[None]:
    """Sand lit from one side, each crest sharp and each slope soft."""
    dice = board.dice.named("dunes")
    heaven(board, horizon=0.5)
    yield
    side, count = dice.sign(), board.more(5)
    top = dice.between(0.42, 0.52)
    for layer in range(count):
        depth = layer / (count - 1)
        _dune(board, dice.named(f"dune {layer}"), depth, top, side)
        if layer == count // 2:
            yield


def forest(board: Board) -> Iterator[None]:
    """Rows of pines stepping out of the mist."""
    dice = board.dice.named("forest")
    heaven(board, horizon=0.7)
    yield
    rows = board.more(dice.whole(4, 6))
    for row in range(rows):
        depth = row / (rows - 1)
        colour = _aerial(board, depth)
        base = (0.5 + 0.44 * depth) * board.height
        line = skyline(ridge(dice.named(f"row {row}"), 90, lumps=2), board.width, base, board.height * 0.05)
        _trees(board, dice.named(f"trees {row}"), line, board.unit * (0.07 + 0.2 * depth**1.3), colour)
        foot = mix(colour, board.palette.horizon, 0.5 * (1 - depth))
        board.canvas.polygon(under(line, board.height), Gradient((colour, foot)))
        if row == rows // 2:
            yield


def _range(board: Board, dice: Dice, depth: float, top: float, *, snowy: bool) -> None:
    height, width = board.height, board.width
    base = height * (top + (0.94 - top) * depth**1.1)
    swing = height * (0.13 - 0.06 * depth) * (1.25 if board.tall else 1)
    line = skyline(ridge(dice, 160, rough=0.5, lumps=dice.whole(2, 3)), width, base, swing)
    colour = _aerial(board, depth)
    misty = mix(colour, board.palette.horizon, 0.62 * (1 - depth) + 0.12)
    peak = min(y for _, y in line)
    reach = min(height * 1.0, peak + height * 0.34)
    body = under(line, reach)
    board.canvas.polygon(body, Gradient((colour, misty)))
    board.canvas.rectangle(0, reach - 1, width, height, misty)
    if snowy and depth < 0.7:
        _snow(board, dice.named("snow"), line, base - swing * 0.15, colour)


def _snow(board: Board, dice: Dice, line: list[Point], limit: float, rock: RGB) -> None:
    """White above a ragged limit, shaded on the side away from the light."""
    snow = mix((250, 251, 252), board.palette.horizon, 0.25)
    step = board.unit * 0.012
    lower = [(x, max(y, min(limit, y + abs(limit - y) * 0.8) + dice.between(-1, 1) * step)) for x, y in line]
    board.canvas.polygon([*line, *reversed(lower)], Gradient((snow, mix(snow, rock, 0.35))))


def _dune(board: Board, dice: Dice, depth: float, top: float, side: int) -> None:
    height, width, unit = board.height, board.width, board.unit
    base = height * (top + (0.92 - top) * depth)
    waves = dice.between(0.5, 0.85) * (width / unit) ** 0.6
    phase, swing = dice.between(0, math.tau), height * (0.06 + 0.035 * depth)
    lit, dark = _sand(board, depth)
    line = [(width * step / 80, base + _crest(step / 80 * waves * math.tau + phase) * swing) for step in range(81)]
    board.canvas.polygon(under(line, height), Gradient((lit, mix(lit, dark, 0.45))))
    _lee(board, line, side, dark, swing, height)


def _crest(angle: float) -> float:
    return math.sin(angle) * 0.8 + math.sin(angle * 2.3 + 1.1) * 0.28


def _lee(board: Board, line: list[Point], side: int, dark: RGB, swing: float, height: int) -> None:
    """The shaded slope behind every crest: sharp along the top, soft at the foot."""
    tops = [i for i in range(1, len(line) - 1) if line[i][1] <= line[i - 1][1] and line[i][1] < line[i + 1][1]]
    for top in tops:
        run = line[top:] if side > 0 else list(reversed(line[: top + 1]))
        valley = next(
            (i for i in range(1, len(run) - 1) if run[i][1] > run[i - 1][1] and run[i][1] >= run[i + 1][1]),
            len(run) - 1,
        )
        slope = run[: valley + 1]
        x, y = slope[0]
        foot = (x + (slope[-1][0] - x) * -0.35, min(height, y + swing * 5))
        board.canvas.shadow([*slope, (slope[-1][0], slope[-1][1] + swing), foot], swing * 0.22, dark, 0.75)


def _sand(board: Board, depth: float) -> tuple[RGB, RGB]:
    palette = board.palette
    haze = (1 - depth) * 0.6
    lit = mix(mix(palette.far, palette.light, 0.18), palette.horizon, haze)
    return lit, mix(mix(palette.near, palette.far, 0.35), palette.horizon, haze)


def _aerial(board: Board, depth: float) -> RGB:
    """The land's colour at a depth: 0 is the farthest range, 1 the ground at our feet."""
    far = mix(board.palette.far, board.palette.horizon, 0.3)
    return mix(far, board.palette.near, depth**1.15)


def _pines(board: Board, dice: Dice, base: float) -> None:
    line = skyline(ridge(dice, 80, lumps=2), board.width, base * board.height, board.height * 0.04)
    colour = darker(board.palette.near, 0.03)
    gap = dice.between(0.2, 0.8) * board.width
    reach = dice.between(0.25, 0.4) * board.width
    _trees(board, dice.named("trees"), line, board.unit * 0.12, colour, gap=(gap - reach / 2, gap + reach / 2))
    board.canvas.polygon(under(line, board.height), Gradient((colour, lighter(colour, 0.02))))


def _trees(
    board: Board, dice: Dice, line: list[Point], size: float, colour: RGB, *, gap: tuple[float, float] = (0, 0)
) -> None:
    x = -size * 0.2
    while x < board.width + size * 0.2:
        index = min(len(line) - 1, max(0, round(x / board.width * (len(line) - 1))))
        tall = size * dice.between(0.5, 1.15)
        if not gap[0] < x < gap[1]:
            pine(board, dice, x, line[index][1] + size * 0.06, tall, colour)
        x += size * dice.between(0.16, 0.42)


def pine(board: Board, dice: Dice, x: float, y: float, tall: float, colour: RGB) -> None:
    """A ragged conifer standing on (x, y)."""
    tiers = 4 + board.detail
    left: list[Point] = []
    right: list[Point] = []
    for tier in range(tiers):
        down = (tier + 1) / tiers
        wide = tall * 0.22 * down**0.85
        level = y - tall * (1 - down * 0.93)
        for edge, sign in ((left, -1), (right, 1)):
            edge.append((x + sign * wide * dice.between(0.8, 1.15), level + tall * 0.02 * dice.between(0, 1)))
            edge.append((x + sign * wide * 0.42, level - tall * 0.012))
    trunk = tall * 0.018
    board.canvas.polygon(
        [(x, y - tall), *right, (x + trunk, y), (x - trunk, y), *reversed(left)],
        colour,
    )
