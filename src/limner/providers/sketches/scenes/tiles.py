"""Patterns on a grid: bauhaus tiles, quilts and waves."""

import math
from collections.abc import Callable, Iterator

from PIL import Image

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Canvas
from limner.providers.sketches.colour import RGB, WHITE, darker, distance, lighter, mix
from limner.providers.sketches.curves import Point
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.texture import field

Tile = Callable[[Canvas, Dice, float, float, float, RGB, RGB], None]


def tiles(board: Board) -> Iterator[None]:
    """Quarter circles, rings, stripes and triangles, each on its own square."""
    dice = board.dice.named("tiles")
    side, columns, rows = grid(board, dice.whole(4, 6))
    colours = list(dict.fromkeys([*board.palette.accents, board.palette.paper, board.palette.ink]))
    board.canvas.cover(board.palette.paper)
    for row in range(rows):
        for column in range(columns):
            cell = dice.named(f"{row} {column}")
            ground = cell.pick(colours)
            figure = cell.pick([colour for colour in colours if distance(colour, ground) > 0.18] or colours)
            x, y = column * side, row * side
            board.canvas.rectangle(x, y, x + side, y + side, ground)
            cell.pick(_TILES)(board.canvas, cell, x, y, side, ground, figure)
        if row == rows // 2:
            yield


def quilt(board: Board) -> Iterator[None]:
    """Patchwork: one block design, turned and recoloured, with stitching."""
    dice = board.dice.named("quilt")
    side, columns, rows = grid(board, dice.whole(4, 5))
    block = dice.pick((_pinwheel, _star, _cabin))
    board.canvas.cover(board.palette.paper)
    pairs = _pairs(board, dice)
    for row in range(rows):
        for column in range(columns):
            cell = dice.named(f"{row} {column}")
            ground, figure = pairs[(row + column) % len(pairs)] if dice.chance(0.85) else cell.pick(pairs)
            block(board.canvas, cell, column * side, row * side, side, ground, figure)
        if row == rows // 2:
            yield
    _stitches(board, side, columns, rows)


def waves(board: Board) -> Iterator[None]:
    """Overlapping scales of concentric arcs, as on indigo cloth; colours drift across in clouds."""
    dice = board.dice.named("waves")
    radius = board.unit / dice.whole(7, 11)
    rings = dice.whole(3, 5)
    palette = board.palette
    tones = [palette.ink, *[palette.accent(i) for i in range(3)]]
    sprites = [_scale(radius, rings, tone, palette.paper) for tone in tones]
    board.canvas.cover(palette.paper)
    drift = field(dice, (64, 64), coarse=3, octaves=3).tobytes()
    rows, columns = math.ceil(board.height / radius * 2) + 3, math.ceil(board.width / radius / 2) + 2
    for row in range(rows):
        for column in range(columns):
            at = (row * 63 // rows) * 64 + column * 63 // columns
            sprite, mask = sprites[min(3, drift[at] * 4 // 256)]
            x = column * radius * 2 - (0 if row % 2 else radius)
            board.canvas.paste(sprite, x - radius, row * radius * 0.5 - radius, mask)
        if row == rows // 2:
            yield


def grid(board: Board, short: int) -> tuple[float, int, int]:
    """Square cells that fill the picture exactly along the short side."""
    side = board.unit / short
    columns, rows = max(1, round(board.width / side)), max(1, round(board.height / side))
    side = max(board.width / columns, board.height / rows)
    return side, columns, rows


def _scale(radius: float, rings: int, tone: RGB, paper: RGB) -> tuple[Image.Image, Image.Image]:
    """One scale of the wave pattern, and its round mask."""
    across = math.ceil(radius * 2)
    middle, canvas, disc = across / 2, Canvas(across, across), Canvas(across, across)
    disc.circle(middle, middle, radius, WHITE)
    canvas.cover(tone)
    for ring in range(rings):
        size = radius * (1 - ring / rings)
        canvas.circle(middle, middle, size, tone)
        canvas.circle(middle, middle, size - radius / rings * 0.42, paper)
    canvas.circle(middle, middle, radius / rings * 0.5, tone)
    return canvas.image, disc.image.getchannel(0)


def _corner(canvas: Canvas, dice: Dice, x: float, y: float, side: float, ground: RGB, figure: RGB) -> None:
    turn = dice.whole(0, 3)
    cx, cy = x + side * (turn in (1, 2)), y + side * (turn in (2, 3))
    canvas.slice(cx, cy, side, turn * 90, turn * 90 + 90, figure)
    if dice.chance(0.3):
        canvas.slice(cx, cy, side * 0.5, turn * 90, turn * 90 + 90, ground)


def _ring(canvas: Canvas, dice: Dice, x: float, y: float, side: float, ground: RGB, figure: RGB) -> None:
    canvas.circle(x + side / 2, y + side / 2, side * 0.38, figure)
    canvas.circle(x + side / 2, y + side / 2, side * 0.16, ground)


def _triangle(canvas: Canvas, dice: Dice, x: float, y: float, side: float, ground: RGB, figure: RGB) -> None:
    corners = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
    out = dice.whole(0, 3)
    canvas.polygon([corner for index, corner in enumerate(corners) if index != out], figure)


def _stripes(canvas: Canvas, dice: Dice, x: float, y: float, side: float, ground: RGB, figure: RGB) -> None:
    upright = dice.chance(0.3)
    for stripe in range(4):
        low, high = side * stripe / 4, side * (stripe / 4 + 0.125)
        if upright:
            canvas.rectangle(x + low, y, x + high, y + side, figure)
        else:
            canvas.rectangle(x, y + low, x + side, y + high, figure)


def _half_moon(canvas: Canvas, dice: Dice, x: float, y: float, side: float, ground: RGB, figure: RGB) -> None:
    if dice.chance(0.5):
        canvas.slice(x + side / 2, y + side, side / 2, 180, 360, figure)
    else:
        canvas.slice(x + side / 2, y, side / 2, 0, 180, figure)


def _leaf(canvas: Canvas, dice: Dice, x: float, y: float, side: float, ground: RGB, figure: RGB) -> None:
    """Two quarter circles that meet: drawn as their overlap."""
    lean = dice.chance(0.5)
    a, b = ((x, y + side), (x + side, y)) if lean else ((x, y), (x + side, y + side))
    points = _arc(a, b) + _arc(b, a)
    canvas.polygon(points, figure)


def _arc(start: Point, end: Point) -> list[Point]:
    """A quarter circle from one corner to the opposite one."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    points: list[Point] = []
    for step in range(13):
        bow = math.sin(step / 12 * math.pi) * 0.207
        points.append((start[0] + dx * step / 12 - dy * bow, start[1] + dy * step / 12 + dx * bow))
    return points


def _blank(canvas: Canvas, dice: Dice, x: float, y: float, side: float, ground: RGB, figure: RGB) -> None:
    """A square left in its one colour, for the eye to rest on."""


_TILES: list[Tile] = [_corner, _corner, _corner, _ring, _triangle, _stripes, _half_moon, _half_moon, _leaf, _blank]


def _pairs(board: Board, dice: Dice) -> list[tuple[RGB, RGB]]:
    accents = dice.shuffled(list(board.palette.accents))
    return [(mix(board.palette.paper, colour, 0.16), colour) for colour in accents[:4]]


def _pinwheel(canvas: Canvas, dice: Dice, x: float, y: float, side: float, ground: RGB, figure: RGB) -> None:
    half = side / 2
    canvas.rectangle(x, y, x + side, y + side, ground)
    mid = (x + half, y + half)
    for corner, edge in (
        ((x, y), (x + half, y)),
        ((x + side, y), (x + side, y + half)),
        ((x + side, y + side), (x + half, y + side)),
        ((x, y + side), (x, y + half)),
    ):
        canvas.polygon([corner, edge, mid], figure)
        canvas.polygon([edge, mid, ((corner[0] + mid[0]) / 2, (corner[1] + mid[1]) / 2)], lighter(figure, 0.1))


def _star(canvas: Canvas, dice: Dice, x: float, y: float, side: float, ground: RGB, figure: RGB) -> None:
    third = side / 3
    canvas.rectangle(x, y, x + side, y + side, ground)
    canvas.rectangle(x + third, y + third, x + 2 * third, y + 2 * third, figure)
    dark = darker(figure, 0.1)
    a, b, c, d = x, x + third, x + 2 * third, x + side
    e, f, g, h = y, y + third, y + 2 * third, y + side
    for points in (
        [(b, e), (b, f), (c, f)], [(c, e), (b, f), (c, f)], [(d, f), (c, f), (c, g)], [(d, g), (c, f), (c, g)],
        [(c, h), (c, g), (b, g)], [(b, h), (c, g), (b, g)], [(a, g), (b, g), (b, f)], [(a, f), (b, g), (b, f)],
    ):  # fmt: skip
        canvas.polygon(points, dark)


def _cabin(canvas: Canvas, dice: Dice, x: float, y: float, side: float, ground: RGB, figure: RGB) -> None:
    rounds = 4
    for ring in range(rounds):
        low, high = side * ring / (2 * rounds), side * (1 - ring / (2 * rounds))
        tone = lighter(figure, 0.05 * (ring % 3)) if ring % 2 else darker(figure, 0.04 * ring)
        pale = mix(ground, figure, 0.08 * ring)
        canvas.polygon([(x + low, y + low), (x + high, y + low), (x + low, y + high)], tone)
        canvas.polygon([(x + high, y + low), (x + high, y + high), (x + low, y + high)], pale)
    quarter = side / 8
    canvas.rectangle(
        x + side / 2 - quarter,
        y + side / 2 - quarter,
        x + side / 2 + quarter,
        y + side / 2 + quarter,
        darker(figure, 0.15),
    )


def _stitches(board: Board, side: float, columns: int, rows: int) -> None:
    shade = darker(board.palette.paper, 0.4)
    for column in range(1, columns):
        board.canvas.line([(column * side, 0), (column * side, board.height)], board.unit * 0.002, shade, 0.35)
    for row in range(1, rows):
        board.canvas.line([(0, row * side), (board.width, row * side)], board.unit * 0.002, shade, 0.35)
