"""People as layered silhouettes: a landscape inside a head, outlines that echo, faces without features."""

from collections.abc import Callable, Iterator

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Canvas, Gradient
from limner.providers.sketches.colour import RGB, darker, lighter, mix, ramp
from limner.providers.sketches.curves import Point, circle, outline
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.motifs.figures import dressed, figure
from limner.providers.sketches.scenes.land import ridges

_HEAD = (
    "M 50 4 C 66 3 78 12 81 26 C 82.5 31 81 34 81.5 37 C 82 42 87 46 90 51 C 91.5 54 90 56 86.5 56.5 "
    "C 85.5 58 86 59 86.5 60.5 C 88 61.5 88 63 86.5 64 C 87.8 65.5 87.5 68 85.5 69 C 85 71 86.5 73 86 76 "
    "C 85 82 78 84 71 83 C 66 84 63 88 63 94 C 64 100 72 106 84 111 C 90 114 94 122 96 134 L -6 134 "
    "C -2 120 8 112 20 106 C 27 102 29 94 27 86 C 26 80 22 74 18 66 C 11 54 10 36 18 22 C 25 10 36 4 50 4 Z"
)
_SKINS: tuple[RGB, ...] = (
    (92, 60, 44),
    (128, 84, 58),
    (166, 112, 78),
    (198, 146, 108),
    (224, 178, 144),
    (240, 204, 178),
)
_HAIRS: tuple[RGB, ...] = ((28, 24, 26), (58, 38, 30), (104, 64, 38), (160, 96, 48), (206, 160, 92), (178, 176, 176))

Shape = Callable[..., None]
"""Paints a path of the portrait in one colour, and its mirror image where `both`."""


def profile(board: Board) -> Iterator[None]:
    dice = board.dice.named("profile")
    variants = [_exposure, _echo, _bust, _bust]
    if board.reading.says("silhouette", "mind", "dream", "head"):
        variants = variants[:2]
    yield from dice.pick(variants)(board, dice)


def _exposure(board: Board, dice: Dice) -> Iterator[None]:
    """A head in profile with mountains inside, before a plain ground and a disc."""
    ground = mix(board.palette.paper, board.palette.horizon, 0.35) if not board.palette.dark else board.palette.sky[0]
    points = _head(board, 0.8, flip=dice.chance(0.5))
    if not board.clear:
        board.canvas.cover(Gradient((lighter(ground, 0.02), darker(ground, 0.03))))
        board.canvas.circle(
            board.width / 2, board.height * 0.44, board.unit * 0.4, mix(ground, board.palette.accent(2), 0.4)
        )
    yield
    inner = Canvas(board.width, board.height)
    for _ in ridges(Board(inner, dice, board.palette, board.reading, board.detail)):
        pass
    board.canvas.polygon(points, inner.image)
    yield


def _echo(board: Board, dice: Dice) -> Iterator[None]:
    """The outline again and again, each time larger, in tones from the middle out."""
    palette = board.palette
    rings = 6 + board.detail
    stops = (palette.ink, palette.accent(1), palette.accent(0), palette.accent(2), palette.paper)
    tones = ramp(tuple(reversed(stops)) if dice.chance(0.6) else stops, rings + 1)
    if not board.clear:
        board.canvas.cover(tones[0])
    flip = dice.chance(0.5)
    for ring in range(rings):
        share = 1 - (ring + 1) / rings
        board.canvas.polygon(_head(board, 0.62 + 0.85 * share**1.15, flip=flip), tones[ring + 1])
        if ring == rings // 2:
            yield


def _bust(board: Board, dice: Dice) -> Iterator[None]:
    """A portrait from the front: hair, neck and shoulders as flat shapes, the face left to the eye."""
    palette, canvas = board.palette, board.canvas
    scale = min(board.unit * 1.1, board.height) * 0.0086
    x, y = board.width / 2, board.height - 100 * scale
    ground = palette.sky[1] if palette.dark else mix(palette.paper, palette.accent(dice.whole(0, 3)), 0.4)
    if not board.clear:
        canvas.cover(Gradient((lighter(ground, 0.03), darker(ground, 0.02))))
        canvas.circle(x, y + 43 * scale, 45 * scale, mix(ground, palette.light, 0.35))
    yield
    skin, hair = dice.pick(_SKINS), dice.pick(_HAIRS)
    cloth = board.reading.colours[0] if board.reading.colours else palette.accent(dice.whole(0, 2))

    def shape(path: str, fill: RGB, *, both: bool = False) -> None:
        points = outline(path)
        canvas.polygon([(x + (px - 50) * scale, y + py * scale) for px, py in points], fill)
        if both:
            canvas.polygon([(x + (50 - px) * scale, y + py * scale) for px, py in points], fill)

    long = dice.pick((0, 1, 2)) if not board.reading.says("man", "boy", "king", "father") else dice.pick((0, 0, 3))
    _hair_behind(shape, long, hair)
    shape("M 6 104 C 8 84 22 78 38 74 L 62 74 C 78 78 92 84 94 104 Z", cloth)
    shape("M 41 56 L 59 56 L 60 76 C 56 82 44 82 40 76 Z", darker(skin, 0.07))
    shape("M 38 73.5 C 43 82 57 82 62 73.5 L 66 75 C 60 88 40 88 34 75 Z", lighter(cloth, 0.08))
    head = [(x + (px - 50) * scale, y + py * scale) for px, py in circle(50, 41, 17.5, 22)]
    canvas.polygon(head, skin)
    shape("M 32 40 C 29 39 28.5 47 32.5 48.5 Z", darker(skin, 0.03), both=True)
    shape(
        "M 50 19 C 62 19 68 30 67.5 41 C 67 54 60 63 50 63 C 58 58 61 50 60 40 C 59 30 56 22 50 19 Z",
        darker(skin, 0.035),
    )
    shape("M 39 38.5 C 41 36.8 45 36.8 47 38.2 L 46.6 39.4 C 44.6 38.6 41.4 38.6 39.4 39.6 Z", hair, both=True)
    shape("M 39.6 44.4 C 41.6 46 44.6 46 46.6 44.4 C 44.8 47.4 41.4 47.4 39.6 44.4 Z", darker(skin, 0.3), both=True)
    shape("M 49.4 44 L 51.6 50.6 C 51 51.8 49.4 51.8 48.6 51.2 C 49.6 50.6 50 49.6 49.4 44 Z", darker(skin, 0.09))
    shape(
        "M 45.6 55.6 C 47.6 54.2 49 54.2 50 54.8 C 51 54.2 52.4 54.2 54.4 55.6 C 52.4 58.2 47.6 58.2 45.6 55.6 Z",
        mix(skin, (178, 60, 66), 0.55),
    )
    _hair_before(shape, long, hair)
    if dice.chance(0.5):
        for side in (-1, 1):
            canvas.circle(x + side * 18.6 * scale, y + 51.5 * scale, 1.7 * scale, palette.accent(2))
    if board.reading.says("king", "queen", "princess", "prince", "royal"):
        top = 19 if long else 4
        figure(canvas, "crown", (x, y + top * scale), 22 * scale, dressed(palette, (232, 182, 62), ground))
    yield


def _hair_behind(shape: Shape, length: int, hair: RGB) -> None:
    back = darker(hair, 0.03)
    if length == 1:
        shape(
            "M 50 13 C 72 13 76 34 75 52 C 74 66 78 78 82 86 C 70 90 60 84 58 76 L 42 76 C 40 84 30 90 18 86 C 22 78 26 66 25 52 C 24 34 28 13 50 13 Z",
            back,
        )
    elif length == 2:
        shape("M 50 14 C 70 14 74 32 73 48 C 72 58 70 64 66 68 L 34 68 C 30 64 28 58 27 48 C 26 32 30 14 50 14 Z", back)
    elif length == 3:
        return
    else:
        shape("M 50 0 C 58 0 61 6 60 11 C 70 15 72 28 70 40 L 30 40 C 28 28 30 15 40 11 C 39 6 42 0 50 0 Z", back)


def _hair_before(shape: Shape, length: int, hair: RGB) -> None:
    if length == 3:
        shape(
            "M 33 44 L 31 38 C 28 20 40 13 52 14 C 66 15 71 26 69 38 L 67 44 C 67 36 65 31 61 28 C 52 31 42 30 36 27 C 34 31 33.4 36 33 44 Z",
            hair,
        )
    elif length == 2:
        shape("M 30 46 C 27 22 40 14 50 14 C 60 14 73 22 70 46 C 69 40 67 34 64 31 L 36 31 C 33 34 31 40 30 46 Z", hair)
    else:
        shape("M 31 44 C 28 22 40 15 51 15 C 62 15 72 22 69 44 C 66 34 60 29 52 27 C 46 32 36 34 31 44 Z", hair)


def _head(board: Board, size: float, *, flip: bool) -> list[Point]:
    """The profile, `size` of the picture's height tall, standing on the lower edge."""
    scale = min(board.height, board.unit * 1.3) * size / 100
    x, y = board.width / 2, board.height
    drop = 128
    turn = -1 if flip else 1
    return [(x + (px - 48) * scale * turn, y + (py - drop) * scale) for px, py in outline(_HEAD)]
