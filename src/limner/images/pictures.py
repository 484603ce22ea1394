"""What a picture's bytes really are; nothing that anybody claims about them is believed."""

import hashlib
import re
import struct
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageFile

from limner.errors import UnsupportedMedia
from limner.images import png

MAX_PIXELS = 64_000_000
MAX_SCANS = 64
"""Of a progressive JPEG: a real one has about ten, a hostile one makes the decoder walk the picture 100,000 times."""

# For the whole process: nothing here has any business with a larger picture, and a photo whose EXIF is a little
# off is still a photo, not worth a line on stderr.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "WEBP": "image/webp"}
"""MPO is what Pillow calls a JPEG with further pictures behind it, as many cameras write."""

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}

_BROKEN = "The picture is broken or cut off."
_FORMATS = ("PNG", "JPEG", "WEBP")
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)
_START_OF_SCAN, _END_OF_IMAGE = b"\xda", b"\xd9"
_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)
BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    struct.error,
    zlib.error,
)
"""What Pillow's readers raise on bytes that are not as they should be."""

_OURS = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"RIFF": "WebP"}
_OTHERS = {
    b"GIF8": "a GIF",
    b"%PDF": "a PDF",
    b"BM": "a BMP",
    b"II*\0": "a TIFF",
    b"MM\0*": "a TIFF",
    b"\0\0\0\x0cjP": "a JPEG 2000",
    b"<svg": "an SVG",
    b"<": "XML, SVG or HTML",
    b"{": "JSON",
    b"PK": "a ZIP archive",
}


class NotAPicture(UnsupportedMedia):
    """The bytes are not a whole PNG, JPEG or WebP picture of a size we handle; the message says what they are."""


@dataclass(frozen=True, slots=True)
class Picture:
    media_type: str
    width: int
    """In pixels, as stored: a JPEG's orientation tag is not applied."""

    height: int
    has_alpha: bool


def inspect(data: bytes) -> Picture:
    """Read from the header alone, in microseconds; NotAPicture if there is none. The rest may still be broken."""
    with opened(data) as image:
        return _picture(image)


def decode_check(data: bytes) -> Picture:
    """`inspect`, and the proof that all of it decodes. Takes time by the pixel, and memory unless it is a PNG: see `picture_pool`."""
    with opened(data) as image:
        picture = _picture(image)
        if image.format == "PNG":
            _check_png(data)
        else:
            image.draft(None, (1, 1))  # of a JPEG all data is read all the same, and one pixel made of each 64
            load(image, data)
    return picture


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def opened(data: bytes) -> ImageFile.ImageFile:
    """For this package: the picture with its header read and nothing decoded."""
    try:
        image = Image.open(BytesIO(data), formats=_FORMATS)
    except _TOO_LARGE:
        raise NotAPicture(f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels.") from None
    except BROKEN:
        raise NotAPicture(_what_it_is(data)) from None
    return image


def load(image: ImageFile.ImageFile, data: bytes) -> None:
    """For this package: decode the picture that `opened(data)` gave, or say that it is broken."""
    if MEDIA_TYPES[image.format or ""] == "image/jpeg" and _scans(data) > MAX_SCANS:
        raise NotAPicture("The JPEG has more scans than any real picture.")
    try:
        image.load()
    except BROKEN:
        raise NotAPicture(_BROKEN) from None


def _check_png(data: bytes) -> None:
    try:
        whole = png.is_whole(data)
    except (struct.error, zlib.error):
        whole = False
    if not whole:
        raise NotAPicture(_BROKEN)


def _picture(image: ImageFile.ImageFile) -> Picture:
    return Picture(MEDIA_TYPES[image.format or ""], image.width, image.height, image.has_transparency_data)


def _scans(jpeg: bytes) -> int:
    """How many scans its first picture has, counted no further than is needed to refuse it."""
    scans, at = 0, 2
    while (marker := _JPEG_MARKER.search(jpeg, at)) and marker[1] != _END_OF_IMAGE and scans <= MAX_SCANS:
        scans += marker[1] == _START_OF_SCAN
        at = marker.end() + int.from_bytes(jpeg[marker.end() : marker.end() + 2])
    return scans


def _what_it_is(data: bytes) -> str:
    broken = next((name for start, name in _OURS.items() if data.startswith(start)), None)
    if broken:
        return f"The {broken} is broken or holds more metadata than any real picture."
    if data[4:8] == b"ftyp":
        other = "AVIF, HEIC or video"
    else:
        start = data[:64].lstrip()
        other = next((name for prefix, name in _OTHERS.items() if start.startswith(prefix)), "something else")
    return f"The data is {other if data else 'empty'}, not a PNG, JPEG or WebP picture."
