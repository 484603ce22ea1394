"""Still lifes: glazed spheres, vases, bottles and fruit on a table in soft light from the left."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Gradient
from limner.providers.sketches.colour import RGB, WHITE, darker, lighter, lit, mix, muted
from limner.providers.sketches.curves import Point, curve
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.pixels import SMOOTH, resized, tinted

_PROFILES: dict[str, Sequence[tuple[float, float]]] = {
    # half widths from the foot (0) to the rim (1), in heights of the body
    "vase": ((0, 0.17), (0.04, 0.19), (0.25, 0.31), (0.48, 0.34), (0.68, 0.23), (0.82, 0.12), (0.92, 0.11), (1, 0.16)),
    "bottle": (
        (0, 0.15),
        (0.02, 0.165),
        (0.3, 0.17),
        (0.55, 0.168),
        (0.66, 0.12),
        (0.74, 0.06),
        (0.95, 0.052),
        (0.955, 0.068),
        (1, 0.066),
    ),
    "jug": ((0, 0.22), (0.05, 0.25), (0.3, 0.36), (0.5, 0.35), (0.7, 0.24), (0.84, 0.2), (1, 0.25)),
    "bowl": ((0, 0.3), (0.06, 0.32), (0.1, 0.34), (0.4, 0.7), (0.75, 0.92), (1, 1.0)),
    "pear": ((0, 0.18), (0.05, 0.3), (0.25, 0.41), (0.45, 0.38), (0.62, 0.24), (0.78, 0.17), (0.92, 0.13), (1, 0.02)),
    "flask": ((0, 0.3), (0.04, 0.36), (0.22, 0.44), (0.42, 0.37), (0.56, 0.16), (0.68, 0.075), (0.95, 0.07), (1, 0.1)),
}


@dataclass(frozen=True, slots=True)
class _Object:
    kind: str
    x: float
    foot: float
    size: float
    colour: RGB


def stilllife(board: Board) -> Iterator[None]:
    dice = board.dice.named("still life")
    table = board.height * dice.between(0.6, 0.68)
    if not board.clear:
        _room(board, dice.named("room"), table)
    yield
    objects = _arranged(board, dice.named("objects"), table)
    for item in objects:
        _cast(board, item)
    yield
    for item in objects:
        _paint(board, dice.named(f"{item}"), item)


def _room(board: Board, dice: Dice, table: float) -> None:
    palette = board.palette
    dark = palette.dark
    wall = mix(palette.sky[1] if dark else palette.sky[-2], palette.paper, 0.1 if dark else 0.45)
    wall = muted(wall, 0.7)
    light = lighter(wall, 0.1)
    board.canvas.rectangle(0, 0, board.width, table, Gradient((darker(wall, 0.04), wall)))
    board.canvas.glow(board.width * 0.25, table * 0.3, board.unit * 0.9, light, 0.8)
    wood = muted(mix(palette.near if dark else palette.far, palette.accents[-1], 0.25), 0.85)
    wood = lit(wood, 0.3 if dark else 0.66)
    board.canvas.rectangle(0, table, board.width, board.height, Gradient((lighter(wood, 0.05), darker(wood, 0.09))))
    board.canvas.shadow(
        [(0, table - 2), (board.width, table - 2), (board.width, table + 4), (0, table + 4)],
        board.unit * 0.012,
        darker(wood, 0.2),
        0.5,
    )
    board.canvas.glow(
        board.width * 0.32, table + board.height * 0.1, board.unit * 0.7, lighter(wood, 0.08), 0.6, flat=0.4
    )


def _arranged(board: Board, dice: Dice, table: float) -> list[_Object]:
    """A few bodies grouped off the middle, the tall ones behind."""
    kinds = _kinds(board, dice)
    unit, width = board.unit, board.width
    spread = min(width * 0.82, unit * (0.34 + 0.2 * len(kinds)))
    start = width / 2 - spread / 2 + dice.between(-0.03, 0.03) * width
    colours = _colours(board, dice)
    objects: list[_Object] = []
    for place, kind in enumerate(kinds):
        tall = kind in ("vase", "bottle", "jug", "flask")
        size = unit * (dice.between(0.42, 0.56) if tall else dice.between(0.16, 0.3))
        x = start + spread * (place + 0.5) / len(kinds) + dice.between(-0.02, 0.02) * width
        foot = table + unit * (dice.between(0.05, 0.1) if tall else dice.between(0.12, 0.22))
        objects.append(_Object(kind, x, min(foot, board.height * 0.94), size, colours[place % len(colours)]))
    return sorted(objects, key=lambda item: item.foot)


def _kinds(board: Board, dice: Dice) -> list[str]:
    said = board.reading.says
    named = [
        (("vase", "pottery", "ceramic", "bouquet", "tulip"), "vase"),
        (("bottle", "wine", "glass"), "bottle"),
        (("jug", "pitcher", "teapot", "jar"), "jug"),
        (("bowl",), "bowl"),
        (("pear",), "pear"),
        (("flask", "potion", "perfume"), "flask"),
        (("fruit", "apple", "orange", "peach", "lemon", "plum", "cherry"), "fruit"),
        (("sphere", "ball", "orb", "marble", "egg", "glazed"), "sphere"),
    ]
    wanted = [kind for words, kind in named if said(*words)]
    if not wanted:
        wanted = dice.pick(
            (["sphere"], ["sphere"], ["vase", "sphere"], ["vase", "fruit"], ["bottle", "pear", "sphere"])
        )
    count = max(len(wanted), dice.whole(3, 4) if not board.tall else 3)
    extra = [
        dice.pick([*list(wanted), "sphere" if "sphere" in wanted else "fruit"]) for _ in range(count - len(wanted))
    ]
    return dice.shuffled([*wanted, *extra])


def _colours(board: Board, dice: Dice) -> list[RGB]:
    named = list(board.reading.colours)
    return [*named, *dice.shuffled(list(board.palette.accents[:5]))]


def _cast(board: Board, item: _Object) -> None:
    """The shadow on the table: long and soft to the right, dark where the body stands."""
    half = item.size * (0.5 if item.kind in ("sphere", "fruit") else 0.3)
    if item.kind == "bowl":
        half = item.size * 0.6
    canvas, y = board.canvas, item.foot
    canvas.shadow(
        _oval(item.x + half * 0.95, y - half * 0.02, half * 1.5, half * 0.24), half * 0.16, (12, 10, 14), 0.42
    )
    canvas.shadow(_oval(item.x + half * 0.2, y, half * 0.85, half * 0.13), half * 0.06, (8, 6, 10), 0.6)


def _oval(cx: float, cy: float, rx: float, ry: float) -> list[Point]:
    return [(cx + rx * math.cos(a * math.tau / 32), cy + ry * math.sin(a * math.tau / 32)) for a in range(32)]


def _paint(board: Board, dice: Dice, item: _Object) -> None:
    if item.kind in ("sphere", "fruit"):
        _ball(board, dice, item)
    else:
        _turned(board, dice, item)


def _ball(board: Board, dice: Dice, item: _Object) -> None:
    radius = item.size / 2
    cx, cy = item.x, item.foot - radius * 0.97
    glaze = item.kind == "sphere"
    sprite = _lit_ball(item.colour, round(radius * 2) + 4, glossy=glaze, ambient=_ambient(board))
    mask = Image.new("L", (sprite.width * 3, sprite.height * 3))
    edge = (sprite.width * 3 - radius * 6) / 2
    ImageDraw.Draw(mask).ellipse((edge, edge, sprite.width * 3 - edge, sprite.height * 3 - edge), fill=255)
    board.canvas.paste(sprite, cx - sprite.width / 2, cy - sprite.height / 2, mask.reduce(3))
    if glaze:
        board.canvas.glow(cx - radius * 0.38, cy - radius * 0.42, radius * 0.34, WHITE, 0.85, flat=0.8)
        return
    _stalk(board, dice, cx, cy, radius)


def _stalk(board: Board, dice: Dice, cx: float, cy: float, radius: float) -> None:
    board.canvas.glow(cx - radius * 0.36, cy - radius * 0.4, radius * 0.4, WHITE, 0.35, flat=0.8)
    top = cy - radius * 0.86
    board.canvas.glow(cx, top, radius * 0.3, (30, 20, 10), 0.5, flat=0.35)
    lean = dice.between(-0.15, 0.2) * radius
    board.canvas.line(
        [(cx, top + radius * 0.03), (cx + lean * 0.4, top - radius * 0.14), (cx + lean, top - radius * 0.26)],
        radius * 0.06,
        (74, 52, 34),
    )
    if dice.chance(0.7):
        green = mix((86, 122, 58), board.palette.accent(3), 0.25)
        tip = (cx + lean + radius * 0.62, top - radius * 0.34)
        leaf = curve(
            [
                (cx + lean * 0.6, top - radius * 0.12),
                (cx + radius * 0.34, top - radius * 0.42),
                tip,
                (cx + radius * 0.4, top - radius * 0.14),
            ],
            closed=True,
        )
        board.canvas.polygon(leaf, Gradient((lighter(green, 0.1), darker(green, 0.1))))


def _lit_ball(colour: RGB, across: int, *, glossy: bool, ambient: RGB) -> Image.Image:
    """A square of shading for a ball lit from the upper left."""
    light = Image.radial_gradient("L")
    # the light's centre stands at a third of the ball: take the window of a larger gradient
    window = (128 - 128 * 0.36, 128 - 128 * 0.34, 128 + 128 * 0.92, 128 + 128 * 0.94)
    grey = resized(light, (across, across), SMOOTH, window)
    dark = mix(darker(colour, 0.34), (20, 16, 26), 0.35)
    bounce = mix(darker(colour, 0.2), ambient, 0.3)
    bright = mix(lighter(colour, 0.1), WHITE, 0.12 if glossy else 0.05)
    return tinted(
        grey, (bright, lighter(colour, 0.03), colour, darker(colour, 0.1), darker(colour, 0.22), dark, dark, bounce)
    )


def _ambient(board: Board) -> RGB:
    return mix(board.palette.horizon, board.palette.paper, 0.4)


def _turned(board: Board, dice: Dice, item: _Object) -> None:
    """A body of revolution: its outline from the profile, its shading across every row."""
    profile = _smooth(_PROFILES[item.kind])
    tall = item.size * (0.45 if item.kind == "bowl" else 0.62 if item.kind == "pear" else 1.0)
    wide = item.size if item.kind != "bowl" else item.size * 0.62
    scale = tall if item.kind != "bowl" else wide
    left = [(item.x - half * scale, item.foot - up * tall) for up, half in profile]
    right = [(item.x + half * scale, item.foot - up * tall) for up, half in reversed(profile)]
    foot = profile[0][1] * scale
    bottom = [
        (item.x + foot * math.cos(a / 12 * math.pi), item.foot + foot * 0.16 * math.sin(a / 12 * math.pi))
        for a in range(13)
    ]
    outline = [*left, *right, *bottom]
    board.canvas.polygon(outline, _shading(board, item, profile, tall, scale))
    rim = profile[-1][1] * scale
    if item.kind != "pear":
        y = item.foot - tall
        board.canvas.ellipse(item.x, y, rim, rim * 0.2, lighter(item.colour, 0.08))
        board.canvas.ellipse(
            item.x,
            y + rim * 0.02,
            rim * 0.86,
            rim * 0.15,
            Gradient((darker(item.colour, 0.32), darker(item.colour, 0.16))),
        )
    if item.kind == "vase" and (board.reading.says("flower", "tulip", "bouquet", "rose", "bloom") or dice.chance(0.3)):
        _sprigs(board, dice, item.x, item.foot - tall, item.size)
    if item.kind == "pear":
        top = item.foot - tall
        board.canvas.line(
            [(item.x, top + tall * 0.02), (item.x + tall * 0.05, top - tall * 0.14)], tall * 0.028, (74, 52, 34)
        )


def _smooth(profile: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return curve(list(profile), steps=10)


def _shading(board: Board, item: _Object, profile: list[tuple[float, float]], tall: float, scale: float) -> Image.Image:
    """A canvas-sized picture of the body's light: one strip of shading stretched to each row's width."""
    colour = item.colour
    dark = mix(darker(colour, 0.32), (20, 16, 26), 0.3)
    stops = (
        darker(colour, 0.13), colour, lighter(colour, 0.11), mix(lighter(colour, 0.14), WHITE, 0.35), lighter(colour, 0.08),
        colour, darker(colour, 0.08), darker(colour, 0.17), darker(colour, 0.26), dark, dark, mix(dark, _ambient(board), 0.25),
    )  # fmt: skip
    strip = Gradient(stops, across=True).tile((256, 1))
    sheet = Image.new("RGB", (board.width, board.height), dark)
    rows = max(2, round(tall))
    step = max(1, rows // 400)
    for row in range(0, rows + step, step):
        up = min(1.0, row / rows)
        half = max(1, round(_half(profile, up) * scale) + 1)
        line = resized(strip, (half * 2, step + 1))
        sheet.paste(line, (round(item.x) - half, round(item.foot - row)))
    foot = resized(strip, (max(2, round(profile[0][1] * scale * 2)), max(1, round(tall * 0.08))))
    sheet.paste(foot, (round(item.x - profile[0][1] * scale), round(item.foot)))
    return sheet


def _half(profile: list[tuple[float, float]], up: float) -> float:
    for (low, near), (high, far) in itertools.pairwise(profile):
        if low <= up <= high:
            return near + (far - near) * (up - low) / max(1e-6, high - low)
    return profile[-1][1]


def _sprigs(board: Board, dice: Dice, x: float, y: float, size: float) -> None:
    """Flowers standing in the vase."""
    stem = mix((72, 104, 66), board.palette.accent(3), 0.3)
    petals = [mix(board.palette.accent(i), WHITE, 0.1) for i in range(3)]
    for number in range(board.more(5)):
        angle = math.radians(-90 + dice.between(-38, 38))
        long = size * dice.between(0.35, 0.62)
        tip = (x + math.cos(angle) * long, y + math.sin(angle) * long)
        bend = (x + math.cos(angle) * long * 0.3, y - long * 0.5)
        board.canvas.line(curve([(x, y), bend, tip]), size * 0.012, stem)
        _bloom(board, dice, tip, size * dice.between(0.06, 0.095), petals[number % len(petals)])


def _bloom(board: Board, dice: Dice, at: Point, radius: float, colour: RGB) -> None:
    turn = dice.between(0, math.tau)
    for petal in range(6):
        angle = turn + petal * math.tau / 6
        px, py = at[0] + math.cos(angle) * radius * 0.6, at[1] + math.sin(angle) * radius * 0.6
        board.canvas.circle(px, py, radius * 0.52, mix(colour, darker(colour, 0.08), petal % 2))
    board.canvas.circle(at[0], at[1], radius * 0.36, lighter(mix(colour, (244, 200, 90), 0.7), 0.03))
