"""Draws a picture in terminals that can: kitty's graphics protocol, and iTerm2's inline images."""

import base64
import os
import sys
from collections.abc import Mapping
from io import BytesIO

from PIL import Image

SHOWN_PX = 640
CHUNK = 4096


def show(data: bytes) -> None:
    """Nothing where the terminal cannot."""
    protocol = protocol_of(os.environ)
    if protocol is None:
        return
    sys.stdout.write(drawn(data, protocol))
    sys.stdout.flush()


def protocol_of(environ: Mapping[str, str]) -> str | None:
    """`kitty`, `iterm2` or None. Inside tmux and screen neither arrives."""
    if environ.get("TMUX") or environ.get("TERM", "").startswith("screen"):
        return None
    program = environ.get("TERM_PROGRAM", "")
    if environ.get("KITTY_WINDOW_ID") or "kitty" in environ.get("TERM", "") or program == "ghostty":
        return "kitty"
    return "iterm2" if program in ("iTerm.app", "WezTerm") or environ.get("LC_TERMINAL") == "iTerm2" else None


def drawn(data: bytes, protocol: str) -> str:
    """The control sequence that draws the picture, small enough for a terminal."""
    encoded = base64.b64encode(_small_png(data)).decode()
    if protocol == "iterm2":
        return f"\x1b]1337;File=inline=1;preserveAspectRatio=1:{encoded}\x07\n"
    pieces = [encoded[start : start + CHUNK] for start in range(0, len(encoded), CHUNK)]
    last = len(pieces) - 1
    heads = ["a=T,f=100," if number == 0 else "" for number in range(len(pieces))]
    return (
        "".join(
            f"\x1b_G{head}m={int(number < last)};{piece}\x1b\\"
            for number, (head, piece) in enumerate(zip(heads, pieces, strict=True))
        )
        + "\n"
    )


def _small_png(data: bytes) -> bytes:
    with Image.open(BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as picture:
        picture.thumbnail((SHOWN_PX, SHOWN_PX))
        small = BytesIO()
        picture.convert("RGBA").save(small, "PNG", compress_level=1)
    return small.getvalue()
