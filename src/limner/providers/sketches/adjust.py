"""Plain changes an instruction can ask for by name: brighter, blurred, mirrored, framed and the like."""

from collections.abc import Callable

from PIL import Image, ImageFilter, ImageOps

from limner.providers.sketches.pixels import EVEN, SMOOTH, resized
from limner.providers.sketches.words import Reading

Change = Callable[[Image.Image], Image.Image]


def adjusted(picture: Image.Image, reading: Reading) -> Image.Image:
    """The picture after every change the instruction names; colours only, where it has alpha that stays."""
    changes = _named(reading)
    if not changes:
        return picture
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    colours = picture.convert("RGB")
    for change in changes:
        colours = change(colours)
        alpha = change(alpha.convert("RGB")).getchannel(0) if alpha and change in _MOVING else alpha
    if alpha:
        colours.putalpha(alpha)
    return colours


def can_adjust(reading: Reading) -> bool:
    """Whether the instruction names a change this module makes."""
    return bool(_named(reading))


def _named(reading: Reading) -> list[Change]:
    return [change for words, change in _CHANGES if reading.says(*words)]


def _veiled(picture: Image.Image, level: int, strength: float) -> Image.Image:
    picture.paste((level, level, level), (0, 0), Image.new("L", picture.size, round(255 * strength)))
    return picture


def _brighter(picture: Image.Image) -> Image.Image:
    return _veiled(picture, 255, 0.24)


def _darker(picture: Image.Image) -> Image.Image:
    return _veiled(picture, 8, 0.36)


def _faded(picture: Image.Image) -> Image.Image:
    grey = picture.convert("L").convert("RGB")
    picture.paste(grey, (0, 0), Image.new("L", picture.size, 170))
    return picture


def _blurred(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(max(picture.size) / 130))


def _sharper(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.UnsharpMask(radius=max(1.0, max(picture.size) / 500), percent=130, threshold=2))


def _mirrored(picture: Image.Image) -> Image.Image:
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def _turned(picture: Image.Image) -> Image.Image:
    return picture.transpose(Image.Transpose.ROTATE_180)


def _closer(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    return resized(picture, picture.size, SMOOTH, (width * 0.17, height * 0.17, width * 0.83, height * 0.83))


def _framed(picture: Image.Image) -> Image.Image:
    """On a passe-partout with a thin line, the whole picture still to be seen."""
    width, height = picture.size
    edge = round(min(width, height) * 0.07)
    sheet = Image.new("RGB", picture.size, (250, 247, 240))
    line = max(1, edge // 12)
    inner = (width - 2 * edge, height - 2 * edge)
    if min(inner) < 8:
        return picture
    sheet.paste((40, 38, 42), (edge - 2 * line, edge - 2 * line, width - edge + 2 * line, height - edge + 2 * line))
    sheet.paste(resized(picture, inner, EVEN), (edge, edge))
    return sheet


def _inverted(picture: Image.Image) -> Image.Image:
    return ImageOps.invert(picture)


_CHANGES: list[tuple[tuple[str, ...], Change]] = [
    (("brighter", "brighten", "lighter", "lighten", "exposure"), _brighter),
    (("darker", "darken", "dim", "shadowy"), _darker),
    (("desaturate", "fade", "faded", "muted", "washed"), _faded),
    (("blur", "blurred", "blurry", "soften", "softer", "bokeh"), _blurred),
    (("sharpen", "sharper", "crisp", "crisper", "sharp"), _sharper),
    (("invert", "inverted", "negative"), _inverted),
    (("mirror", "mirrored", "flip", "flipped"), _mirrored),
    (("rotate", "upside", "rotated"), _turned),
    (("zoom", "closer", "crop", "closeup"), _closer),
    (("frame", "framed", "border", "passepartout"), _framed),
]
_MOVING = frozenset({_mirrored, _turned, _closer})
