"""Changes to existing pictures: recolouring, collages, and repainting inside a mask."""

from collections.abc import Iterator, Sequence

from PIL import Image, ImageOps

from limner.providers.sketches.colour import RGB, lightness
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.draw import Order, Stage, draw
from limner.providers.sketches.palette import Palette, choose
from limner.providers.sketches.pixels import EVEN, resized, tinted
from limner.providers.sketches.words import read


def edit(order: Order, pictures: Sequence[Image.Image], mask: Image.Image | None) -> Iterator[Stage]:
    """Change the first picture, or put several together; with a mask, repaint only its transparent area."""
    size = (order.width, order.height)
    if mask is not None:
        yield from _repainted(order, ImageOps.fit(pictures[0], size), mask)
        return
    dice = Dice(f"{order.seed}|{order.prompt}")
    palette = choose(read(order.prompt), dice.named("palette"))
    base = ImageOps.fit(pictures[0], size) if len(pictures) == 1 else collage(pictures, size, palette, dice)
    yield Stage(0.3, "composing", base)
    yield Stage(1.0, "painted", recoloured(base, palette, 0.5))


def borrowed(pictures: Sequence[Image.Image]) -> tuple[RGB, ...]:
    """The leading colours of reference pictures, most used first."""
    found: list[RGB] = []
    for picture in pictures:
        few = resized(picture.convert("RGB"), (48, 48), EVEN).quantize(5)
        table = few.getpalette() or []
        for _, index in sorted(few.getcolors() or [], reverse=True)[: max(1, 5 // len(pictures))]:
            place = int(index) * 3 if isinstance(index, int) else 0
            found.append((table[place], table[place + 1], table[place + 2]))
    return tuple(dict.fromkeys(found))


def recoloured(picture: Image.Image, palette: Palette, strength: float) -> Image.Image:
    """The picture's light and shade in the palette's colours."""
    tones = sorted({palette.ink, palette.near, *palette.accents[:3], palette.paper}, key=lightness)
    dyed = tinted(picture.convert("L"), tones)
    mixed = picture.convert("RGB")
    mixed.paste(dyed, (0, 0), Image.new("L", picture.size, round(255 * strength)))
    if picture.mode == "RGBA":
        mixed.putalpha(picture.getchannel("A"))
    return mixed


def collage(pictures: Sequence[Image.Image], size: tuple[int, int], palette: Palette, dice: Dice) -> Image.Image:
    """The pictures in rows on paper, every one whole enough to be known again."""
    width, height = size
    sheet = Image.new("RGB", size, palette.paper)
    rows = max(1, round((len(pictures) * height / width) ** 0.5))
    gap = round(min(size) * 0.02)
    groups = [pictures[row * len(pictures) // rows : (row + 1) * len(pictures) // rows] for row in range(rows)]
    top = gap
    for number, group in enumerate(groups):
        bottom = gap + (height - gap) * (number + 1) // rows
        left = gap
        for place, picture in enumerate(group):
            right = gap + (width - gap) * (place + 1) // len(group)
            piece = ImageOps.fit(picture.convert("RGB"), (max(1, right - gap - left), max(1, bottom - gap - top)))
            sheet.paste(piece, (left, top))
            left = right
        top = bottom
    return sheet


def _repainted(order: Order, base: Image.Image, mask: Image.Image) -> Iterator[Stage]:
    keep = resized(mask.getchannel("A"), base.size)
    for stage in draw(order):
        if stage.fraction < 1:
            yield Stage(stage.fraction, stage.message, base)
            continue
        fresh = stage.picture.convert(base.mode)
        fresh.paste(base, (0, 0), keep)
        yield Stage(1.0, "painted", fresh)
