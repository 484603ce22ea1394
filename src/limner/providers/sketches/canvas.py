"""A picture to paint on: smooth-edged shapes, gradients, glows and shadows at any size.

Large areas are only touched by Pillow calls that let go of the interpreter lock (`paste`, `resize`, `filter`,
`convert`), or strip by strip, so that the event loop keeps running while a thread paints.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter

from limner.providers.sketches.colour import BLACK, RGB, ramp
from limner.providers.sketches.curves import Bounds, Point, bounds, circle, pie, ribbon
from limner.providers.sketches.pixels import HARD, SMOOTH, SOFT, Size, mapped, resized, straight

Box = tuple[int, int, int, int]
Place = Callable[[float, float], Point]
Pen = ImageDraw.ImageDraw
_FINE_AREA = 200_000
"""Shapes up to this many pixels get 4x4 samples a pixel for their edges, larger ones 2x2."""


@dataclass(frozen=True, slots=True)
class Gradient:
    """Colours running evenly through a shape, top to bottom, or left to right where `across`."""

    stops: tuple[RGB, ...]
    across: bool = False

    def tile(self, size: Size) -> Image.Image:
        column = Image.frombytes("RGB", (1, 64), bytes(channel for colour in ramp(self.stops) for channel in colour))
        if self.across:
            row = column.transpose(Image.Transpose.ROTATE_90)
            return resized(resized(row, (size[0], 1)), size, HARD)
        return resized(resized(column, (1, size[1])), size, HARD)


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
        return straight(self.image) if self.clear else self.image

    def small(self, shrink: int) -> "Canvas":
        """A smaller opaque canvas for soft things, to be laid back with `lay`."""
        return Canvas(max(2, math.ceil(self.width / shrink)), max(2, math.ceil(self.height / shrink)))

    def lay(self, soft: "Canvas", mask: Image.Image | None = None) -> None:
        """Cover the picture with a smaller canvas, stretched; through a soft mask of any size if there is one."""
        wide = resized(soft.image, self.image.size, SMOOTH)
        through = resized(mask, self.image.size, SMOOTH) if mask else None
        self.image.paste(self._own(wide), (0, 0), through)

    def cover(self, fill: Fill) -> None:
        """Paint everything."""
        self.block(0, 0, self.width, self.height, fill)

    def block(self, x0: float, y0: float, x1: float, y1: float, fill: Fill) -> None:
        """A rectangle with its edges on whole pixels."""
        box = (max(0, round(x0)), max(0, round(y0)), min(self.width, round(x1)), min(self.height, round(y1)))
        if box[0] < box[2] and box[1] < box[3]:
            self.image.paste(self._paint(fill, box), box)

    def polygon(self, points: Sequence[Point], fill: Fill, opacity: float = 1.0) -> None:
        def draw(pen: Pen, place: Place, level: int) -> None:
            pen.polygon([place(x, y) for x, y in points], fill=level)

        self._stamp(bounds(points), draw, fill, opacity)

    def ground(self, line: Sequence[Point], bottom: float, fill: Fill) -> None:
        """Everything from a skyline down to `bottom`."""
        left, top, right, low = bounds(line)
        inside = self._inside((left, top, right, bottom))
        if inside is None:
            return
        edge = min(max(math.ceil(low) + 1, inside[1]), inside[3])
        tile = self._paint(fill, inside)
        band = (inside[0], inside[1], inside[2], edge)
        body = [*line, (line[-1][0], edge + 2.0), (line[0][0], edge + 2.0)]
        if edge > inside[1]:
            mask = self._mask(band, lambda pen, place, level: pen.polygon([place(x, y) for x, y in body], fill=level))
            self.image.paste(tile.crop((0, 0, tile.width, edge - inside[1])), band, mask)
        if edge < inside[3]:
            self.image.paste(tile.crop((0, edge - inside[1], *tile.size)), (inside[0], edge))

    def ellipse(self, cx: float, cy: float, rx: float, ry: float, fill: Fill, opacity: float = 1.0) -> None:
        def draw(pen: Pen, place: Place, level: int) -> None:
            pen.ellipse([place(cx - rx, cy - ry), place(cx + rx, cy + ry)], fill=level)

        self._stamp((cx - rx, cy - ry, cx + rx, cy + ry), draw, fill, opacity)

    def circle(self, cx: float, cy: float, radius: float, fill: Fill, opacity: float = 1.0) -> None:
        self.ellipse(cx, cy, radius, radius, fill, opacity)

    def dot(self, x: float, y: float, radius: float, colour: RGB, opacity: float = 1.0) -> None:
        """A speck of up to a few pixels, from a stock of masks: cheap enough for a thousand stars."""
        mask = _speck(max(1, round(radius * 4)), round(opacity * 16))
        self.image.paste(self._ink(colour), (round(x) - mask.width // 2, round(y) - mask.height // 2), mask)

    def ring(self, cx: float, cy: float, radius: float, width: float, fill: Fill, opacity: float = 1.0) -> None:
        """A circle line, `width` wide inside `radius`."""
        inner = max(0.0, radius - width)

        def draw(pen: Pen, place: Place, level: int) -> None:
            pen.ellipse([place(cx - radius, cy - radius), place(cx + radius, cy + radius)], fill=level)
            pen.ellipse([place(cx - inner, cy - inner), place(cx + inner, cy + inner)], fill=0)

        self._stamp((cx - radius, cy - radius, cx + radius, cy + radius), draw, fill, opacity)

    def slice(self, cx: float, cy: float, radius: float, start: float, end: float, fill: Fill) -> None:
        """A piece of pie; degrees run clockwise from three o'clock."""
        self.polygon(pie(cx, cy, radius, start, end), fill)

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, fill: Fill, opacity: float = 1.0) -> None:
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], fill, opacity)

    def line(self, points: Sequence[Point], width: float, fill: Fill, opacity: float = 1.0) -> None:
        """A line with round ends; thinner than a pixel it gets fainter instead."""
        wide = max(width, 1.0)
        body = ribbon(points, wide)

        def draw(pen: Pen, place: Place, level: int) -> None:
            pen.polygon([place(x, y) for x, y in body], fill=level)
            for x, y in (points[0], points[-1]):
                pen.ellipse([place(x - wide / 2, y - wide / 2), place(x + wide / 2, y + wide / 2)], fill=level)

        left, top, right, bottom = bounds(points)
        self._stamp((left - wide, top - wide, right + wide, bottom + wide), draw, fill, opacity * min(1.0, width))

    def glow(self, cx: float, cy: float, radius: float, colour: RGB, strength: float, *, flat: float = 1.0) -> None:
        """Light that fades out towards `radius`; `flat` below 1 presses it into an ellipse."""
        left, top, wide, high = cx - radius, cy - radius * flat, radius * 2, radius * flat * 2
        inside = self._inside((left, top, left + wide, top + high))
        if inside is None:
            return
        part = (
            max(0.0, (inside[0] - left) / wide * 256),
            max(0.0, (inside[1] - top) / high * 256),
            min(256.0, (inside[2] - left) / wide * 256),
            min(256.0, (inside[3] - top) / high * 256),
        )
        if part[0] < part[2] and part[1] < part[3]:
            mask = resized(_falloff(round(strength * 255)), _size(inside), SOFT, part)
            self.image.paste(self._ink(colour), inside, mask)

    def shade(self, mask: Image.Image, colour: RGB = BLACK, strength: float = 1.0) -> None:
        """Lay colour over the whole picture where a (smaller, soft) mask is bright."""
        softer = mapped(mask, lambda level: level * strength) if strength < 1 else mask
        self.image.paste(self._ink(colour), (0, 0), resized(softer, self.image.size))

    def shadow(self, points: Sequence[Point], blur: float, colour: RGB, strength: float) -> None:
        """A blurred polygon, for shadows and soft bodies of light."""
        left, top, right, bottom = bounds(points)
        reach = blur * 2.5
        inside = self._inside((left - reach, top - reach, right + reach, bottom + reach))
        if inside is None:
            return
        wide, high = _size(inside)
        shrink = max(1.0, blur / 3)
        size = (max(2, int(wide / shrink)), max(2, int(high / shrink)))
        mask = Image.new("L", size)
        spots = [((x - inside[0]) * size[0] / wide, (y - inside[1]) * size[1] / high) for x, y in points]
        ImageDraw.Draw(mask).polygon(spots, fill=round(255 * strength))
        mask = mask.filter(ImageFilter.GaussianBlur((blur * size[0] / wide, blur * size[1] / high)))
        self.image.paste(self._ink(colour), inside, resized(mask, (wide, high)))

    def sunk(self, points: Sequence[Point], fill: Fill, blur: float, shift: Point, strength: float) -> None:
        """A hole cut in what is there: a deeper sheet of `fill`, in the soft shadow of the rim."""
        inside = self._inside(bounds(points))
        if inside is None:
            return
        wide, high = _size(inside)
        shrink = max(1.0, blur / 3)
        size = (max(2, int(wide / shrink)), max(2, int(high / shrink)))
        light = Image.new("L", size, round(255 * (1 - strength)))
        spots = [
            ((x + shift[0] - inside[0]) * size[0] / wide, (y + shift[1] - inside[1]) * size[1] / high)
            for x, y in points
        ]
        ImageDraw.Draw(light).polygon(spots, fill=255)
        light = resized(light.filter(ImageFilter.GaussianBlur(blur / shrink)), (wide, high))
        sheet = Image.new(self.image.mode, (wide, high), self._ink(BLACK))
        sheet.paste(self._paint(fill, inside), (0, 0), light)
        mask = self._mask(inside, lambda pen, place, level: pen.polygon([place(x, y) for x, y in points], fill=level))
        self.image.paste(sheet, inside, mask)

    def heap(self, balls: Sequence[tuple[float, float, float]], base: float, bottom: float, fill: Fill) -> None:
        """Discs (x, y, radius) run together into one body, and everything from `base` down to `bottom`."""

        def draw(pen: Pen, place: Place, level: int) -> None:
            for x, y, radius in balls:
                pen.ellipse([place(x - radius, y - radius), place(x + radius, y + radius)], fill=level)
            pen.rectangle([place(-2, base), place(self.width + 2, bottom)], fill=level)

        self._stamp((-2, min(y - radius for _, y, radius in balls), self.width + 2, bottom), draw, fill, 1.0)

    def oval_shadow(self, cx: float, cy: float, rx: float, ry: float, blur: float, strength: float) -> None:
        self.shadow(circle(cx, cy, rx, ry), blur, (10, 8, 14), strength)

    def paste(self, sprite: Image.Image, x: float, y: float, mask: Image.Image | None = None) -> None:
        """Lay a finished piece on the picture with its top left at (x, y)."""
        alpha = mask or (sprite.getchannel("A") if sprite.mode == "RGBA" else None)
        self.image.paste(self._own(sprite.convert("RGB")), (round(x), round(y)), alpha)

    def _stamp(self, edges: Bounds, draw: Callable[[Pen, Place, int], None], fill: Fill, opacity: float) -> None:
        inside = self._inside(edges)
        if inside is not None and opacity > 0:
            mask = self._mask(inside, draw, round(255 * min(1.0, opacity)))
            self.image.paste(self._paint(fill, inside), inside, mask)

    def _mask(self, box: Box, draw: Callable[[Pen, Place, int], None], level: int = 255) -> Image.Image:
        width, height = _size(box)
        samples = 4 if width * height <= _FINE_AREA else 2
        mask = Image.new("L", (width * samples, height * samples))
        draw(ImageDraw.Draw(mask), lambda x, y: ((x - box[0]) * samples - 0.5, (y - box[1]) * samples - 0.5), level)
        return mask.reduce(samples)

    def _inside(self, edges: Bounds) -> Box | None:
        left, top = max(0, math.floor(edges[0]) - 1), max(0, math.floor(edges[1]) - 1)
        right, bottom = min(self.width, math.ceil(edges[2]) + 1), min(self.height, math.ceil(edges[3]) + 1)
        return (left, top, right, bottom) if right > left and bottom > top else None

    def _paint(self, fill: Fill, box: Box) -> Image.Image:
        size = _size(box)
        if isinstance(fill, Image.Image):
            return self._own(fill.crop(box) if fill.size == self.image.size else resized(fill, size))
        if isinstance(fill, Gradient):
            return self._own(fill.tile(size))
        return Image.new(self.image.mode, size, self._ink(fill))

    def _own(self, image: Image.Image) -> Image.Image:
        return image if image.mode == self.image.mode else image.convert(self.image.mode)

    def _ink(self, colour: RGB) -> tuple[int, ...]:
        return (*colour, 255) if self.clear else colour


def _size(box: Box) -> Size:
    return box[2] - box[0], box[3] - box[1]


@lru_cache(maxsize=64)
def _falloff(peak: int) -> Image.Image:
    def brightness(distance: int) -> float:
        rest = max(0.0, 1 - distance / 181)  # a radial gradient reaches 181 at its edges, 255 in the corners
        return peak * rest * rest * (3 - 2 * rest)

    return mapped(Image.radial_gradient("L"), brightness)


@lru_cache(maxsize=256)
def _speck(quarters: int, sixteenths: int) -> Image.Image:
    across = quarters // 2 + 3
    mask = Image.new("L", (across * 8, across * 8))
    middle, radius = across * 4, quarters * 2
    pen = ImageDraw.Draw(mask)
    pen.ellipse((middle - radius, middle - radius, middle + radius, middle + radius), fill=min(255, sixteenths * 16))
    return mask.reduce(8)
