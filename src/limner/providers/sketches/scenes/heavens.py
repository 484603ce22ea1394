"""The sky above a scene: its colours, sun or moon, clouds and stars."""

from PIL import Image

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Gradient
from limner.providers.sketches.colour import WHITE, lighter, mix
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.pixels import SMOOTH, mapped, resized
from limner.providers.sketches.texture import field


def heaven(board: Board, *, horizon: float, body: bool = True) -> tuple[float, float]:
    """Paint the sky down to `horizon` (a share of the height); tells where the sun or moon stands."""
    dice = board.dice.named("sky")
    palette, canvas = board.palette, board.canvas
    sun = (board.width * dice.between(0.22, 0.78), board.height * horizon * dice.between(0.42, 0.74))
    if board.clear:
        return sun
    canvas.rectangle(0, 0, board.width, board.height * horizon, Gradient(palette.sky))
    canvas.rectangle(0, board.height * horizon - 1, board.width, board.height, palette.horizon)
    if palette.dark and not board.reading.says("sunset", "dusk", "sunrise", "dawn"):
        twinkle(board, dice.named("stars"), horizon)
    else:
        veil(board, dice.named("clouds"), horizon)
    if body:
        shine(board, dice, sun)
    return sun


def shine(board: Board, dice: Dice, sun: tuple[float, float]) -> None:
    """The sun or the moon with its light around it."""
    canvas, palette, unit = board.canvas, board.palette, board.unit
    radius = unit * dice.between(0.04, 0.085)
    x, y = sun
    canvas.glow(x, y, radius * 9, palette.light, 0.5)
    canvas.glow(x, y, radius * 3.2, palette.light, 0.5)
    crescent = palette.dark and not board.reading.says("sun", "full", "sunset")
    canvas.circle(x, y, radius, palette.light)
    if crescent and dice.chance(0.5):
        behind = mix(palette.sky[0], palette.sky[1], min(1.0, y / board.height * 2))
        canvas.circle(x + radius * 0.42, y - radius * 0.18, radius * 0.9, mix(behind, palette.light, 0.12))


def twinkle(board: Board, dice: Dice, horizon: float, *, density: float = 1.0) -> None:
    """Stars: many faint ones, a few that glow."""
    canvas = board.canvas
    size = board.unit / 1024
    for _ in range(board.more(170 * density)):
        x, y = dice.between(0, board.width), dice.between(0, 1) ** 1.3 * board.height * horizon
        canvas.circle(x, y, size * dice.between(0.5, 1.5), WHITE, dice.between(0.25, 0.95))
    for _ in range(board.more(9 * density)):
        x, y = dice.between(0, board.width), dice.between(0, 0.75) * board.height * horizon
        canvas.glow(x, y, size * dice.between(8, 15), board.palette.light, 0.7)
        canvas.circle(x, y, size * dice.between(1.5, 2.4), WHITE)


def veil(board: Board, dice: Dice, horizon: float) -> None:
    """Thin stretched clouds, brightest towards the horizon."""
    streaks = resized(field(dice, (96, 256), coarse=2, octaves=5), (256, 64), SMOOTH)
    fade = resized(Image.linear_gradient("L"), (256, 64))
    mask = Image.composite(streaks, Image.new("L", (256, 64)), fade)
    mask = mapped(mask, lambda level: (level - 105) * 0.9)
    size = (board.width, max(1, round(board.height * horizon)))
    full = resized(mask, size, SMOOTH)
    colour = lighter(mix(board.palette.horizon, WHITE, 0.35), 0.02)
    board.canvas.image.paste(Image.new(board.canvas.image.mode, size, colour), (0, 0), full)
