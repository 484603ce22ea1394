"""Outlines: smooth curves, circles, pies, and the small path language motifs are written in."""

import math
import re
from collections.abc import Sequence
from itertools import pairwise

Point = tuple[float, float]
Bounds = tuple[float, float, float, float]
_TOKEN = re.compile(r"[MLQCZ]|-?\d+(?:\.\d+)?")


def bounds(points: Sequence[Point]) -> Bounds:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def circle(cx: float, cy: float, rx: float, ry: float | None = None, *, steps: int = 48) -> list[Point]:
    high = rx if ry is None else ry
    angles = [step * math.tau / steps for step in range(steps)]
    return [(cx + rx * math.cos(angle), cy + high * math.sin(angle)) for angle in angles]


def pie(cx: float, cy: float, radius: float, start: float, end: float) -> list[Point]:
    """A slice from the middle; degrees run clockwise from three o'clock."""
    steps = max(6, int(abs(end - start) / 3))
    arc = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(cx, cy), *((cx + radius * math.cos(angle), cy + radius * math.sin(angle)) for angle in arc)]


def ribbon(line: Sequence[Point], width: float) -> list[Point]:
    """The outline of a line with a width: to one side along it, and back on the other."""
    last = len(line) - 1
    left: list[Point] = []
    right: list[Point] = []
    for index, (x, y) in enumerate(line):
        into = _direction(line[max(0, index - 1)], line[index]) if index else None
        out = _direction(line[index], line[index + 1]) if index < last else None
        ahead, behind = out or into or (1.0, 0.0), into or out or (1.0, 0.0)
        nx, ny = -(ahead[1] + behind[1]), ahead[0] + behind[0]
        long = max(0.7, math.hypot(nx, ny))  # a sharp corner is cut off, not drawn out to a spike
        dx, dy = nx / long**2 * width, ny / long**2 * width
        left.append((x + dx, y + dy))
        right.append((x - dx, y - dy))
    return [*left, *reversed(right)]


def _direction(start: Point, end: Point) -> Point | None:
    long = math.hypot(end[0] - start[0], end[1] - start[1])
    return ((end[0] - start[0]) / long, (end[1] - start[1]) / long) if long > 1e-9 else None


def crescent(cx: float, cy: float, radius: float, turn: float) -> list[Point]:
    """A thin moon; `turn` in degrees tilts its lit side away from the right."""
    half = [math.pi * (step / 24 - 0.5) for step in range(25)]
    outer = [(math.cos(angle), math.sin(angle)) for angle in half]
    inner = [(0.42 * math.cos(angle), math.sin(angle)) for angle in reversed(half)]
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return [(cx + radius * (x * cos - y * sin), cy + radius * (x * sin + y * cos)) for x, y in (*outer, *inner)]


def curve(points: Sequence[Point], *, closed: bool = False, steps: int = 8) -> list[Point]:
    """A smooth line through the points (Catmull-Rom)."""
    spans = len(points) if closed else len(points) - 1
    line: list[Point] = []
    for index in range(spans):
        p0, p1, p2, p3 = (_at(points, index + offset, closed=closed) for offset in (-1, 0, 1, 2))
        line.extend(_spline(p0, p1, p2, p3, step / steps) for step in range(steps))
    return line if closed else [*line, points[-1]]


def outline(path: str) -> list[Point]:
    """The polygon of `M x y L x y Q cx cy x y C ax ay bx by x y Z`."""
    tokens = _TOKEN.findall(path)
    line: list[Point] = []
    command, index = "M", 0
    while index < len(tokens):
        if tokens[index] in "MLQCZ":
            command = tokens[index]
            index += 1
            continue
        count = {"M": 2, "L": 2, "Q": 4, "C": 6}[command]
        numbers = [float(token) for token in tokens[index : index + count]]
        line.extend(_bezier([*line[-1:], *zip(numbers[::2], numbers[1::2], strict=True)]))
        index += count
    return line


def _bezier(knots: Sequence[Point]) -> list[Point]:
    """The points of a line, a quadratic or a cubic curve, without its start."""
    if len(knots) <= 2:
        return [knots[-1]]
    steps = 22
    return [_between(knots, step / steps) for step in range(1, steps + 1)]


def _between(knots: Sequence[Point], t: float) -> Point:
    line: list[Point] = list(knots)
    while len(line) > 1:
        line = [(a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t) for a, b in pairwise(line)]
    return line[0]


def _at(points: Sequence[Point], index: int, *, closed: bool) -> Point:
    return points[index % len(points)] if closed else points[min(max(index, 0), len(points) - 1)]


def _spline(p0: Point, p1: Point, p2: Point, p3: Point, t: float) -> Point:
    a, b, c = -t + 2 * t * t - t**3, 2 - 5 * t * t + 3 * t**3, t + 4 * t * t - 3 * t**3
    d = t**3 - t * t
    return (
        (a * p0[0] + b * p1[0] + c * p2[0] + d * p3[0]) / 2,
        (a * p0[1] + b * p1[1] + c * p2[1] + d * p3[1]) / 2,
    )
