"""Skies for their own sake: stars and galaxies, aurora, clouds at sunset."""

import math
from collections.abc import Iterator

from PIL import Image, ImageChops, ImageFilter

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Gradient
from limner.providers.sketches.colour import RGB, WHITE, darker, lighter, mix, muted
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.pixels import SMOOTH, mapped, resized
from limner.providers.sketches.scenes.heavens import shine, twinkle
from limner.providers.sketches.texture import field, ridge, skyline, under


def night(board: Board) -> Iterator[None]:
    """The milky way over a dark shore and its reflection."""
    dice = board.dice.named("night")
    shore = dice.between(0.7, 0.8)
    board.canvas.rectangle(0, 0, board.width, board.height, Gradient(board.palette.sky))
    _galaxy(board, dice.named("galaxy"))
    yield
    twinkle(board, dice.named("stars"), 0.95, density=2.2)
    if board.reading.says("moon", "moonlit", "moonlight"):
        shine(
            board, dice.named("moon"), (board.width * dice.between(0.25, 0.75), board.height * dice.between(0.18, 0.4))
        )
    yield
    _shore(board, dice.named("shore"), shore)
    if dice.chance(0.75):
        reflect(board, shore, dice.named("water"))


def aurora(board: Board) -> Iterator[None]:
    """Curtains of light above a dark ridge."""
    dice = board.dice.named("aurora")
    board.canvas.rectangle(0, 0, board.width, board.height, Gradient(board.palette.sky))
    twinkle(board, dice.named("stars"), 0.9)
    yield
    for number in range(board.more(3)):
        _curtain(board, dice.named(f"curtain {number}"), number)
    yield
    shore = dice.between(0.76, 0.84)
    _shore(board, dice.named("shore"), shore)
    if dice.chance(0.6):
        reflect(board, shore, dice.named("water"))


def _galaxy(board: Board, dice: Dice) -> None:
    """A slanting band of glowing dust, densest along its middle."""
    size = (320, 320)
    dust = field(dice, size, coarse=3, octaves=6, gain=0.58)
    slant, middle, wide = dice.sign() * dice.between(0.3, 0.8), dice.between(0.32, 0.45), dice.between(52, 78)
    profile = bytes(round(255 * math.exp(-(((y - size[1]) / wide) ** 2))) for y in range(size[1] * 2))
    across = Image.frombytes("L", (1, size[1] * 2), profile)
    band = resized(across, (size[0], size[1] * 2)).transform(
        size,
        Image.Transform.AFFINE,
        (1, 0, 0, slant, 1, size[1] - middle * size[1] - slant * size[0] / 2),
        Image.Resampling.BILINEAR,
    )
    glow = ImageChops.multiply(mapped(dust, lambda level: (level / 255) ** 1.5 * 255), band)
    palette = board.palette
    first, second = palette.accent(0), palette.accent(1)
    board.canvas.shade(glow, lighter(muted(mix(first, palette.sky[-1], 0.4), 1.1), 0.1), 0.85)
    core = ImageChops.multiply(glow, field(dice.named("core"), size, coarse=5, octaves=5))
    board.canvas.shade(core, lighter(second, 0.25), 0.8)
    board.canvas.shade(mapped(core, lambda level: (level - 110) * 2), mix(WHITE, palette.light, 0.5), 0.8)


def _curtain(board: Board, dice: Dice, number: int) -> None:
    """One fold of aurora: rays standing on a winding line."""
    width, height = 384, 256
    line = ridge(dice, width, rough=0.42, lumps=2)
    rays = ridge(dice.named("rays"), width, rough=0.8, lumps=24)
    base = height * dice.between(0.45, 0.72)
    long = height * dice.between(0.35, 0.6)
    ray = mapped(Image.linear_gradient("L"), lambda level: (level / 255) ** 2.2 * 255)
    foot = ray.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    light = Image.new("L", (width, height))
    for x in range(width):
        strength = 0.45 + 0.35 * rays[x] + 0.2 * math.sin(x / width * math.pi)
        tall = max(4, round(long * (0.7 + 0.3 * rays[(x * 3) % width])))
        y = round(base - line[x] * height * 0.16)
        column = mapped(resized(ray, (1, tall)), lambda v, s=strength: v * s) if strength > 0 else None
        if column:
            light.paste(column, (x, y - tall))
            light.paste(mapped(resized(foot, (1, 14)), lambda v, s=strength: v * s), (x, y))
    light = light.filter(ImageFilter.GaussianBlur(1.6))
    palette = board.palette
    stops = (lighter(muted(palette.accent(1), 1.2), 0.05), palette.accent(0), lighter(palette.accent(0), 0.12))
    colours = Gradient(stops).tile(board.canvas.image.size)
    mask = resized(light, board.canvas.image.size, SMOOTH)
    board.canvas.image.paste(colours.convert(board.canvas.image.mode), (0, 0), mask)


def _shore(board: Board, dice: Dice, shore: float) -> None:
    base = shore * board.height
    far = mix(board.palette.near, board.palette.far, 0.4)
    for step, colour in enumerate((far, darker(board.palette.near, 0.01))):
        heights = ridge(dice.named(f"{step}"), 140, rough=0.5, lumps=2)
        line = skyline(heights, board.width, base - board.height * (0.075 - step * 0.045), board.height * 0.05)
        line = [(x, min(y, base + 1)) for x, y in line]
        board.canvas.polygon(under(line, base + 1), colour)
    board.canvas.rectangle(0, base, board.width, board.height, darker(board.palette.near, 0.01))


def reflect(board: Board, shore: float, dice: Dice, *, strength: float = 0.72) -> None:
    """Still water below `shore` (a share of the height): the upper picture mirrored, rippled and dimmed."""
    image = board.canvas.image
    top = round(shore * board.height)
    deep = board.height - top
    if deep < 4:
        return
    reach = min(top, round(deep * 1.6))
    mirror = image.crop((0, top - reach, board.width, top)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    mirror = resized(mirror, (board.width, deep))
    step = max(1, round(board.unit / 420))
    for y in range(0, deep, step):
        far = y / deep
        shift = round(
            math.sin(y * 0.9 / step) * (1 + far * 5) * board.unit / 1400
            + dice.between(-1, 1) * (1 + far * 3) * step * 0.6
        )
        row = mirror.crop((0, y, board.width, min(deep, y + step)))
        image.paste(row, (shift, top + y))
    water: RGB = mix(board.palette.sky[0], board.palette.near, 0.4)
    board.canvas.rectangle(0, top, board.width, board.height, water, 1 - strength)
