"""Round things in light from the upper left: balls, fruit, and vessels turned on a wheel."""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from PIL import Image, ImageDraw

from limner.providers.sketches.canvas import Canvas, Gradient
from limner.providers.sketches.colour import RGB, WHITE, darker, lighter, mix
from limner.providers.sketches.curves import Point, circle, curve
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.pixels import SMOOTH, resized, tinted

PROFILES: dict[str, Sequence[tuple[float, float]]] = {
    # how high (0 the foot, 1 the rim) and the half width there, both in heights of the body
    "vase": ((0, 0.17), (0.04, 0.19), (0.25, 0.31), (0.48, 0.34), (0.68, 0.23), (0.82, 0.12), (0.92, 0.11), (1, 0.16)),
    "bottle": ((0, 0.15), (0.02, 0.165), (0.3, 0.17), (0.55, 0.168), (0.66, 0.12), (0.74, 0.06), (0.95, 0.052), (0.955, 0.066), (1, 0.064)),
    "jug": ((0, 0.22), (0.05, 0.25), (0.3, 0.37), (0.5, 0.36), (0.72, 0.24), (0.86, 0.2), (1, 0.25)),
    "bowl": ((0, 0.42), (0.08, 0.46), (0.14, 0.5), (0.4, 0.88), (0.7, 1.14), (1, 1.3)),
    "pear": ((0, 0.16), (0.04, 0.26), (0.22, 0.39), (0.42, 0.37), (0.6, 0.25), (0.76, 0.18), (0.92, 0.13), (1, 0.03)),
    "flask": ((0, 0.3), (0.04, 0.36), (0.22, 0.44), (0.42, 0.37), (0.56, 0.16), (0.68, 0.075), (0.95, 0.07), (1, 0.1)),
}  # fmt: skip
_TILT = 0.16
"""How far we look down into a vessel: the short half of its rim by the long half."""
_STALK = (74, 52, 34)


def half_width(kind: str) -> float:
    """The widest half of a profile, in heights of the body."""
    return max(half for _, half in PROFILES[kind])


def ball(canvas: Canvas, at: Point, radius: float, colour: RGB, bounce: RGB, *, glazed: bool) -> None:
    """A sphere around `at`; `bounce` is the light that comes back from the table."""
    across = max(4, round(radius * 2))
    window = (128 - 128 * 0.36, 128 - 128 * 0.34, 128 + 128 * 0.92, 128 + 128 * 0.94)
    grey = resized(Image.radial_gradient("L"), (across, across), SMOOTH, window)
    deep = mix(darker(colour, 0.34), (20, 16, 26), 0.35)
    stops = (
        mix(lighter(colour, 0.1), WHITE, 0.12 if glazed else 0.05),
        lighter(colour, 0.03), colour, darker(colour, 0.1), darker(colour, 0.22), deep, deep,
        mix(darker(colour, 0.2), bounce, 0.3),
    )  # fmt: skip
    canvas.paste(tinted(grey, stops), at[0] - across / 2, at[1] - across / 2, _disc(across))
    if glazed:
        canvas.glow(at[0] - radius * 0.38, at[1] - radius * 0.42, radius * 0.36, WHITE, 0.9, flat=0.8)
    else:
        canvas.glow(at[0] - radius * 0.36, at[1] - radius * 0.4, radius * 0.42, WHITE, 0.35, flat=0.8)


def fruit(canvas: Canvas, dice: Dice, at: Point, radius: float, colour: RGB, bounce: RGB, green: RGB) -> None:
    """An apple or an orange: a matt ball with a dimple, a stalk and often a leaf."""
    ball(canvas, at, radius, colour, bounce, glazed=False)
    x, top = at[0], at[1] - radius * 0.86
    canvas.glow(x, top, radius * 0.32, (30, 20, 10), 0.5, flat=0.35)
    lean = dice.between(-0.15, 0.2) * radius
    tip = (x + lean, top - radius * 0.26)
    canvas.line([(x, top + radius * 0.03), (x + lean * 0.4, top - radius * 0.14), tip], radius * 0.06, _STALK)
    if dice.chance(0.7):
        end = (tip[0] + radius * 0.62, top - radius * 0.34)
        leaf = [
            (x + lean * 0.6, top - radius * 0.12),
            (x + radius * 0.34, top - radius * 0.42),
            end,
            (x + radius * 0.4, top - radius * 0.14),
        ]
        canvas.polygon(curve(leaf, closed=True), Gradient((lighter(green, 0.1), darker(green, 0.1))))


def mouth(canvas: Canvas, kind: str, foot: Point, tall: float, colour: RGB) -> None:
    """The rim and the dark inside of a vessel: paint it before what stands in it, and `vessel` after."""
    rim = PROFILES[kind][-1][1] * tall
    y = foot[1] - tall
    canvas.ellipse(foot[0], y, rim, rim * _TILT, lighter(colour, 0.1))
    inside = Gradient((darker(colour, 0.34), darker(colour, 0.16)))
    canvas.ellipse(foot[0], y + rim * 0.015, rim * 0.9, rim * _TILT * 0.82, inside)


def vessel(canvas: Canvas, kind: str, foot: Point, tall: float, colour: RGB, bounce: RGB) -> None:
    """The body of a vessel or a pear, from the front edge of its rim to its foot."""
    profile = _profile(kind)
    half, lip = max(1.0, half_width(kind) * tall), profile[-1][1] * tall * _TILT
    base = profile[0][1] * tall
    size = (math.ceil(half * 2), math.ceil(tall + base * _TILT) + 2)
    left, top = foot[0] - half, foot[1] - tall
    open_ = kind != "pear"
    front = (
        [(half + math.cos(a) * profile[-1][1] * tall, lip * 0.92 * math.sin(a)) for a in _half_turn()] if open_ else []
    )
    bottom = [(half + math.cos(a) * base, tall + base * _TILT * math.sin(a)) for a in _half_turn()]
    right = [(half + wide * tall, tall - up * tall) for up, wide in reversed(profile)]
    mirrored = [(half - wide * tall, tall - up * tall) for up, wide in profile]
    outline = [*reversed(front), *right, *bottom, *mirrored] if open_ else [*right, *bottom, *mirrored]
    canvas.paste(_shading(profile, size, tall, colour, bounce), left, top, _cut(outline, size, left, top))


def flowers(canvas: Canvas, dice: Dice, at: Point, size: float, count: int, petals: Sequence[RGB], stem: RGB) -> None:
    """A loose bunch standing in a vessel whose mouth is at `at`."""
    for number in range(count):
        angle = math.radians(-90 + 76 * ((number + 0.5) / count - 0.5) + dice.between(-7, 7))
        long = size * dice.between(0.55, 1.0)
        tip = (at[0] + math.cos(angle) * long, at[1] + math.sin(angle) * long)
        bend = (at[0] + math.cos(angle) * long * 0.3, at[1] - long * 0.5)
        canvas.line(curve([at, bend, tip]), size * 0.02, stem)
        _bloom(canvas, dice, tip, size * dice.between(0.11, 0.16), petals[number % len(petals)])


def _bloom(canvas: Canvas, dice: Dice, at: Point, radius: float, colour: RGB) -> None:
    turn = dice.between(0, math.tau)
    for petal in range(6):
        angle = turn + petal * math.tau / 6
        tone = darker(colour, 0.07) if petal % 2 else colour
        canvas.circle(
            at[0] + math.cos(angle) * radius * 0.6, at[1] + math.sin(angle) * radius * 0.6, radius * 0.52, tone
        )
    canvas.circle(*at, radius * 0.36, lighter(mix(colour, (244, 200, 90), 0.7), 0.03))


def _shading(
    profile: Sequence[tuple[float, float]], size: tuple[int, int], tall: float, colour: RGB, bounce: RGB
) -> Image.Image:
    """Light and shade across a turned body: one strip, stretched to the width of every row."""
    deep = mix(darker(colour, 0.32), (20, 16, 26), 0.3)
    stops = (
        darker(colour, 0.13), colour, lighter(colour, 0.11), mix(lighter(colour, 0.14), WHITE, 0.35), lighter(colour, 0.08),
        colour, darker(colour, 0.08), darker(colour, 0.17), darker(colour, 0.26), deep, deep, mix(deep, bounce, 0.25),
    )  # fmt: skip
    scale = min(1.0, 360 / size[1])
    wide, high = max(2, round(size[0] * scale)), max(2, round(size[1] * scale))
    strip = Gradient(stops, across=True).tile((256, 1))
    sheet = Image.new("RGB", (wide, high), deep)
    for row in range(high):
        half = max(1, round(_half(profile, 1 - row / (tall * scale)) * tall * scale) + 1)
        sheet.paste(resized(strip, (half * 2, 1)), (wide // 2 - half, row))
    return resized(sheet, size)


def _half(profile: Sequence[tuple[float, float]], up: float) -> float:
    for (low, near), (high, far) in pairwise(profile):
        if low <= up <= high:
            return near + (far - near) * (up - low) / max(1e-6, high - low)
    return profile[0][1] if up < 0 else profile[-1][1]


def _cut(outline: Sequence[Point], size: tuple[int, int], left: float, top: float) -> Image.Image:
    samples = 3 if size[0] * size[1] < 1_000_000 else 2
    mask = Image.new("L", (size[0] * samples, size[1] * samples))
    dx, dy = left - round(left), top - round(top)
    ImageDraw.Draw(mask).polygon([((x + dx) * samples, (y + dy) * samples) for x, y in outline], fill=255)
    return mask.reduce(samples)


def _half_turn() -> list[float]:
    return [step / 16 * math.pi for step in range(17)]


@lru_cache(maxsize=16)
def _profile(kind: str) -> tuple[tuple[float, float], ...]:
    return tuple(curve(list(PROFILES[kind]), steps=10))


@lru_cache(maxsize=16)
def _disc(across: int) -> Image.Image:
    samples = 3 if across < 1000 else 2
    mask = Image.new("L", (across * samples, across * samples))
    ImageDraw.Draw(mask).polygon(
        circle(across * samples / 2, across * samples / 2, across * samples / 2 - 1, steps=160), fill=255
    )
    return mask.reduce(samples)
