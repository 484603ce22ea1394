"""Real pictures for the peers to give away."""

import base64
from functools import cache
from io import BytesIO

from PIL import Image


@cache
def picture(width: int = 64, height: int = 64, kind: str = "PNG", colour: str = "teal") -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), colour).save(out, kind)
    return out.getvalue()


NOT_A_PICTURE = b"\x89PNG\r\n\x1a\n but then nothing of the kind"


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
