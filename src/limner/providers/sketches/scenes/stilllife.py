"""Still lifes: spheres, vases, bottles, bowls and fruit grouped on a table."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Gradient
from limner.providers.sketches.colour import RGB, WHITE, darker, lighter, lit, mix, muted
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.scenes.bodies import ball, flowers, fruit, half_width, mouth, vessel

_SIZES = {
    "vase": (0.4, 0.5), "bottle": (0.5, 0.6), "jug": (0.34, 0.42), "bowl": (0.17, 0.2), "pear": (0.25, 0.3),
    "flask": (0.32, 0.4), "fruit": (0.18, 0.23), "sphere": (0.19, 0.34),
}  # fmt: skip
"""Heights from .. to, in shares of the picture's short side."""
_BALLS = frozenset({"sphere", "fruit"})
_NAMED = [
    (("vase", "pottery", "ceramic", "bouquet"), "vase"),
    (("bottle", "wine"), "bottle"),
    (("jug", "pitcher", "teapot", "jar"), "jug"),
    (("bowl",), "bowl"),
    (("pear",), "pear"),
    (("flask", "potion", "perfume"), "flask"),
    (("fruit", "apple", "orange", "peach", "lemon", "plum", "cherry"), "fruit"),
    (("sphere", "ball", "orb", "glazed", "egg"), "sphere"),
]
_ARRANGEMENTS = (
    ("sphere", "sphere", "sphere"), ("vase", "sphere", "fruit"), ("vase", "fruit", "fruit"), ("jug", "bowl", "fruit"),
    ("bottle", "pear", "sphere"), ("bottle", "jug", "fruit", "pear"), ("flask", "sphere", "sphere"), ("bowl", "bottle"),
)  # fmt: skip


_BLOOMS = ("flower", "tulip", "bouquet", "rose", "bloom", "daisy", "lily", "sunflower", "poppy")
_RIPE: dict[str, tuple[RGB, ...]] = {
    "fruit": ((196, 48, 40), (236, 176, 52), (128, 172, 70), (236, 124, 44), (168, 40, 58)),
    "pear": ((214, 186, 70), (150, 166, 64), (190, 92, 50)),
}


@dataclass(frozen=True, slots=True)
class _Item:
    kind: str
    x: float
    foot: float
    tall: float
    colour: RGB

    @property
    def half(self) -> float:
        return self.tall / 2 if self.kind in _BALLS else self.tall * half_width(self.kind)


def stilllife(board: Board) -> Iterator[None]:
    dice = board.dice.named("still life")
    table = board.height * dice.between(0.58, 0.66)
    if not board.clear:
        _room(board, table)
    yield
    items = _grouped(board, dice.named("items"), table)
    for item in items:
        _cast(board, item)
    yield
    bounce = mix(board.palette.horizon, board.palette.paper, 0.4)
    for number, item in enumerate(items):
        _paint(board, dice.named(f"item {number}"), item, bounce)


def _room(board: Board, table: float) -> None:
    """A wall in the light of a window, and the table's edge against it."""
    palette = board.palette
    wall = muted(
        mix(palette.sky[1] if palette.dark else palette.sky[-2], palette.paper, 0.1 if palette.dark else 0.45), 0.7
    )
    wood = muted(mix(palette.near if palette.dark else palette.far, palette.accents[-1], 0.25), 0.85)
    wood = lit(wood, 0.3 if palette.dark else 0.66)
    share = table / board.height
    soft = board.canvas.small(4)
    down = soft.height * share
    soft.block(0, 0, soft.width, down, Gradient((darker(wall, 0.04), wall)))
    soft.glow(soft.width * 0.25, down * 0.3, soft.unit * 0.95, lighter(wall, 0.1), 0.85)
    soft.block(0, down, soft.width, soft.height, Gradient((lighter(wood, 0.05), darker(wood, 0.09))))
    soft.glow(soft.width * 0.32, down + soft.height * 0.1, soft.unit * 0.7, lighter(wood, 0.08), 0.6, flat=0.4)
    board.canvas.lay(soft)


def _grouped(board: Board, dice: Dice, table: float) -> list[_Item]:
    """The bodies close together around the middle, the tall ones behind."""
    kinds = _kinds(board, dice)
    named = list(board.reading.colours)
    loose = dice.shuffled([colour for colour in board.palette.accents[:5] if colour not in named])
    colours = named or loose if len(kinds) == 1 else [*named, *loose]
    unit = min(board.unit, board.height * 0.8)
    items: list[_Item] = []
    reach = 0.0
    for number, kind in enumerate(kinds):
        tall = unit * dice.between(*_SIZES[kind])
        front = dice.between(0.13, 0.21) if kind in _BALLS or kind in ("pear", "bowl") else dice.between(0.05, 0.1)
        item = _Item(kind, 0, min(table + unit * front, board.height * 0.95), tall, colours[number % len(colours)])
        reach += item.half * dice.between(0.78, 0.98)
        items.append(replace(item, x=reach, colour=_ripened(board, dice, item)))
        reach += item.half * dice.between(0.78, 0.98)
    most = 1.9 if len(items) == 1 else 1.25
    room = 0.36 if board.reading.says(*_BLOOMS) else 0.5
    fit = min(most, board.width * 0.78 / reach, board.height * room / max(item.tall for item in items))
    start = board.width / 2 - reach * fit / 2 + dice.between(-0.03, 0.03) * board.width
    placed = [replace(item, x=start + item.x * fit, tall=item.tall * fit) for item in items]
    return sorted(placed, key=lambda item: item.foot)


def _kinds(board: Board, dice: Dice) -> list[str]:
    reading = board.reading
    wanted = [kind for words, kind in _NAMED if reading.says(*words)]
    if not wanted:
        return dice.shuffled(dice.pick(_ARRANGEMENTS))
    if wanted == ["bowl", "fruit"]:
        return ["bowl", *(["fruit"] * dice.whole(0, 2))]
    if (
        len(wanted) == 1
        and not reading.plurals
        and not reading.says("still", "fruit", "group", "arrangement", "pottery")
    ):
        return wanted
    companion = "sphere" if "sphere" in wanted else "fruit"
    count = max(len(wanted), 3 if board.tall else dice.whole(3, 4))
    small = [kind for kind in wanted if kind in _BALLS or kind == "pear"] or [companion]
    return dice.shuffled([*wanted, *(dice.pick(small) for _ in range(count - len(wanted)))])


def _ripened(board: Board, dice: Dice, item: _Item) -> RGB:
    """Fruit keeps to the colours fruit has, unless the prompt names one."""
    if item.kind not in _RIPE or board.reading.colours:
        return item.colour
    return mix(dice.pick(_RIPE[item.kind]), item.colour, 0.1)


def _cast(board: Board, item: _Item) -> None:
    """The shadow on the table: long and soft to the right, dark where the body stands."""
    half, y = item.half * (1.0 if item.kind in _BALLS else 0.72), item.foot
    board.canvas.oval_shadow(item.x + half * 0.95, y - half * 0.02, half * 1.5, half * 0.24, half * 0.16, 0.42)
    board.canvas.oval_shadow(item.x + half * 0.2, y, half * 0.85, half * 0.13, half * 0.06, 0.6)


def _paint(board: Board, dice: Dice, item: _Item, bounce: RGB) -> None:
    canvas, foot = board.canvas, (item.x, item.foot)
    green = mix((86, 122, 58), board.palette.accent(3), 0.25)
    if item.kind in _BALLS:
        at = (item.x, item.foot - item.tall * 0.485)
        if item.kind == "sphere":
            ball(canvas, at, item.tall / 2, item.colour, bounce, glazed=True)
        else:
            fruit(canvas, dice, at, item.tall / 2, item.colour, bounce, green)
        return
    if item.kind == "pear":
        top = item.foot - item.tall
        canvas.line(
            [(item.x, top + item.tall * 0.03), (item.x + item.tall * 0.06, top - item.tall * 0.14)],
            item.tall * 0.028,
            (74, 52, 34),
        )
    else:
        mouth(canvas, item.kind, foot, item.tall, item.colour)
        _fill(board, dice, item, bounce, green)
    vessel(canvas, item.kind, foot, item.tall, item.colour, bounce)


def _fill(board: Board, dice: Dice, item: _Item, bounce: RGB, green: RGB) -> None:
    """Fruit in bowls, and flowers in vases where the prompt or the dice want them."""
    if item.kind == "bowl":
        colours = dice.shuffled(list(board.palette.accents[:4]))
        for number, shift in enumerate((-0.62, 0.6, 0.0)):
            radius = item.tall * dice.between(0.44, 0.54)
            at = (item.x + shift * item.tall, item.foot - item.tall * (1.05 if number < 2 else 1.12))
            skin = _ripened(board, dice.named(f"skin {number}"), _Item("fruit", 0, 0, 0, colours[number]))
            fruit(board.canvas, dice.named(f"{number}"), at, radius, skin, bounce, green)
    said = board.reading.says(*_BLOOMS)
    if item.kind in ("vase", "jug") and (said or dice.chance(0.35)):
        room = item.foot - item.tall - board.height * 0.06
        petals = [mix(board.palette.accent(number), WHITE, 0.1) for number in range(3)]
        size = max(item.tall * 0.3, min(item.tall * 0.8, room))
        flowers(
            board.canvas,
            dice,
            (item.x, item.foot - item.tall * 0.98),
            size,
            4 + 2 * board.detail,
            petals,
            mix(green, (40, 60, 44), 0.3),
        )
