"""Water: still lakes that mirror, and open seas under a low sun."""

import math
from collections.abc import Iterator

from PIL import Image

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Gradient
from limner.providers.sketches.cast import cast
from limner.providers.sketches.colour import RGB, WHITE, darker, lighter, mix
from limner.providers.sketches.curves import Point, curve
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.pixels import resized
from limner.providers.sketches.scenes.heavens import heaven
from limner.providers.sketches.scenes.trees import stand
from limner.providers.sketches.texture import ridge, skyline


def lake(board: Board) -> Iterator[None]:
    """Hills and woods around still water that mirrors them."""
    dice = board.dice.named("lake")
    shore = dice.between(0.54, 0.64)
    base = shore * board.height
    heaven(board, horizon=shore)
    yield
    reach = min(board.height * shore, board.unit)
    for step in range(3):
        far = step / 2
        colour = mix(mix(board.palette.far, board.palette.horizon, 0.25), board.palette.near, far * 0.8)
        swing = reach * (0.17 - 0.055 * step)
        line = skyline(ridge(dice.named(f"hill {step}"), 160, lumps=2 + step), board.width, base - swing * 0.9, swing)
        misty = mix(colour, board.palette.horizon, 0.5 - far * 0.3)
        board.canvas.ground([(x, min(y, base + 1)) for x, y in line], base + 1, Gradient((colour, misty)))
    bank = skyline(ridge(dice.named("bank"), 60, lumps=3), board.width, base, reach * 0.012)
    gap = dice.between(0.2, 0.6) * board.width
    colour = mix(board.palette.near, board.palette.far, 0.12)
    stand(
        board, dice.named("trees"), bank, reach * 0.13, colour, gap=(gap, gap + board.width * dice.between(0.2, 0.35))
    )
    yield
    reflect(board, shore, dice.named("water"), strength=0.78)
    _sparkle(board, dice.named("sparkle"), shore)
    cast(board, ground=0.97, water=shore + (1 - shore) * dice.between(0.15, 0.35))


def sea(board: Board) -> Iterator[None]:
    """A low sun over the sea: its path on the water, long swells, a headland."""
    dice = board.dice.named("sea")
    horizon = dice.between(0.48, 0.58)
    sun = heaven(board, horizon=horizon, low=True)
    yield
    top = horizon * board.height
    palette = board.palette
    deep = palette.water
    near_sky = mix(palette.horizon, deep, 0.3)
    board.canvas.block(
        0, top, board.width, board.height, Gradient((near_sky, mix(near_sky, deep, 0.55), deep, darker(deep, 0.05)))
    )
    if dice.chance(0.7):
        _headland(board, dice.named("headland"), top)
    yield
    _swells(board, dice.named("swells"), top, deep)
    _path(board, dice.named("path"), sun[0], top)
    cast(board, ground=horizon + 0.01, water=horizon + (1 - horizon) * dice.between(0.12, 0.4))


def reflect(board: Board, shore: float, dice: Dice, *, strength: float) -> None:
    """Still water below `shore` (a share of the height): the upper picture mirrored, rippled and dimmed."""
    image, width = board.canvas.image, board.width
    top = round(shore * board.height)
    deep = board.height - top
    reach = min(top, round(deep * 1.5))
    if deep < 4 or reach < 4:
        return
    mirror = image.crop((0, top - reach, width, top)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    mirror = resized(mirror, (width, deep))
    water = Image.new(mirror.mode, mirror.size, board.palette.water)
    mirror = Image.composite(mirror, water, Image.new("L", mirror.size, round(255 * strength)))
    step = max(1, round(board.unit / 400))
    for y in range(0, deep, step):
        far = y / deep
        sway = math.sin(y / step * 0.7) * (1 + far * 4) + dice.between(-1, 1) * (1 + far * 4)
        shift = round(sway * board.unit / 1100)
        row = mirror.crop((0, y, width, min(deep, y + step)))
        image.paste(row, (shift - width if shift > 0 else shift + width, top + y))
        image.paste(row, (shift, top + y))


def _sparkle(board: Board, dice: Dice, shore: float) -> None:
    """A few lines of light across the water."""
    top = shore * board.height
    light = mix(board.palette.horizon, WHITE, 0.3)
    for _ in range(board.more(16)):
        far = dice.between(0.02, 1) ** 1.5
        y = top + far * (board.height - top)
        x, long = dice.between(0, board.width), board.unit * dice.between(0.05, 0.25) * (0.4 + far)
        board.canvas.ellipse(x, y, long, max(0.6, board.unit * 0.0016 * (0.5 + far)), light, 0.35)


def _headland(board: Board, dice: Dice, top: float) -> None:
    """Land on one side, falling to the water."""
    side = dice.chance(0.5)
    for step in range(2):
        reach = board.width * dice.between(0.3, 0.5) * (1 - 0.35 * step)
        tall = min(board.height, board.unit) * dice.between(0.07, 0.15) * (1 - 0.25 * step)
        rough = ridge(dice.named(f"{step}"), 60, lumps=3)
        line: list[Point] = []
        for index in range(61):
            t = index / 60
            fall = (1 - t) ** 0.7 * (0.75 + 0.25 * rough[index])
            x = t * reach
            line.append((x if side else board.width - x, top + 1 - tall * fall * (1 if t < 1 else 0)))
        line.sort()
        colour = mix(mix(board.palette.far, board.palette.horizon, 0.25), board.palette.near, 0.25 + step * 0.45)
        board.canvas.polygon([*line, (line[-1][0], top + 2), (line[0][0], top + 2)], colour)


def _path(board: Board, dice: Dice, x: float, top: float) -> None:
    """The sun's road on the water: dashes of light, narrow far off and broad near."""
    light, deep = board.palette.light, board.height - top
    board.canvas.glow(x, top, board.unit * 0.5, light, 0.45, flat=0.35)
    for _ in range(board.more(130)):
        far = dice.between(0.005, 1) ** 1.25
        spread = board.unit * (0.035 + 0.17 * far)
        at = x + spread * (dice.between(-1, 1) + dice.between(-1, 1)) * 0.6
        long = board.unit * dice.between(0.01, 0.05) * (0.35 + 1.2 * far)
        thick = max(0.5, board.unit * 0.0016 * (0.6 + 2.2 * far))
        board.canvas.ellipse(at, top + far * deep, long, thick, light, dice.between(0.35, 0.9) * (1 - 0.6 * far))


def _swells(board: Board, dice: Dice, top: float, deep: RGB) -> None:
    """Long waves, closer and darker towards us, each with a rim of light."""
    height, palette = board.height - top, board.palette
    count = 4 + board.detail
    for step in range(count):
        near = (step + 1.2) / (count + 0.4)
        base = top + height * (0.14 + 0.82 * near**1.5)
        swing = min(height, board.unit * 0.5) * (0.008 + 0.05 * near**1.4)
        knots = max(6, round((14 - 6 * near) * board.width / board.unit))
        shift = dice.between(-1, 0)
        line = curve(
            [(board.width * (i + shift) / (knots - 3), base + swing * dice.between(-1, 1)) for i in range(knots)],
            steps=10,
        )
        colour = mix(mix(deep, palette.horizon, 0.22 * (1 - near)), darker(palette.near, 0.02), 0.5 * near)
        body = [*line, (board.width + 9, board.height + 9), (-9, board.height + 9)]
        board.canvas.polygon(body, Gradient((lighter(colour, 0.035), colour, darker(colour, 0.03))), 0.55)
        rim = mix(colour, palette.light, 0.35)
        board.canvas.line(line, board.unit * (0.0012 + 0.002 * near), rim, 0.3)
