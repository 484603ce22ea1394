"""Changes to existing pictures: recolouring, styles, additions, collages, and repainting inside a mask."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from PIL import Image, ImageOps

from limner.providers.sketches.adjust import adjusted, can_adjust
from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Canvas
from limner.providers.sketches.cast import cast
from limner.providers.sketches.collage import collage
from limner.providers.sketches.colour import RGB, lightness
from limner.providers.sketches.cutout import lifted
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.draw import Order, Stage, draw
from limner.providers.sketches.palette import Palette, choose
from limner.providers.sketches.pixels import EVEN, Size, mapped, resized, tinted
from limner.providers.sketches.scenes.poster import inscription
from limner.providers.sketches.styles import styled
from limner.providers.sketches.words import Reading, read

_STRONG, _FAINT = 0.62, 0.34
"""How far a recolouring goes: where colours or a mood are named, and where the instruction names nothing we know."""


def edit(order: Order, pictures: Sequence[Image.Image], mask: Image.Image | None = None) -> Iterator[Stage]:
    """Change the first picture, or put several together; with a mask, repaint only its transparent area."""
    size = (order.width, order.height)
    if mask is not None:
        yield from _repainted(order, _fitted(pictures[0], size), mask)
        return
    reading = read(order.prompt)
    dice = Dice(f"{order.seed}|{order.prompt}")
    palette = choose(reading, dice.named("palette"))
    base = _fitted(pictures[0], size) if len(pictures) == 1 else collage(pictures, size, palette, dice.named("collage"))
    yield Stage(0.3, "composing", base)
    changed = adjusted(base, reading)
    if strength := _strength(reading, several=len(pictures) > 1):
        changed = recoloured(changed, palette, strength)
    yield Stage(0.6, "painting", changed)
    changed = _added(changed, Board(Canvas(1, 1), dice, palette, reading, order.detail))
    changed = styled(changed, size, reading.styles, palette, dice.named("style"))
    yield Stage(1.0, "painted", lifted(changed) if order.clear else changed)


def borrowed(pictures: Sequence[Image.Image]) -> tuple[RGB, ...]:
    """The leading colours of reference pictures, most used first."""
    found: list[RGB] = []
    for picture in pictures:
        few = resized(picture.convert("RGB"), (48, 48), EVEN).quantize(5)
        table = few.getpalette() or []
        shares = sorted(
            ((count, index) for count, index in few.getcolors() or [] if isinstance(index, int)), reverse=True
        )
        for _, index in shares[: max(1, 5 // len(pictures))]:
            found.append((table[index * 3], table[index * 3 + 1], table[index * 3 + 2]))
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


def _strength(reading: Reading, *, several: bool) -> float:
    """How much of the palette goes over the picture: all other changes leave its colours alone."""
    if reading.colours or reading.moods:
        return _STRONG
    known = reading.styles or reading.things or reading.lettering or can_adjust(reading) or several
    return 0.0 if known else _FAINT


def _added(picture: Image.Image, board: Board) -> Image.Image:
    """Things and words the instruction names, painted onto the picture."""
    if not board.reading.things and not board.reading.lettering:
        return picture
    canvas = Canvas(*picture.size)
    canvas.image = picture.convert("RGB")
    onto = replace(board, canvas=canvas)
    cast(onto, ground=0.94, water=0.8, without=frozenset())
    inscription(onto)
    if picture.mode == "RGBA":
        canvas.image.putalpha(picture.getchannel("A"))
    return canvas.image


def _repainted(order: Order, base: Image.Image, mask: Image.Image) -> Iterator[Stage]:
    """A new picture drawn for the hole in the mask, in the colours of what is around it."""
    keep = resized(mask.getchannel("A"), base.size)
    hole = mapped(keep, lambda level: 255 - level).getbbox() or (0, 0, *base.size)
    width, height = max(16, hole[2] - hole[0]), max(16, hole[3] - hole[1])
    around = order.borrowed if not read(order.prompt).colours else ()
    inner = replace(order, width=width, height=height, clear=False, borrowed=around)
    for stage in draw(inner):
        yield replace(stage, picture=_set_in(base, stage.picture, hole[:2], keep))


def _set_in(base: Image.Image, fresh: Image.Image, at: tuple[int, int], keep: Image.Image) -> Image.Image:
    whole = base.copy()
    whole.paste(fresh.convert(base.mode), at)
    whole.paste(base, (0, 0), keep)
    return whole


def _fitted(picture: Image.Image, size: Size) -> Image.Image:
    return picture if picture.size == size else ImageOps.fit(picture, size)
