"""Pictures for tests: honest ones of every mode, and files made to hurt whoever decodes them."""

import os
import random
import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, form, **({"compress_level": 1} if form == "PNG" else {}), **options)
    return out.getvalue()


def photo(width: int, height: int, *, alpha: bool = False, noise: int = 12, seed: int = 1) -> Image.Image:
    """Slopes, shapes and grain: about as compressible as a real picture."""
    slopes = [Image.linear_gradient("L").rotate(angle).resize((width, height)) for angle in (0, 90, 180)]
    grain = Image.effect_noise((512, 512), noise).resize((width, height), Image.Resampling.NEAREST)
    image = Image.merge("RGB", [Image.blend(slope, grain, 0.3) for slope in slopes])
    draw, dice = ImageDraw.Draw(image), random.Random(seed)
    for _ in range(40):
        x, y = dice.randrange(width), dice.randrange(height)
        draw.ellipse((x, y, x + width // 6, y + height // 6), fill=tuple(dice.randbytes(3)))
    if alpha:
        image.putalpha(Image.radial_gradient("L").resize((width, height)))
    return image


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    return Image.frombytes(mode, (width, height), os.urandom(width * height * len(mode)))


def png(
    width: int,
    height: int,
    *,
    colour: int = 2,
    depth: int = 8,
    pixels: bytes | None = None,
    before: bytes = b"",
    interlaced: bool = False,
) -> bytes:
    """A PNG written by hand: `pixels` is the compressed IDAT, `before` whole chunks in front of it."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    if pixels is None:
        row = bytes(1 + (width * channels * depth + 7) // 8)
        pixels = zlib.compress(row * height)
    return PNG_MAGIC + chunk(b"IHDR", header) + before + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def squeezed_zeros(size_bytes: int) -> bytes:
    squeeze, piece = zlib.compressobj(9), bytes(1_000_000)
    return b"".join(squeeze.compress(piece) for _ in range(size_bytes // len(piece))) + squeeze.flush()


def pixel_bomb() -> bytes:
    """About 17 kB that grow to about 700 MiB."""
    return png(15_670, 15_670, depth=1, colour=0, pixels=squeezed_zeros(30_000_000))[:17_600]


def text_bomb() -> bytes:
    """Forty compressed comments of 30 MB each."""
    comment = chunk(b"zTXt", b"Comment\0\0" + squeezed_zeros(30_000_000))
    return png(8, 8, before=comment * 40)


def international_text_bomb() -> bytes:
    return png(8, 8, before=chunk(b"iTXt", b"Comment\0\1\0\0\0" + squeezed_zeros(60_000_000)) * 10)


def profile_bomb() -> bytes:
    return png(8, 8, before=chunk(b"iCCP", b"profile\0\0" + squeezed_zeros(60_000_000)))


def trailing_pixels_bomb() -> bytes:
    """Eight by eight pixels, and 300 MB more in the same stream."""
    return png(8, 8, pixels=squeezed_zeros(300_000_000))


def canvas_bomb() -> bytes:
    """A WebP whose canvas claims 16,384 pixels each way around a tiny picture."""
    inner = encoded(photo(8, 8), "WEBP")[12:]
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + struct.pack("<I", 16_383)[:3] * 2
    return b"RIFF" + struct.pack("<I", 4 + len(canvas) + len(inner)) + b"WEBP" + canvas + inner


def large_jpeg_header() -> bytes:
    jpeg = bytearray(encoded(photo(8, 8), "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = b"\xff\xff\xff\xff"
    return bytes(jpeg)


def scan_bomb(scans: int = 2_000) -> bytes:
    """A progressive JPEG of 2,048 by 2,048 whose last scan is repeated: each costs a walk over the whole picture."""
    jpeg = encoded(Image.new("RGB", (2_048, 2_048), "grey"), "JPEG", progressive=True)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    return jpeg[:-2] + last * scans + b"\xff\xd9"


BOMBS = [
    pixel_bomb,
    text_bomb,
    international_text_bomb,
    profile_bomb,
    trailing_pixels_bomb,
    canvas_bomb,
    large_jpeg_header,
    scan_bomb,
]
