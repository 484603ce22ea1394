"""A picture to paint on: smooth-edged shapes, gradients, glows and shadows at any size.

Only Pillow calls that let go of the interpreter lock are used on large areas (`paste`, `resize`, `filter`,
`convert`), so that the event loop keeps running while a thread paints.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter

from limner.providers.sketches.colour import BLACK, RGB, ramp
from limner.providers.sketches.pixels import HARD, SMOOTH, SOFT, mapped, resized

Point = tuple[float, float]
Box = tuple[int, int, int, int]
_FINE_AREA = 260_000
"""Shapes up to this many pixels get 4x4 samples a pixel for their edges, larger ones 2x2."""


@dataclass(frozen=True, slots=True)
class Gradient:
    """Colours running from one edge of a shape to the other; `angle` 0 is top to bottom, 90 left to right."""

    stops: tuple[RGB, ...]
    angle: int = 0

    def tile(self, size: tuple[int, int]) -> Image.Image:
        column = Image.frombytes("RGB", (1, 64), bytes(channel for colour in ramp(self.stops) for channel in colour))
        width, height = size
        if self.angle == 90:
            return resized(resized(column.transpose(Image.Transpose.ROTATE_90), (width, 1)), size, HARD)
        return resized(resized(column, (1, height)), size, HARD)


Fill = RGB | Gradient | Image.Image
"""An image fills a shape where the two overlap: it is as large as the canvas."""


class Canvas:
    """The picture being painted. On a clear one colours stay multiplied by their coverage until `finished`."""

    def __init__(self, width: int, height: int, *, clear: bool = False) -> None:
        self.width, self.height, self.clear = width, height, clear
        self.image = Image.new("RGBA" if clear else "RGB", (width, height))
        self.unit = min(width, height)

    def finished(self) -> Image.Image:
        """The picture as others read it: straight alpha."""
        if not self.clear:
            return self.image
        return Image.frombytes("RGBa", self.image.size, self.image.tobytes()).convert("RGBA")

    def cover(self, fill: Fill) -> None:
        """Paint everything."""
        whole = (0, 0, self.width, self.height)
        self.image.paste(self._paint(fill, whole), whole)

    def polygon(self, points: Sequence[Point], fill: Fill, opacity: float = 1.0) -> None:
        def draw(pen: ImageDraw.ImageDraw, place: Callable[[float, float], Point]) -> None:
            pen.polygon([place(x, y) for x, y in points], fill=255)

        self._stamp(_bounds(points), draw, fill, opacity)

    def ellipse(self, cx: float, cy: float, rx: float, ry: float, fill: Fill, opacity: float = 1.0) -> None:
        def draw(pen: ImageDraw.ImageDraw, place: Callable[[float, float], Point]) -> None:
            pen.ellipse([place(cx - rx, cy - ry), place(cx + rx, cy + ry)], fill=255)

        self._stamp((cx - rx, cy - ry, cx + rx, cy + ry), draw, fill, opacity)

    def circle(self, cx: float, cy: float, radius: float, fill: Fill, opacity: float = 1.0) -> None:
        self.ellipse(cx, cy, radius, radius, fill, opacity)

    def ring(self, cx: float, cy: float, radius: float, width: float, fill: Fill, opacity: float = 1.0) -> None:
        """A circle line, `width` wide inside `radius`."""

        def draw(pen: ImageDraw.ImageDraw, place: Callable[[float, float], Point]) -> None:
            pen.ellipse([place(cx - radius, cy - radius), place(cx + radius, cy + radius)], fill=255)
            inner = max(0.0, radius - width)
            pen.ellipse([place(cx - inner, cy - inner), place(cx + inner, cy + inner)], fill=0)

        self._stamp((cx - radius, cy - radius, cx + radius, cy + radius), draw, fill, opacity)

    def slice(self, cx: float, cy: float, radius: float, start: float, end: float, fill: Fill) -> None:
        """A piece of pie; degrees run clockwise from three o'clock."""
        steps = max(6, int(abs(end - start) / 3))
        arc = [start + (end - start) * step / steps for step in range(steps + 1)]
        rim = [(cx + radius * math.cos(math.radians(a)), cy + radius * math.sin(math.radians(a))) for a in arc]
        self.polygon([(cx, cy), *rim], fill)

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, fill: Fill, opacity: float = 1.0) -> None:
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], fill, opacity)

    def line(self, points: Sequence[Point], width: float, fill: Fill, opacity: float = 1.0) -> None:
        """A line with round joints; thinner than a pixel it gets fainter instead."""
        opacity *= min(1.0, width)
        wide = max(width, 1.0)

        def draw(pen: ImageDraw.ImageDraw, place: Callable[[float, float], Point]) -> None:
            scale = place(1, 0)[0] - place(0, 0)[0]
            pen.line([place(x, y) for x, y in points], fill=255, width=max(1, round(wide * scale)), joint="curve")
            for x, y in (points[0], points[-1]):
                pen.ellipse([place(x - wide / 2, y - wide / 2), place(x + wide / 2, y + wide / 2)], fill=255)

        left, top, right, bottom = _bounds(points)
        self._stamp((left - wide, top - wide, right + wide, bottom + wide), draw, fill, opacity)

    def glow(self, cx: float, cy: float, radius: float, colour: RGB, strength: float, *, flat: float = 1.0) -> None:
        """Light that fades out towards `radius`; `flat` below 1 presses it into an ellipse."""
        box = (cx - radius, cy - radius * flat, cx + radius, cy + radius * flat)
        inside = self._inside(box)
        if inside is None:
            return
        wide, high = box[2] - box[0], box[3] - box[1]
        size = (inside[2] - inside[0], inside[3] - inside[1])
        part = (
            max(0.0, (inside[0] - box[0]) / wide * 256),
            max(0.0, (inside[1] - box[1]) / high * 256),
            min(256.0, (inside[2] - box[0]) / wide * 256),
            min(256.0, (inside[3] - box[1]) / high * 256),
        )
        mask = resized(_falloff(round(strength * 255)), size, SOFT, part)
        self.image.paste(self._ink(colour), inside, mask)

    def shade(self, mask: Image.Image, colour: RGB = BLACK, strength: float = 1.0) -> None:
        """Lay colour over the whole picture where a (smaller, soft) mask is bright."""
        if strength < 1:
            mask = mapped(mask, lambda level: level * strength)
        full = resized(mask, self.image.size, SMOOTH)
        self.image.paste(self._ink(colour), (0, 0), full)

    def shadow(self, points: Sequence[Point], blur: float, colour: RGB, strength: float) -> None:
        """A blurred polygon, for shadows and soft bodies of light."""
        left, top, right, bottom = _bounds(points)
        reach = blur * 2.5
        inside = self._inside((left - reach, top - reach, right + reach, bottom + reach))
        if inside is None:
            return
        shrink = max(1.0, blur / 4)
        size = (max(2, int((inside[2] - inside[0]) / shrink)), max(2, int((inside[3] - inside[1]) / shrink)))
        scale_x, scale_y = size[0] / (inside[2] - inside[0]), size[1] / (inside[3] - inside[1])
        mask = Image.new("L", size)
        pen = ImageDraw.Draw(mask)
        pen.polygon(
            [((x - inside[0]) * scale_x, (y - inside[1]) * scale_y) for x, y in points], fill=round(255 * strength)
        )
        mask = mask.filter(ImageFilter.GaussianBlur((blur * scale_x, blur * scale_y)))
        full = resized(mask, (inside[2] - inside[0], inside[3] - inside[1]))
        self.image.paste(self._ink(colour), inside, full)

    def paste(self, sprite: Image.Image, x: float, y: float, mask: Image.Image | None = None) -> None:
        """Lay a finished piece on the picture with its top left at (x, y)."""
        alpha = mask or (sprite.getchannel("A") if sprite.mode == "RGBA" else None)
        body = sprite.convert("RGB").convert(self.image.mode)
        self.image.paste(body, (round(x), round(y)), alpha)

    def _stamp(
        self,
        bounds: tuple[float, float, float, float],
        draw: Callable[[ImageDraw.ImageDraw, Callable[[float, float], Point]], None],
        fill: Fill,
        opacity: float,
    ) -> None:
        inside = self._inside(bounds)
        if inside is None or opacity <= 0:
            return
        left, top, right, bottom = inside
        samples = 4 if (right - left) * (bottom - top) <= _FINE_AREA else 2
        mask = Image.new("L", ((right - left) * samples, (bottom - top) * samples))
        draw(ImageDraw.Draw(mask), lambda x, y: ((x - left) * samples - 0.5, (y - top) * samples - 0.5))
        mask = mask.reduce(samples)
        if opacity < 1:
            mask = mapped(mask, lambda level: level * opacity)
        self.image.paste(self._paint(fill, inside), inside, mask)

    def _inside(self, bounds: tuple[float, float, float, float]) -> Box | None:
        left, top = max(0, math.floor(bounds[0]) - 1), max(0, math.floor(bounds[1]) - 1)
        right, bottom = min(self.width, math.ceil(bounds[2]) + 1), min(self.height, math.ceil(bounds[3]) + 1)
        return (left, top, right, bottom) if right > left and bottom > top else None

    def _paint(self, fill: Fill, box: Box) -> Image.Image:
        size = (box[2] - box[0], box[3] - box[1])
        if isinstance(fill, Image.Image):
            tile = fill.crop(box) if fill.size == self.image.size else resized(fill, size)
        elif isinstance(fill, Gradient):
            tile = fill.tile(size)
        else:
            return Image.new(self.image.mode, size, self._ink(fill))
        return tile if tile.mode == self.image.mode else tile.convert(self.image.mode)

    def _ink(self, colour: RGB) -> tuple[int, ...]:
        return (*colour, 255) if self.clear else colour


def curve(points: Sequence[Point], *, closed: bool = False, steps: int = 8) -> list[Point]:
    """A smooth line through the points (Catmull-Rom)."""
    count = len(points)
    spans = count if closed else count - 1
    line: list[Point] = []
    for index in range(spans):
        p0, p1, p2, p3 = (_at(points, index + offset, closed) for offset in (-1, 0, 1, 2))
        line.extend(_spline(p0, p1, p2, p3, step / steps) for step in range(steps))
    if not closed:
        line.append(points[-1])
    return line


def _at(points: Sequence[Point], index: int, closed: bool) -> Point:
    return points[index % len(points)] if closed else points[min(max(index, 0), len(points) - 1)]


def _spline(p0: Point, p1: Point, p2: Point, p3: Point, t: float) -> Point:
    a, b, c = -t + 2 * t * t - t**3, 2 - 5 * t * t + 3 * t**3, t + 4 * t * t - 3 * t**3
    d = t**3 - t * t
    return (
        (a * p0[0] + b * p1[0] + c * p2[0] + d * p3[0]) / 2,
        (a * p0[1] + b * p1[1] + c * p2[1] + d * p3[1]) / 2,
    )


def _bounds(points: Sequence[Point]) -> tuple[float, float, float, float]:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


@lru_cache(maxsize=64)
def _falloff(peak: int) -> Image.Image:
    def brightness(distance: int) -> float:
        rest = max(0.0, 1 - distance / 181)  # a radial gradient reaches 181 at its edges, 255 in the corners
        return peak * rest * rest * (3 - 2 * rest)

    return mapped(Image.radial_gradient("L"), brightness)
