"""The style words of a prompt: the medium a picture is painted in, and the tones it keeps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image

from limner.providers.sketches.dice import Dice
from limner.providers.sketches.media import blueprint, ink, neon, oil, pencil, pixel, riso, watercolour
from limner.providers.sketches.palette import Palette
from limner.providers.sketches.pixels import EVEN, HARD, SMOOTH, Size, mapped, resized, tinted


@dataclass(frozen=True, slots=True)
class Medium:
    """A way to paint. `longest` is the size its painter works at for a 1K picture: softness needs no pixels."""

    longest: int
    paint: Callable[[Image.Image, Palette, Dice], Image.Image]


def working_size(styles: Sequence[str], size: Size) -> Size:
    """How large to paint a picture that a style will then stretch to `size`."""
    medium = _medium(styles)
    if medium is None:
        return size
    limit = medium.longest * max(1.0, (max(size) / 1024) ** 0.6)
    scale = min(1.0, limit / max(size))
    return max(8, round(size[0] * scale)), max(8, round(size[1] * scale))


def styled(picture: Image.Image, size: Size, styles: Sequence[str], palette: Palette, dice: Dice) -> Image.Image:
    """The picture at `size` in the medium and the tones the prompt names; clear parts stay clear."""
    medium = _medium(styles)
    colours = _flattened(picture, palette)
    if medium:
        small = working_size(styles, size)
        colours = medium.paint(colours if colours.size == small else resized(colours, small, EVEN), palette, dice)
    if colours.size != size:
        colours = resized(colours, size, HARD if "pixel" in styles else SMOOTH)
    for tone in (_TONES[style] for style in styles if style in _TONES):
        colours = tone(colours)
    if picture.mode == "RGBA":
        colours.putalpha(resized(picture.getchannel("A"), size))
    return colours


def _medium(styles: Sequence[str]) -> Medium | None:
    return next((_MEDIA[style] for style in styles if style in _MEDIA), None)


def _flattened(picture: Image.Image, palette: Palette) -> Image.Image:
    """The picture on paper where it is clear, so that no medium sees edges that are not there."""
    if picture.mode != "RGBA":
        return picture.copy()
    sheet = Image.new("RGB", picture.size, palette.paper)
    sheet.paste(picture, (0, 0), picture)
    return sheet


def _mono(picture: Image.Image) -> Image.Image:
    return tinted(picture.convert("L"), ((10, 11, 13), (58, 60, 64), (134, 136, 139), (208, 208, 206), (250, 249, 246)))


def _sepia(picture: Image.Image) -> Image.Image:
    """Brown tones that darken towards the corners."""
    sheet = tinted(
        picture.convert("L"), ((34, 22, 14), (110, 78, 50), (190, 154, 112), (236, 214, 176), (250, 238, 212))
    )
    corners = mapped(Image.radial_gradient("L"), lambda level: (level - 120) * 0.9)
    sheet.paste((40, 24, 14), (0, 0), resized(corners, picture.size))
    return sheet


_MEDIA = {
    "watercolour": Medium(640, watercolour),
    "ink": Medium(680, ink),
    "oil": Medium(520, oil),
    "pencil": Medium(760, pencil),
    "riso": Medium(1024, riso),
    "pixel": Medium(400, pixel),
    "neon": Medium(640, neon),
    "blueprint": Medium(820, blueprint),
}
_TONES: dict[str, Callable[[Image.Image], Image.Image]] = {"mono": _mono, "sepia": _sepia}
