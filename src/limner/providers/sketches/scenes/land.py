"""Mountains in mist, dunes and forests: bodies of land one behind the other."""

import math
from collections.abc import Iterator

from PIL import Image

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Gradient
from limner.providers.sketches.cast import cast
from limner.providers.sketches.colour import RGB, darker, lighter, mix
from limner.providers.sketches.curves import Point
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.pixels import SMOOTH, resized, tinted
from limner.providers.sketches.scenes.heavens import heaven
from limner.providers.sketches.scenes.trees import stand
from limner.providers.sketches.texture import ridge, skyline


def ridges(board: Board) -> Iterator[None]:
    """Ranges that fade into the air, with woods on the nearest."""
    dice = board.dice.named("ridges")
    heaven(board, horizon=0.62)
    yield
    layers = dice.whole(5, 7) + (board.detail > 1)
    top = dice.between(0.36, 0.46)
    snowy = board.reading.says("snow", "snowy", "winter", "alp", "everest", "himalaya", "fuji", "glacier", "frozen")
    for layer in range(layers):
        depth = layer / (layers - 1)
        _range(board, dice.named(f"range {layer}"), depth, top, snowy=snowy)
        if layer == layers // 2:
            yield
    if not board.reading.says("desert", "volcano", "abstract", "minimal", "minimalist", "mars"):
        _woods(board, dice.named("woods"))
    cast(board, ground=0.955)


def dunes(board: Board) -> Iterator[None]:
    """Sand lit from one side, each crest sharp and each slope soft."""
    dice = board.dice.named("dunes")
    heaven(board, horizon=0.5)
    yield
    side, count = dice.sign(), dice.whole(4, 6)
    top = dice.between(0.44, 0.54)
    for layer in range(count):
        depth = layer / (count - 1)
        _dune(board, dice.named(f"dune {layer}"), depth, top, side)
        if layer == count // 2:
            yield
    cast(board, ground=0.93)


def forest(board: Board) -> Iterator[None]:
    """Rows of pines stepping out of the mist."""
    dice = board.dice.named("forest")
    heaven(board, horizon=0.7)
    yield
    rows = dice.whole(4, 5) + (board.detail > 1)
    for row in range(rows):
        depth = row / (rows - 1)
        colour = aerial(board, depth)
        base = (0.5 + 0.42 * depth) * board.height
        line = skyline(ridge(dice.named(f"row {row}"), 90, lumps=2), board.width, base, board.height * 0.05)
        stand(board, dice.named(f"trees {row}"), line, board.unit * (0.08 + 0.24 * depth**1.4), colour)
        foot = mix(colour, board.palette.horizon, 0.6 * (1 - depth))
        board.canvas.ground(line, board.height, Gradient((colour, foot, foot)))
        if row == rows // 2:
            yield
    cast(board, ground=0.95)
    if board.reading.says("snow", "snowy", "snowfall"):
        snowfall(board, dice.named("snow"))


def aerial(board: Board, depth: float) -> RGB:
    """The land's colour at a depth: 0 is the farthest range, 1 the ground at our feet."""
    far = mix(board.palette.far, board.palette.horizon, 0.3)
    return mix(far, board.palette.near, depth**1.15)


def snowfall(board: Board, dice: Dice) -> None:
    for _ in range(board.more(260)):
        size = board.unit / 1024 * (1.2 + 4 * dice.between(0, 1) ** 3)
        board.canvas.dot(dice.between(0, board.width), dice.between(0, board.height), size, (255, 255, 255), 0.75)


def _range(board: Board, dice: Dice, depth: float, top: float, *, snowy: bool) -> None:
    height = board.height
    base = height * (top + (0.94 - top) * depth**1.1)
    swing = min(height, (height * board.unit) ** 0.5) * (0.14 - 0.065 * depth) * (1.2 if board.tall else 1)
    lumps = max(2, round(dice.whole(2, 3) * (board.width / board.unit) ** 0.7))
    line = skyline(ridge(dice, 180, rough=0.5, lumps=lumps), board.width, base, swing)
    colour = aerial(board, depth)
    misty = mix(colour, board.palette.horizon, 0.66 * (1 - depth) + 0.1)
    board.canvas.ground(line, height, Gradient((colour, mix(colour, misty, 0.75), misty, misty)))
    if snowy and depth < 0.75:
        _snow(board, dice.named("snow"), line, base, swing, colour)


def _snow(board: Board, dice: Dice, line: list[Point], base: float, swing: float, rock: RGB) -> None:
    """Caps of white with ragged hems, thick on the summits and gone below the snow line."""
    snow = mix((250, 251, 252), board.palette.horizon, 0.2)
    ragged = ridge(dice, len(line) - 1, rough=0.75, lumps=26)
    limit = base + swing * 0.25
    hem = [(x, y + max(0.0, limit - y) * (0.42 + 0.34 * ragged[index])) for index, (x, y) in enumerate(line)]
    board.canvas.polygon([*line, *reversed(hem)], Gradient((snow, mix(snow, rock, 0.3))))


def _dune(board: Board, dice: Dice, depth: float, top: float, side: int) -> None:
    """One body of sand: its crest, and light that breaks at every summit and returns towards the next."""
    height, width = board.height, board.width
    base = height * (top + (0.95 - top) * depth)
    waves = dice.between(0.5, 0.95) * (width / board.unit) ** 0.7 * (1.1 - 0.25 * depth) * math.tau
    start, swing = dice.between(0, math.tau), min(height, board.unit * 1.6) * (0.055 + 0.05 * depth)
    angles = [start + side * waves * step / 128 for step in range(129)]
    line = [(width * step / 128, base - _crest(angle) * swing) for step, angle in enumerate(angles)]
    shade = bytes(round(255 * _shade(angle)) for angle in angles)
    lean = side * dice.between(0.5, 0.9) * board.unit / width
    sheet = _sheared(shade, lean * (height - base + swing) / board.unit)
    lit, dark = _sand(board, depth)
    body = (width, max(1, math.ceil(height - base + swing)))
    fill = tinted(resized(sheet, body, SMOOTH), (lit, mix(lit, dark, 0.3), dark))
    whole = Image.new("RGB", (width, height), dark)
    whole.paste(fill, (0, height - body[1]))
    board.canvas.ground(line, height, whole)


def _crest(angle: float) -> float:
    """A wave that climbs slowly and falls fast, like wind-blown sand."""
    return math.sin(angle + 0.5 * math.sin(angle)) * (0.78 + 0.22 * math.sin(angle * 0.37 + 1))


def _shade(angle: float) -> float:
    """1 just behind a summit, falling to 0 before the next climb."""
    behind = (angle + 0.5 * math.sin(angle) - math.pi / 2) % math.tau
    return max(0.0, 1 - behind / 3.4) ** 0.85


def _sheared(row: bytes, lean: float) -> Image.Image:
    """A row of shades drawn down the slope: the ridge line wanders towards the light in an S."""
    width, rows = 384, 72
    flat = resized(Image.frombytes("L", (len(row), 1), row), (width, 1))
    back = flat.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    sheet = Image.new("L", (width, rows))
    for y in range(rows):
        down = y / rows
        shift = round(lean * width * (down - 0.16 * math.sin(down * 2.2 * math.pi)))
        for piece, place in ((back, -shift - width), (flat, -shift), (back, width - shift)):
            sheet.paste(piece, (place, y))
    return sheet


def _sand(board: Board, depth: float) -> tuple[RGB, RGB]:
    palette = board.palette
    haze = (1 - depth) * 0.55
    lit = mix(mix(palette.far, palette.light, 0.22), palette.horizon, haze)
    return lit, mix(mix(palette.near, palette.far, 0.42 - 0.2 * depth), palette.horizon, haze)


def _woods(board: Board, dice: Dice) -> None:
    """Pines along the bottom, with a gap to look through."""
    base = dice.between(0.92, 0.97) * board.height
    line = skyline(ridge(dice, 80, lumps=2), board.width, base, board.height * 0.03)
    colour = darker(board.palette.near, 0.03)
    middle, reach = dice.between(0.25, 0.75) * board.width, dice.between(0.22, 0.36) * board.width
    tall = min(board.unit * 0.13, board.height * 0.16)
    stand(board, dice.named("trees"), line, tall, colour, gap=(middle - reach, middle + reach))
    board.canvas.ground(line, board.height, Gradient((colour, lighter(colour, 0.02))))
