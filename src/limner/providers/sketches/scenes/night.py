"""Night skies for their own sake: stars and galaxies, and the northern lights."""

import math
from collections.abc import Iterator

from PIL import Image, ImageChops, ImageFilter

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Gradient
from limner.providers.sketches.cast import cast
from limner.providers.sketches.colour import WHITE, darker, lighter, mix, muted
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.pixels import mapped, resized
from limner.providers.sketches.scenes.heavens import disc, twinkle
from limner.providers.sketches.scenes.water import reflect
from limner.providers.sketches.texture import field, ridge, skyline


def night(board: Board) -> Iterator[None]:
    """The milky way over a dark shore and its reflection."""
    dice = board.dice.named("night")
    _sky(board, _galaxy(board, dice.named("galaxy")))
    yield
    twinkle(board, dice.named("stars"), 0.95, density=2.2)
    if board.reading.says("moon", "moonlit", "moonlight"):
        at = (board.width * dice.between(0.25, 0.75), board.height * dice.between(0.18, 0.4))
        board.canvas.glow(*at, board.unit * 0.4, board.palette.light, 0.5)
        disc(board, dice.named("moon"), at, board.unit * dice.between(0.05, 0.08))
    yield
    if not board.reading.says("space", "galaxy", "nebula", "universe", "cosmos", "planet"):
        _shore(board, dice.named("shore"))
    cast(board, ground=0.8, water=0.84)


def aurora(board: Board) -> Iterator[None]:
    """Curtains of light above a dark ridge."""
    dice = board.dice.named("aurora")
    curtains = [_curtain(dice.named(f"curtain {number}")) for number in range(2 + board.detail)]
    light = curtains[0]
    for curtain in curtains[1:]:
        light = ImageChops.lighter(light, curtain)
    palette = board.palette
    green = lighter(muted(palette.accent(0), 1.15), 0.06)
    glow = Gradient((lighter(muted(palette.accent(1), 1.2), 0.04), palette.accent(0), green, lighter(green, 0.1)))
    _sky(board, [(light, glow)])
    yield
    twinkle(board, dice.named("stars"), 0.85)
    yield
    _shore(board, dice.named("shore"))
    cast(board, ground=0.8, water=0.84)


def _sky(board: Board, lights: list[tuple[Image.Image, Gradient | tuple[int, int, int]]]) -> None:
    """The night air with lights laid through masks, all of it soft and so painted small."""
    soft = board.canvas.small(3)
    soft.cover(Gradient(board.palette.sky))
    for mask, fill in lights:
        sheet = board.canvas.small(3)
        sheet.cover(fill)
        soft.lay(sheet, mask)
    board.canvas.lay(soft)


def _galaxy(board: Board, dice: Dice) -> list[tuple[Image.Image, Gradient | tuple[int, int, int]]]:
    """A slanting band of glowing dust, densest along its middle: masks and their colours."""
    size = 300
    dust = field(dice, (size, size), coarse=3, octaves=6, gain=0.58)
    glow = ImageChops.multiply(mapped(dust, lambda level: (level / 255) ** 1.4 * 255), _band(dice, size))
    lumps = field(dice.named("core"), (size, size), coarse=5, octaves=5)
    core = ImageChops.multiply(glow, lumps)
    dark = ImageChops.multiply(mapped(lumps, lambda level: (120 - level) * 3), mapped(glow, lambda level: level * 0.8))
    palette = board.palette
    first = lighter(muted(mix(palette.accent(0), palette.sky[-1], 0.4), 1.1), 0.1)
    return [
        (glow, first),
        (dark, palette.sky[0]),
        (mapped(core, lambda level: level * 1.1), lighter(palette.accent(1), 0.25)),
        (mapped(core, lambda level: (level - 90) * 2.2), mix(WHITE, palette.light, 0.5)),
    ]


def _band(dice: Dice, size: int) -> Image.Image:
    slant, middle, wide = dice.sign() * dice.between(0.3, 0.9), dice.between(0.32, 0.45), dice.between(50, 74)
    profile = bytes(round(255 * math.exp(-(((y - size) / wide) ** 2))) for y in range(size * 2))
    across = resized(Image.frombytes("L", (1, size * 2), profile), (size, size * 2))
    shear = (1, 0, 0, slant, 1, size - middle * size - slant * size / 2)
    return across.transform((size, size), Image.Transform.AFFINE, shear, Image.Resampling.BILINEAR)


def _curtain(dice: Dice) -> Image.Image:
    """One fold of aurora: rays standing on a winding line, as a small mask."""
    width, height = 288, 200
    line = ridge(dice, width, rough=0.4, lumps=2)
    rays = ridge(dice.named("rays"), width, rough=0.85, lumps=30)
    base, long = height * dice.between(0.48, 0.72), height * dice.between(0.4, 0.62)
    ray = mapped(resized(Image.linear_gradient("L"), (1, 64)), lambda level: (level / 255) ** 2 * 255)
    light, cut = Image.new("L", (width, height)), dict[int, Image.Image]()
    for x in range(width):
        strength = min(1.0, max(0.0, 0.5 + 0.4 * rays[x] + 0.25 * math.sin(x / width * math.pi)))
        tall = max(4, round(long * (0.75 + 0.25 * rays[(x * 3) % width])))
        y = round(base - line[x] * height * 0.17)
        if tall not in cut:
            cut[tall] = resized(ray, (1, tall))
        light.paste(round(255 * strength), (x, y - tall, x + 1, y), cut[tall])
        light.paste(round(110 * strength), (x, y, x + 1, y + 5))
    return light.filter(ImageFilter.GaussianBlur(1.3))


def _shore(board: Board, dice: Dice) -> None:
    """Two dark ridges, and mostly water that mirrors everything above."""
    shore = dice.between(0.7, 0.8)
    base = shore * board.height
    swing = min(board.height, board.unit * 1.5) * 0.05
    for step, colour in enumerate((mix(board.palette.near, board.palette.far, 0.35), darker(board.palette.near, 0.01))):
        line = skyline(
            ridge(dice.named(f"{step}"), 140, lumps=2), board.width, base - swing * (1.4 - step * 0.9), swing
        )
        board.canvas.ground([(x, min(y, base + 1)) for x, y in line], base + 1, colour)
    board.canvas.block(0, base, board.width, board.height, darker(board.palette.near, 0.01))
    if dice.chance(0.8):
        reflect(board, shore, dice.named("water"), strength=0.72)
