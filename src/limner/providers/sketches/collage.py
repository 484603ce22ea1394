"""Several pictures on one sheet."""

import itertools
from collections.abc import Sequence

from PIL import Image, ImageOps

from limner.providers.sketches.canvas import Canvas
from limner.providers.sketches.colour import RGB, darker
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.palette import Palette
from limner.providers.sketches.pixels import SMOOTH, Size

_CREAM: RGB = (252, 250, 245)


def collage(pictures: Sequence[Image.Image], size: Size, palette: Palette, dice: Dice) -> Image.Image:
    """The pictures in rows on paper; up to four may lie there loosely, as prints."""
    if len(pictures) <= 4 and dice.chance(0.4):
        return _prints(pictures, size, palette, dice)
    return _rows(pictures, size, palette)


def _rows(pictures: Sequence[Image.Image], size: Size, palette: Palette) -> Image.Image:
    """Rows filled edge to edge; every picture gets room by its own proportions."""
    width, height = size
    sheet = Image.new("RGB", size, palette.paper)
    gap = max(2, round(min(size) * 0.02))
    groups = _groups(pictures, size)
    top = gap
    for number, group in enumerate(groups):
        bottom = gap + (height - gap) * (number + 1) // len(groups)
        shares = [min(2.5, max(0.4, picture.width / picture.height)) for picture in group]
        left, used = gap, 0.0
        for picture, share in zip(group, shares, strict=True):
            used += share
            right = gap + round((width - gap) * used / sum(shares))
            room = (max(1, right - gap - left), max(1, bottom - gap - top))
            sheet.paste(ImageOps.fit(picture.convert("RGB"), room), (left, top))
            left = right
        top = bottom
    return sheet


def _groups(pictures: Sequence[Image.Image], size: Size) -> list[Sequence[Image.Image]]:
    rows = min(len(pictures), max(1, round((len(pictures) * size[1] / size[0]) ** 0.5)))
    cuts = [row * len(pictures) // rows for row in range(rows + 1)]
    return [pictures[start:end] for start, end in itertools.pairwise(cuts)]


def _prints(pictures: Sequence[Image.Image], size: Size, palette: Palette, dice: Dice) -> Image.Image:
    """Prints with white borders, each a little askew, with soft shadows."""
    canvas = Canvas(*size)
    canvas.cover(palette.accent(dice.whole(0, 3)))
    count = len(pictures)
    columns = min(count, max(1, round((count * size[0] / size[1]) ** 0.5)))
    rows = -(-count // columns)
    room = round(min(size[0] / columns, size[1] / rows) * 0.92)
    for number, picture in enumerate(pictures):
        inside = min(columns, count - number // columns * columns)
        middle = (size[0] * (number % columns + 0.5) / inside, size[1] * (number // columns + 0.5) / rows)
        _print(canvas, picture, middle, max(16, room), dice.between(-6, 6))
    return canvas.image


def _print(canvas: Canvas, picture: Image.Image, middle: tuple[float, float], room: int, turn: float) -> None:
    inner = ImageOps.contain(picture.convert("RGB"), (round(room * 0.86), round(room * 0.86)), SMOOTH)
    edge = max(2, round(room * 0.04))
    card = Image.new("RGBA", (inner.width + 2 * edge, inner.height + 2 * edge), (*_CREAM, 255))
    card.paste(inner, (edge, edge))
    lying = card.rotate(turn, Image.Resampling.BICUBIC, expand=True)
    left, top = middle[0] - lying.width / 2, middle[1] - lying.height / 2
    right, bottom = left + lying.width, top + lying.height
    drop = room * 0.02
    corners = [(left + drop, top + drop), (right - drop, top + drop), (right, bottom), (left + drop, bottom)]
    canvas.shadow(corners, room * 0.03, darker((60, 50, 50), 0.1), 0.4)
    canvas.paste(lying, left, top)
