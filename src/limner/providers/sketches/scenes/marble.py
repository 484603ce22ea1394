"""Fluid patterns: marbled paper, agate and ink in water, from one warped field of noise."""

from collections.abc import Iterator

from PIL import Image, ImageFilter

from limner.providers.sketches.board import Board
from limner.providers.sketches.colour import RGB, darker, lighter, mix
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.pixels import SMOOTH, indexed, mapped, resized
from limner.providers.sketches.texture import field, stretched

_SIZE = 320
_MESH = 20


def marble(board: Board) -> Iterator[None]:
    dice = board.dice.named("marble")
    flow = _warped(field(dice, (_SIZE, _SIZE), coarse=2, octaves=5, gain=0.48), dice)
    part = _window(board)
    yield
    bands = _bands(board, dice.named("bands"))
    _lay(board, flow.crop(part), bands)
    yield
    _light(board, flow.crop(part))


def _window(board: Board) -> tuple[int, int, int, int]:
    """The part of the square field with the picture's proportions."""
    long = max(board.width, board.height)
    wide, high = max(24, round(_SIZE * board.width / long)), max(24, round(_SIZE * board.height / long))
    return (0, 0, wide, high)


def _warped(flow: Image.Image, dice: Dice) -> Image.Image:
    """The field pulled about, twice, as if it were wet."""
    for round_ in range(2):
        pull = [
            Image.Image.tobytes(field(dice.named(f"pull {round_} {axis}"), (_MESH + 1, _MESH + 1), coarse=3, octaves=3))
            for axis in "xy"
        ]
        flow = flow.transform(flow.size, Image.Transform.MESH, _mesh(pull, 58), Image.Resampling.BILINEAR)
    return stretched(flow.filter(ImageFilter.GaussianBlur(0.8)))


def _mesh(pull: list[bytes], reach: float) -> list[tuple[tuple[int, int, int, int], tuple[float, ...]]]:
    cell = _SIZE // _MESH

    def source(column: int, row: int) -> tuple[float, float]:
        at = row * (_MESH + 1) + column
        x = column * cell + (pull[0][at] / 255 - 0.5) * reach * 2
        y = row * cell + (pull[1][at] / 255 - 0.5) * reach * 2
        return min(max(x, 0), _SIZE - 1), min(max(y, 0), _SIZE - 1)

    return [
        (
            (column * cell, row * cell, (column + 1) * cell, (row + 1) * cell),
            (*source(column, row), *source(column, row + 1), *source(column + 1, row + 1), *source(column + 1, row)),
        )
        for row in range(_MESH)
        for column in range(_MESH)
    ]


def _bands(board: Board, dice: Dice) -> list[RGB]:
    """256 colours: broad pools with thin pale veins between them. Every change takes a few levels: that is
    what keeps the edges smooth."""
    palette = board.palette
    pools = dice.shuffled([*palette.accents[:2], palette.accent(dice.whole(2, 3)), palette.ink])
    vein = lighter(palette.paper, 0.02)
    colours: list[RGB] = [pools[-1]]
    number = 0
    while len(colours) < 256:
        pool = pools[number % len(pools)] if number % 5 != 4 else vein
        wide = dice.whole(16, 44) if pool != vein else dice.whole(8, 20)
        for edge in (mix(colours[-1], vein, 0.5), mix(vein, pool, 0.1), mix(vein, pool, 0.35), mix(vein, pool, 0.75)):
            colours.append(edge)
        colours.extend(mix(darker(pool, 0.05), lighter(pool, 0.03), step / wide) for step in range(wide))
        number += 1
    return colours[:256]


def _lay(board: Board, flow: Image.Image, colours: list[RGB]) -> None:
    wide = resized(flow, board.canvas.image.size, SMOOTH)
    board.canvas.cover(indexed(wide, [channel for colour in colours for channel in colour]))


def _light(board: Board, flow: Image.Image) -> None:
    """Light from the upper left on the thickness of the paint."""
    relief = flow.filter(ImageFilter.BoxBlur(1)).filter(
        ImageFilter.Kernel((3, 3), (-2, -1, 0, -1, 0, 1, 0, 1, 2), scale=0.8, offset=128)
    )
    board.canvas.shade(mapped(relief, lambda level: (level - 132) * 3), (255, 252, 244), 0.4)
    board.canvas.shade(mapped(relief, lambda level: (124 - level) * 3), darker(board.palette.ink, 0.05), 0.4)
