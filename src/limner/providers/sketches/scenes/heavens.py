"""The sky above a scene: its colours, sun or moon, clouds and stars."""

from PIL import Image, ImageChops

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Canvas, Gradient
from limner.providers.sketches.colour import WHITE, darker, lighter, mix
from limner.providers.sketches.curves import Point, crescent
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.pixels import mapped, resized
from limner.providers.sketches.texture import field

_SHRINK = 4


def heaven(board: Board, *, horizon: float, low: bool = False) -> Point:
    """Paint the sky down to `horizon` (a share of the height); tells where the sun or moon stands.

    `low` brings the sun down to the horizon, for the light on water.
    """
    dice = board.dice.named("sky")
    near = dice.between(0.72, 0.93) if low else dice.between(0.4, 0.72)
    at = (dice.between(0.24, 0.76), horizon * near)
    sun = (at[0] * board.width, at[1] * board.height)
    if board.clear:
        return sun
    radius = dice.between(0.045, 0.085)
    soft = board.canvas.small(_SHRINK)
    _air(soft, board, horizon, dice, clouded=not board.palette.night)
    soft.glow(at[0] * soft.width, at[1] * soft.height, radius * soft.unit * 9, board.palette.light, 0.5)
    soft.glow(at[0] * soft.width, at[1] * soft.height, radius * soft.unit * 3.2, board.palette.light, 0.5)
    board.canvas.lay(soft)
    if board.palette.night:
        twinkle(board, dice.named("stars"), horizon)
    elif board.palette.dark:
        twinkle(board, dice.named("stars"), horizon * 0.5, density=0.3)
    disc(board, dice, sun, radius * board.unit)
    return sun


def disc(board: Board, dice: Dice, at: Point, radius: float) -> None:
    """The sun or the moon itself; at night often a crescent or a cratered full moon."""
    canvas, palette = board.canvas, board.palette
    night = palette.night and not board.reading.says("sun", "sunset", "sunrise", "dawn", "dusk")
    if not night:
        canvas.circle(*at, radius, palette.light)
    elif not board.reading.says("full") and (board.reading.says("crescent") or dice.chance(0.45)):
        canvas.circle(*at, radius, palette.light, 0.1)
        canvas.polygon(crescent(*at, radius, dice.between(-60, -10)), palette.light)
    else:
        canvas.circle(*at, radius, palette.light)
        for _ in range(7):
            x, y, size = dice.between(-0.55, 0.55), dice.between(-0.55, 0.55), dice.between(0.06, 0.2)
            canvas.circle(at[0] + x * radius, at[1] + y * radius, size * radius, darker(palette.light, 0.06), 0.7)


def twinkle(board: Board, dice: Dice, horizon: float, *, density: float = 1.0) -> None:
    """Stars: many faint ones, a few that glow."""
    canvas, size = board.canvas, board.unit / 1024
    area = (board.width * board.height / board.unit**2) ** 0.7
    for _ in range(board.more(230 * density * area)):
        x, y = dice.between(0, board.width), dice.between(0, 1) ** 1.3 * board.height * horizon
        canvas.dot(x, y, size * (0.5 + 1.3 * dice.between(0, 1) ** 3), WHITE, dice.between(0.2, 0.95))
    for _ in range(board.more(8 * density * area)):
        x, y = dice.between(0, board.width), dice.between(0, 0.8) * board.height * horizon
        bright = dice.between(0.5, 1)
        canvas.glow(x, y, size * 13 * bright, mix(WHITE, board.palette.light, 0.6), 0.55)
        canvas.dot(x, y, size * 2.1 * bright, WHITE)


def veil(dice: Dice) -> Image.Image:
    """A small mask of thin stretched clouds, thickest towards the horizon."""
    streaks = resized(field(dice, (96, 256), coarse=2, octaves=5), (256, 80))
    fade = resized(Image.linear_gradient("L"), (256, 80))
    return mapped(ImageChops.multiply(streaks, fade), lambda level: (level - 84) * 1.5)


def _air(soft: Canvas, board: Board, horizon: float, dice: Dice, *, clouded: bool) -> None:
    """The colours of the sky on a small canvas, with thin clouds by day."""
    palette = board.palette
    down = soft.height * horizon
    soft.block(0, 0, soft.width, down, Gradient(palette.sky))
    soft.block(0, down, soft.width, soft.height, palette.horizon)
    if clouded:
        colour = lighter(mix(palette.horizon, WHITE, 0.4), 0.02)
        mask = resized(veil(dice.named("clouds")), (soft.width, max(1, round(down))))
        soft.image.paste(colour, (0, 0), mask)
