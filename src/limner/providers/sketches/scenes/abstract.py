"""Free compositions of circles, bars, arcs and grids."""

import math
from collections.abc import Callable, Iterator

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Gradient
from limner.providers.sketches.colour import RGB, darker, lighter, mix
from limner.providers.sketches.curves import Point
from limner.providers.sketches.dice import Dice


def abstract(board: Board) -> Iterator[None]:
    """A big quiet form, a counterweight, and small loud ones between."""
    dice = board.dice.named("abstract")
    palette = board.palette
    ground = (
        palette.sky[0]
        if palette.dark
        else dice.pick((palette.paper, palette.paper, mix(palette.paper, palette.accent(2), 0.3)))
    )
    if not board.clear:
        board.canvas.cover(Gradient((lighter(ground, 0.02), darker(ground, 0.02))))
    colours = dice.shuffled(list(palette.accents[:5]))
    ink = palette.paper if palette.dark else palette.ink
    yield
    dice.pick((_orbits, _arches, _beams))(board, dice, colours, ink)
    yield
    small = dice.shuffled(_SMALL)
    for number, spot in enumerate(dice.shuffled(_SPOTS)[: board.more(3)]):
        at = (board.width * spot[0], board.height * spot[1])
        small[number % len(small)](
            board, dice.named(f"{number}"), at, board.unit * 0.06, colours[number % len(colours)], ink
        )


def _orbits(board: Board, dice: Dice, colours: list[RGB], ink: RGB) -> None:
    """Discs through one another, where they cross the colours mix; thin orbits around."""
    cx, cy = board.width * dice.between(0.38, 0.62), board.height * dice.between(0.4, 0.6)
    big = board.unit * dice.between(0.27, 0.34)
    board.canvas.circle(cx, cy, big, Gradient((lighter(colours[0], 0.04), darker(colours[0], 0.03))))
    angle = dice.between(0, math.tau)
    for number in range(2):
        at = angle + number * dice.between(1.7, 2.6)
        x, y, size = cx + math.cos(at) * big, cy + math.sin(at) * big, big * dice.between(0.42, 0.68)
        board.canvas.circle(x, y, size, colours[1 + number])
        _lens(board, (cx, cy, big), (x, y, size), mix(colours[0], colours[1 + number], 0.5))
    for number in range(3):
        board.canvas.ring(cx, cy, big * (1.16 + 0.2 * number), board.unit * 0.0035, ink, 0.8)
    board.canvas.line(_ray(cx, cy, angle + 0.6, board.unit * 0.62), board.unit * 0.006, ink)
    board.canvas.circle(*_ray(cx, cy, angle + 0.6, board.unit * 0.46)[1], board.unit * 0.025, colours[3])


def _lens(board: Board, one: tuple[float, float, float], other: tuple[float, float, float], colour: RGB) -> None:
    """The overlap of two discs in its own colour."""
    (x0, y0, r0), (x1, y1, r1) = one, other
    apart = math.hypot(x1 - x0, y1 - y0)
    if not abs(r0 - r1) < apart < r0 + r1:
        return
    turn = math.atan2(y1 - y0, x1 - x0)
    half0 = math.acos((apart**2 + r0**2 - r1**2) / (2 * apart * r0))
    half1 = math.acos((apart**2 + r1**2 - r0**2) / (2 * apart * r1))
    arc0 = [
        (x0 + r0 * math.cos(turn + half0 * t / 20), y0 + r0 * math.sin(turn + half0 * t / 20)) for t in range(-20, 21)
    ]
    arc1 = [
        (x1 + r1 * math.cos(turn + math.pi + half1 * t / 20), y1 + r1 * math.sin(turn + math.pi + half1 * t / 20))
        for t in range(-20, 21)
    ]
    board.canvas.polygon([*arc0, *arc1], colour)


def _arches(board: Board, dice: Dice, colours: list[RGB], ink: RGB) -> None:
    """Rainbows and doorways standing on one line, a sun above."""
    base = board.height * dice.between(0.74, 0.84)
    board.canvas.circle(
        board.width * dice.between(0.25, 0.75),
        base - board.unit * dice.between(0.46, 0.56),
        board.unit * 0.11,
        colours[3],
    )
    count = max(2, round(2 * (board.width / board.unit) ** 0.8) + dice.whole(0, 1))
    for number in range(count):
        x = board.width * (number + 0.5) / count + board.unit * dice.between(-0.04, 0.04)
        radius = min(board.width / count * 0.52, board.unit * 0.3) * dice.between(0.75, 1.1)
        leg = board.unit * dice.between(0.0, 0.16)
        tones = [colours[(number + band) % len(colours)] for band in range(4)]
        for band, tone in enumerate(tones):
            _arch(board, x, base, radius * (1 - band * 0.25), leg, tone)
    board.canvas.block(0, base, board.width, board.height, darker(colours[1], 0.02))
    board.canvas.block(0, base, board.width, base + board.unit * 0.008, ink)


def _arch(board: Board, x: float, base: float, radius: float, leg: float, tone: RGB) -> None:
    top = [
        (x + radius * math.cos(math.pi + a * math.pi / 36), base - leg + radius * math.sin(math.pi + a * math.pi / 36))
        for a in range(37)
    ]
    board.canvas.polygon([(x - radius, base + 1), *top, (x + radius, base + 1)], tone)


def _beams(board: Board, dice: Dice, colours: list[RGB], ink: RGB) -> None:
    """Suprematist bars thrown on a diagonal, with one heavy circle."""
    turn = math.radians(dice.between(-52, -20) * dice.sign())
    cx, cy = board.width / 2, board.height / 2
    along, across = (math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))
    board.canvas.circle(
        cx + across[0] * board.unit * 0.2, cy + across[1] * board.unit * 0.2, board.unit * 0.2, colours[0]
    )
    for number in range(board.more(8)):
        shift = board.unit * (dice.between(-0.34, 0.34))
        slide = board.unit * dice.between(-0.22, 0.22) * (board.width / board.unit) ** 0.5
        long, thick = board.unit * dice.between(0.1, 0.42), board.unit * dice.pick((0.008, 0.02, 0.035, 0.06, 0.09))
        x, y = cx + across[0] * shift + along[0] * slide, cy + across[1] * shift + along[1] * slide
        tone = ink if number % 4 == 3 else colours[(number + 1) % len(colours)]
        corners = [
            (x + along[0] * long * a + across[0] * thick * b, y + along[1] * long * a + across[1] * thick * b)
            for a, b in ((-1, -0.5), (1, -0.5), (1, 0.5), (-1, 0.5))
        ]
        board.canvas.polygon(corners, tone)


def _ray(cx: float, cy: float, angle: float, reach: float) -> list[Point]:
    return [(cx, cy), (cx + math.cos(angle) * reach, cy + math.sin(angle) * reach)]


def _dots(board: Board, dice: Dice, at: Point, size: float, colour: RGB, ink: RGB) -> None:
    for row in range(4):
        for column in range(4):
            board.canvas.circle(at[0] + column * size * 0.5, at[1] + row * size * 0.5, size * 0.1, ink)


def _zigzag(board: Board, dice: Dice, at: Point, size: float, colour: RGB, ink: RGB) -> None:
    points = [(at[0] + step * size * 0.5, at[1] + (size * 0.35 if step % 2 else 0)) for step in range(7)]
    board.canvas.line(points, size * 0.16, colour)


def _half(board: Board, dice: Dice, at: Point, size: float, colour: RGB, ink: RGB) -> None:
    start = dice.pick((0, 90, 180, 270))
    board.canvas.slice(*at, size, start, start + 180, colour)


def _loop(board: Board, dice: Dice, at: Point, size: float, colour: RGB, ink: RGB) -> None:
    board.canvas.ring(*at, size, size * 0.3, colour)


def _cross(board: Board, dice: Dice, at: Point, size: float, colour: RGB, ink: RGB) -> None:
    x, y = at
    board.canvas.line([(x - size * 0.5, y), (x + size * 0.5, y)], size * 0.16, ink)
    board.canvas.line([(x, y - size * 0.5), (x, y + size * 0.5)], size * 0.16, ink)


_SPOTS = [(0.12, 0.12), (0.84, 0.13), (0.1, 0.5), (0.88, 0.52), (0.14, 0.87), (0.5, 0.09), (0.85, 0.86)]
_SMALL: list[Callable[[Board, Dice, Point, float, RGB, RGB], None]] = [_dots, _zigzag, _half, _loop, _cross]
