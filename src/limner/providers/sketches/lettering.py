"""Setting words: the bundled font made bolder, with accents drawn on, fitted into a box.

The font knows plain Latin only. Accents are added by hand; a character of any other script becomes a small
geometric sign of its own, so that different words never look the same.
"""

import hashlib
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from limner.providers.sketches.curves import Bounds

_LONGEST = 160
"""Characters set at most; the rest ends in an ellipsis."""
_LEADING = 1.08
_BOLD = 0.022
"""Stroke added around every letter, in ems."""
_SPELLED = {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o\u0338", "Ø": "O\u0338", "ł": "l\u0338", "Ł": "L\u0338", "ı": "i", "–": "-", "—": "-"}  # fmt: skip
_PLAIN = frozenset(map(chr, range(32, 127))) | frozenset("©«°±´·»‘’“”…‹›™")
_SIGN = 0.72
"""Width of a sign that stands for a character the font lacks, in ems."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Words broken into lines at a size in pixels; `weight` is the stroke added for boldness."""

    lines: tuple[str, ...]
    size: int
    weight: int

    @property
    def height(self) -> float:
        return len(self.lines) * self.size * _LEADING


def fitted(text: str, width: float, height: float, *, largest: float) -> Setting:
    """The text in as many lines as give the largest letters inside the box."""
    words = _tidy(text).split() or [" "]
    best = Setting((" ",), 1, 0)
    for count in range(1, min(len(words), 7) + 1):
        lines = _broken(words, count)
        widest = max(_width(line, 100) for line in lines) / 100 + _BOLD
        size = int(min(width / widest, height / (count * _LEADING), largest))
        if size > best.size:
            best = Setting(tuple(lines), size, round(size * _BOLD))
    return best


def letters(setting: Setting, box: Bounds, size: tuple[int, int], *, align: float = 0.5) -> Image.Image:
    """A mask of the picture's size with the lines in the box; `align` 0 is left, 0.5 the middle."""
    mask = Image.new("L", size)
    pen = ImageDraw.Draw(mask)
    left, top, right, _ = box
    for number, line in enumerate(setting.lines):
        x = left + (right - left - _width(line, setting.size)) * align
        _write(pen, line, x, top + (number * _LEADING + 0.84) * setting.size, setting)
    return mask


def _tidy(text: str) -> str:
    """Without control characters, spelled with letters we have, and not too long."""
    spelled = "".join(_SPELLED.get(char, char) for char in text[: _LONGEST * 2])
    clean = "".join(
        char for char in unicodedata.normalize("NFD", spelled) if unicodedata.category(char)[0] != "C" or char in "\t\n"
    )
    return clean if len(clean) <= _LONGEST else clean[: _LONGEST - 1].rstrip() + "…"


def _broken(words: Sequence[str], count: int) -> list[str]:
    """The words in `count` lines of about the same length."""
    total, lines, line, used = sum(map(len, words)), list[str](), list[str](), 0
    for index, word in enumerate(words):
        line.append(word)
        used += len(word)
        left = len(words) - index - 1
        if used >= total * (len(lines) + 1) / count - len(word) * 0.3 and len(lines) < count - 1 and left:
            lines.append(" ".join(line))
            line = []
    return [*lines, " ".join(line)] if line else lines


def _width(line: str, size: int) -> float:
    return sum(_advance(char, size) for char in line)


def _advance(char: str, size: int) -> float:
    """How far the pen moves, with a little room for the added weight."""
    if unicodedata.combining(char):
        return 0.0
    plain = float(_font(100).getlength(char)) / 100 if char in _PLAIN else _SIGN
    return (plain + _BOLD * 0.9) * size


def _write(pen: ImageDraw.ImageDraw, line: str, x: float, y: float, setting: Setting) -> None:
    font, before = _font(setting.size), x
    for char in line:
        if unicodedata.combining(char):
            _accent(pen, char, (before + x) / 2, y, setting)
            continue
        if char in _PLAIN:
            pen.text((x, y), char, fill=255, font=font, anchor="ls", stroke_width=setting.weight)
        else:
            _sign(pen, char, x, y, setting.size)
        before, x = x, x + _advance(char, setting.size)


def _accent(pen: ImageDraw.ImageDraw, mark: str, x: float, y: float, setting: Setting) -> None:
    """A diacritic over (or under) the letter whose middle is x."""
    em, wide = setting.size, max(1, round(setting.size * 0.05) + setting.weight)
    top, reach = y - em * 0.82, em * 0.1

    def stroke(*points: tuple[float, float]) -> None:
        pen.line([(x + px * reach, top + py * reach) for px, py in points], fill=255, width=wide, joint="curve")

    def dot(px: float, py: float) -> None:
        pen.ellipse(
            (x + px * reach - wide, top + py * reach - wide, x + px * reach + wide, top + py * reach + wide), fill=255
        )

    match unicodedata.name(mark, "").removeprefix("COMBINING "):
        case "ACUTE ACCENT":
            stroke((-0.5, 0.8), (0.7, -0.6))
        case "GRAVE ACCENT":
            stroke((0.5, 0.8), (-0.7, -0.6))
        case "CIRCUMFLEX ACCENT":
            stroke((-1, 0.8), (0, -0.6), (1, 0.8))
        case "CARON" | "BREVE":
            stroke((-1, -0.6), (0, 0.8), (1, -0.6))
        case "DIAERESIS":
            dot(-1, 0)
            dot(1, 0)
        case "TILDE":
            stroke((-1.3, 0.6), (-0.5, -0.3), (0.5, 0.4), (1.3, -0.5))
        case "MACRON":
            stroke((-1, 0), (1, 0))
        case "LONG SOLIDUS OVERLAY":
            stroke((-2.2, 8), (2.2, 2.6))
        case "CEDILLA" | "OGONEK":
            stroke((0.2, 8.4), (-0.3, 9.6), (-1, 9.9))
        case _:
            dot(0, 0)


def _sign(pen: ImageDraw.ImageDraw, char: str, x: float, y: float, size: int) -> None:
    """A sign for a character the font lacks: four strokes chosen by the character, in a square."""
    bits = int.from_bytes(hashlib.sha256(char.encode("utf-8", "replace")).digest()[:4], "big")
    side = size * 0.6
    left, top, wide = x + size * 0.06, y - size * 0.66, max(1, round(size * 0.085))
    knots = [(left + side * column / 2, top + side * row / 2) for row in range(3) for column in range(3)]
    if bits & 1:
        pen.arc(
            (left, top, left + side, top + side), (bits >> 1 & 3) * 90, (bits >> 1 & 3) * 90 + 270, fill=255, width=wide
        )
    for stroke in range(3):
        start, end = bits >> (4 + stroke * 8) & 15, bits >> (8 + stroke * 8) & 15
        pen.line([knots[start % 9], knots[(start + 1 + end % 8) % 9]], fill=255, width=wide)
    radius = side * 0.1
    cx, cy = knots[bits % 9]
    pen.ellipse((cx - radius, cy - radius, cx + radius, cy + radius), fill=255)


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(max(1, size))
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def spread(grey: Image.Image) -> float:
    """How busy a grey picture is: the standard deviation of its levels."""
    counts = grey.histogram()
    total = sum(counts)
    mean = sum(level * count for level, count in enumerate(counts)) / total
    return math.sqrt(sum((level - mean) ** 2 * count for level, count in enumerate(counts)) / total)
