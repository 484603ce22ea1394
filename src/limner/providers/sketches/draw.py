"""From an order to a picture, in stages that can be watched and stopped between."""

from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from limner.providers.sketches import texture
from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Canvas
from limner.providers.sketches.colour import RGB
from limner.providers.sketches.cutout import medallion
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.families import Family, chosen
from limner.providers.sketches.palette import choose
from limner.providers.sketches.scenes.poster import inscription, poster
from limner.providers.sketches.styles import styled, working_size
from limner.providers.sketches.words import read


@dataclass(frozen=True, slots=True)
class Order:
    """What to draw. `detail` is 0 for a draft, 1, 2 for high, 3 with a deep extra pass."""

    prompt: str
    seed: int
    width: int
    height: int
    detail: int = 1
    clear: bool = False
    borrowed: tuple[RGB, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """How far the picture is: the fraction done, what is happening, and the picture as it stands."""

    fraction: float
    message: str
    picture: Image.Image


def draw(order: Order) -> Iterator[Stage]:
    """Paint the order; the last stage holds the finished picture at fraction 1."""
    reading = read(order.prompt)
    dice = Dice(f"{order.seed}|{order.prompt}")
    family = chosen(reading, dice.named("family"), alone=order.clear)
    canvas = Canvas(
        *working_size(reading.styles, (order.width, order.height)), clear=order.clear and family.stands_alone
    )
    palette = choose(reading, dice.named("palette"), family.moods, order.borrowed)
    board = Board(canvas, dice, palette, reading, order.detail)
    done = 0.1
    for _ in family.scene(board):
        yield Stage(done, "painting", canvas.finished())
        done += (0.8 - done) * 0.45
    if family.scene is not poster:
        inscription(board)
    yield Stage(done, "finishing", canvas.finished())
    yield Stage(1.0, "painted", _finished(board, family, order))


def _finished(board: Board, family: Family, order: Order) -> Image.Image:
    """Style and grain over the painting, and its shape cut out where the ground is to be transparent."""
    dice = board.dice.named("finish")
    picture = styled(board.canvas.finished(), (order.width, order.height), board.reading.styles, board.palette, dice)
    if picture.mode == "RGB" and family.grain and not board.reading.styles:
        texture.grain(picture, family.grain)
    return medallion(picture, dice) if order.clear and not board.clear else picture
