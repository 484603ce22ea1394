"""Smaller and other forms of a picture: previews that fit a budget, widths and formats to choose from.

The original is never touched. What is made from it says how the picture came to be, keeps its colour profile,
stands upright, and carries nothing else over.
"""

import os
from dataclasses import dataclass
from math import sqrt
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngInfo

from limner.errors import Detail, InvalidRequest
from limner.images.pictures import BROKEN, MEDIA_TYPES, load, opened
from limner.images.provenance import XMP_KEYWORD, DigitalSource, xmp

WIDTHS = (256, 512, 768, 1024, 1536)
"""What a link may ask for: a fixed list, so that nobody can make us render one picture in every width."""

MIN_PREVIEW_BASE64_BYTES = 8_000
"""Metadata alone takes most of this."""

_JPEG, _PNG, _WEBP = "image/jpeg", "image/png", "image/webp"
_SETTINGS: dict[str, dict[str, Any]] = {
    _JPEG: {"format": "JPEG", "quality": 90},
    _PNG: {"format": "PNG", "compress_level": 1},  # more takes far longer and saves little
    _WEBP: {"format": "WEBP", "quality": 85, "method": 2, "alpha_quality": 80},  # below 2, alpha is not compressed
}
_GOOD, _FAIR = 82, 60
_PREVIEW_PROFILE_BYTES = 4_096
_ANY_HEIGHT = 1 << 30
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Rendition:
    data: bytes
    media_type: str
    width: int
    height: int


def preview(data: bytes, source: DigitalSource, *, max_px: int = 1024, max_base64_bytes: int = 200_000) -> Rendition:
    """At most `max_px` on each side and `max_base64_bytes` in base64: first the quality gives way, then the size.

    JPEG, which is quick to make and read everywhere; WebP where something shines through. NotAPicture for bytes
    that do not decode; ValueError for a budget below MIN_PREVIEW_BASE64_BYTES.
    """
    if max_base64_bytes < MIN_PREVIEW_BASE64_BYTES:
        raise ValueError(f"no preview fits into {max_base64_bytes} bytes")
    drawn = _drawn(data, max_px, max_px)
    image, profile = drawn.image, drawn.profile if len(drawn.profile) <= _PREVIEW_PROFILE_BYTES else b""
    media_type, most = _WEBP if image.mode == "RGBA" else _JPEG, max_base64_bytes // 4 * 3

    def encoded(quality: int) -> bytes:
        return _encoded(image, _SETTINGS[media_type] | {"quality": quality}, profile, xmp(source, drawn.xmp))

    while len(fitting := encoded(_GOOD)) > most and len(fitting := encoded(_FAIR)) > most:
        image = _resized(image, _shrunk(image.size, sqrt(most / len(fitting))))
    return Rendition(fitting, media_type, image.width, image.height)


def variant(
    data: bytes, source: DigitalSource, *, width: int | None = None, media_type: str | None = None
) -> Rendition:
    """The picture at most `width` pixels wide, as `media_type`; without them, and where they change nothing, as it is.

    InvalidRequest for a width or type that is not offered; NotAPicture for bytes that do not decode.
    """
    check_form(width, media_type)
    with opened(data) as image:
        own_type, stored_width = MEDIA_TYPES[image.format or ""], image.width
    media_type = media_type or own_type
    if media_type == own_type and (width is None or stored_width <= width):
        return Rendition(data, own_type, image.width, image.height)
    drawn = _drawn(data, width or _ANY_HEIGHT, _ANY_HEIGHT)
    image = _on_white(drawn.image) if media_type == _JPEG else drawn.image
    encoded = _encoded(image, _SETTINGS[media_type], drawn.profile, xmp(source, drawn.xmp))
    return Rendition(encoded, media_type, image.width, image.height)


def check_form(width: int | None, media_type: str | None) -> None:
    """Raises InvalidRequest for a width or type that is not offered."""
    if width is not None and width not in WIDTHS:
        raise _not_offered("width", ", ".join(map(str, WIDTHS)))
    if media_type is not None and media_type not in _SETTINGS:
        raise _not_offered("format", "png, jpeg, webp")


def compressed(data: bytes, source: DigitalSource, media_type: str, *, quality: int) -> Rendition:
    """The picture as JPEG or WebP at a quality of 0 to 100; NotAPicture for bytes that do not decode."""
    drawn = _drawn(data, _ANY_HEIGHT, _ANY_HEIGHT)
    image = _on_white(drawn.image) if media_type == _JPEG else drawn.image
    settings = _SETTINGS[media_type] | {"quality": quality}
    encoded = _encoded(image, settings, drawn.profile, xmp(source, drawn.xmp))
    return Rendition(encoded, media_type, image.width, image.height)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The decoded picture, upright, RGB or (only if something shines through) RGBA, without metadata."""

    image: Image.Image
    profile: bytes
    xmp: bytes


def _drawn(data: bytes, max_width: int, max_height: int) -> _Drawn:
    with opened(data) as image:
        orientation = _orientation(image)
        lying = orientation >= 5
        size = _fitted(image.size, (max_height, max_width) if lying else (max_width, max_height))
        image.draft("RGB", size)  # JPEG only: decodes at a half, quarter or eighth, which is many times faster
        load(image, data)
        profile, packet = _bytes(image.info.get("icc_profile")), _bytes(image.info.get("xmp"))
        plain = _plain(image)
        if plain.size != size:
            plain = _resized(plain, size)
        if orientation in _UPRIGHT:
            plain = plain.transpose(_UPRIGHT[orientation])
    plain.info = {}
    return _Drawn(plain, profile if profile[16:20] == b"RGB " else b"", packet)


def _orientation(image: ImageFile.ImageFile) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except BROKEN:
        return 1


def _fitted(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """The largest size of the same shape inside the box, never larger than it was."""
    scale = min(1.0, box[0] / size[0], box[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _plain(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits of grey
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")  # pyright: ignore[reportUnknownMemberType]
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    plain = image if image.mode == wanted else image.convert(wanted)
    shines_through = wanted == "RGBA" and plain.getchannel("A").getextrema()[0] != 255
    return plain if shines_through or wanted == "RGB" else plain.convert("RGB")


def _encoded(image: Image.Image, settings: dict[str, Any], profile: bytes, packet: str) -> bytes:
    metadata: dict[str, Any] = {"icc_profile": profile or None}
    if settings["format"] == "PNG":
        metadata["pnginfo"] = text = PngInfo()
        text.add_itxt(XMP_KEYWORD, packet)
    else:
        metadata["xmp"] = packet.encode()
    with _scratch_file() as out:
        image.save(out, **settings, **metadata)
        out.seek(0)
        return out.read()


def _scratch_file() -> BinaryIO:
    """Pillow lets go of the interpreter only while it encodes into a real file; this one has no name and no disk."""
    if hasattr(os, "memfd_create"):  # Linux
        return open(os.memfd_create("limner"), "w+b")
    return cast("BinaryIO", TemporaryFile())


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)  # pyright: ignore[reportUnknownMemberType]  (names numpy's types)


def _shrunk(size: tuple[int, int], fitting: float) -> tuple[int, int]:
    """Bytes go about with the square of the side; a little below, so that the next try is mostly the last."""
    scale = min(0.8, 0.9 * fitting)
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image)
    return white


def _bytes(value: object) -> bytes:
    """PNG's reader gives text where the others give bytes."""
    return value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else b""


def _not_offered(field: str, offered: str) -> InvalidRequest:
    message = f"{field} is one of {offered}."
    return InvalidRequest(message, details=[Detail(field, message, "not_offered")])
