"""Great clouds, one bank before the other."""

from collections.abc import Iterator

from PIL import Image, ImageChops, ImageFilter

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Canvas, Gradient
from limner.providers.sketches.cast import cast
from limner.providers.sketches.colour import RGB, WHITE, mix
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.pixels import SMOOTH, Size, mapped, resized
from limner.providers.sketches.scenes.heavens import twinkle
from limner.providers.sketches.texture import field

_LONG = 320


def clouds(board: Board) -> Iterator[None]:
    """Banks of cumulus in the light of a low sun: bright heads, bodies that dissolve in the air below."""
    dice = board.dice.named("clouds")
    soft = board.canvas.small(max(1, round(max(board.width, board.height) / _LONG)))
    soft.cover(Gradient(board.palette.sky))
    sun = (soft.width * dice.between(0.2, 0.8), soft.height * dice.between(0.3, 0.52))
    soft.glow(*sun, soft.unit * 0.75, board.palette.light, 0.5)
    soft.circle(*sun, soft.unit * dice.between(0.05, 0.09), board.palette.light)
    board.canvas.lay(soft)
    yield
    banks = 3 + (board.detail > 1)
    for bank in range(banks):
        _bank(soft, board, dice.named(f"bank {bank}"), bank / (banks - 1), sun)
    board.canvas.lay(soft)
    yield
    if board.palette.dark:
        twinkle(board, dice.named("stars"), 0.3, density=0.5)
    cast(board, ground=0.9)


def _bank(soft: Canvas, board: Board, dice: Dice, near: float, sun: tuple[float, float]) -> None:
    """One bank: where it is dense it covers, where it faces the sun it shines."""
    edge = max(2, soft.unit // 24)
    size = (soft.width + 2 * edge, soft.height + edge)
    inner = (edge, 0, edge + soft.width, soft.height)
    rough = field(dice, size, coarse=5 - round(2 * near), octaves=5, gain=0.52)
    smooth = rough.filter(ImageFilter.GaussianBlur(soft.unit / 70))
    rise = _rise(size, 0.36 + 0.48 * near, 0.26)
    cover = mapped(Image.blend(rough, rise, 0.6), lambda level: (level - 120) * 8).crop(inner)
    thick = Image.blend(smooth, rise, 0.5)
    side = 1 if sun[0] < soft.width / 2 else -1
    away = ImageChops.offset(thick, side * max(1, soft.unit // 70), max(1, soft.unit // 36))
    lit = mapped(ImageChops.subtract(thick, away, 1, 60), lambda level: (level - 60) * 11).crop(inner)
    head, shadow = _tones(board, near)
    body = Canvas(soft.width, soft.height)
    body.cover(Gradient((mix(head, shadow, 0.3), mix(head, shadow, 0.5), mix(head, shadow, 0.75), shadow)))
    body.shade(mapped(smooth, lambda level: (118 - level) * 2.4).crop(inner), shadow, 0.75)
    body.shade(lit, head, 0.95)
    soft.lay(body, cover)


def _rise(size: Size, level: float, steep: float) -> Image.Image:
    """Empty above, full below: where a bank stands."""
    profile = bytes(round(255 * min(1.0, max(0.0, (y / 255 - level) / steep + 0.5))) for y in range(256))
    return resized(Image.frombytes("L", (1, 256), profile), size, SMOOTH)


def _tones(board: Board, near: float) -> tuple[RGB, RGB]:
    """The lit head and the shaded body of a bank: far ones melt into the horizon."""
    sky = board.palette.sky
    head = mix(mix(board.palette.horizon, WHITE, 0.45), sky[-2], 0.12 + 0.3 * near)
    return head, mix(mix(sky[-2], sky[len(sky) // 2], 0.6), mix(sky[0], board.palette.near, 0.15), 0.15 + 0.6 * near)
