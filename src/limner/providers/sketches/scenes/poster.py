"""Typography: quoted words as a poster of their own, or set over a scene."""

from collections.abc import Iterator

from limner.providers.sketches.board import Board
from limner.providers.sketches.canvas import Gradient
from limner.providers.sketches.colour import RGB, darker, distance, lighter, lightness, mix
from limner.providers.sketches.curves import Bounds
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.lettering import fitted, letters, spread
from limner.providers.sketches.pixels import EVEN, resized


def poster(board: Board) -> Iterator[None]:
    """The words large, a few strong shapes, and much room."""
    dice = board.dice.named("poster")
    palette = board.palette
    grounds = [
        palette.paper,
        mix(palette.paper, palette.accent(2), 0.5),
        palette.accent(0),
        palette.ink,
        palette.accent(1),
    ]
    ground = palette.sky[0] if palette.dark else dice.pick(grounds)
    loud = sorted(
        (colour for colour in palette.accents if distance(colour, ground) > 0.16),
        key=lambda colour: -distance(colour, ground),
    )
    ink = palette.ink if board.clear else _readable(ground, palette.paper, palette.ink)
    if not board.clear:
        board.canvas.cover(Gradient((lighter(ground, 0.015), darker(ground, 0.015))))
        dice.pick((_sun, _steps, _bands, _quarter))(board, dice, [*dice.shuffled(loud[:4]), ink])
    yield
    headline, *rest = board.reading.lettering or ("Limner",)
    align = dice.pick((0.0, 0.0, 0.5))
    split = (0.42 if rest else 0.58) + (0.2 if board.clear else 0)
    used = _set(board, headline, (0.08, 0.08, 0.92, split), ink, align=align)
    if rest:
        top = 0.11 + used / board.height if not align else split + 0.02
        _set(board, " ".join(rest), (0.08, top, 0.92, top + 0.16), ink, align=align, largest=0.055)


def inscription(board: Board) -> None:
    """The quoted words over a painted scene, where it is calmest; on a plate where it is calm nowhere."""
    if not board.reading.lettering:
        return
    text = " ".join(board.reading.lettering)
    boxes = [(0.08, 0.06, 0.92, 0.26), (0.08, 0.76, 0.92, 0.95)]
    looks = [_look(board, box) for box in boxes]
    box, (busy, light) = min(zip(boxes, looks, strict=True), key=lambda pair: pair[1][0])
    palette = board.palette
    if busy > 30 and not board.clear:
        plate = (0.1, 0.4, 0.9, 0.6)
        _plate(board, plate)
        _set(board, text, (0.14, 0.425, 0.86, 0.575), palette.ink)
        return
    dark, pale = darker(palette.ink, 0.04), lighter(palette.paper, 0.02)
    _set(board, text, box, dark if light > 0.62 else pale, largest=0.15)


def _set(board: Board, text: str, share: Bounds, ink: RGB, *, align: float = 0.5, largest: float = 0.34) -> float:
    """Set the text in a part of the picture; tells how high it stands, in pixels."""
    width, height = board.width, board.height
    box = (share[0] * width, share[1] * height, share[2] * width, share[3] * height)
    setting = fitted(text, box[2] - box[0], box[3] - box[1], largest=board.unit * largest)
    drop = (box[3] - box[1] - setting.height) / 2 if align else 0
    mask = letters(setting, (box[0], box[1] + drop, box[2], box[3]), (width, height), align=align)
    board.canvas.image.paste((*ink, 255) if board.clear else ink, (0, 0), mask)
    return setting.height


def _look(board: Board, share: Bounds) -> tuple[float, float]:
    """How busy and how light a part of the picture is."""
    image = board.canvas.image
    box = (share[0] * image.width, share[1] * image.height, share[2] * image.width, share[3] * image.height)
    small = resized(image.convert("RGB"), (64, 16), EVEN, box)
    mean = resized(small, (1, 1), EVEN).tobytes()
    return spread(small.convert("L")), lightness((mean[0], mean[1], mean[2]))


def _plate(board: Board, share: Bounds) -> None:
    x0, y0, x1, y1 = share[0] * board.width, share[1] * board.height, share[2] * board.width, share[3] * board.height
    rim = board.unit * 0.008
    board.canvas.block(x0, y0, x1, y1, board.palette.paper)
    board.canvas.block(x0 + rim, y0 + rim, x1 - rim, y1 - rim, board.palette.ink)
    board.canvas.block(x0 + rim * 1.5, y0 + rim * 1.5, x1 - rim * 1.5, y1 - rim * 1.5, board.palette.paper)


def _readable(ground: RGB, *inks: RGB) -> RGB:
    return max(inks, key=lambda ink: abs(lightness(ink) - lightness(ground)))


def _sun(board: Board, dice: Dice, colours: list[RGB]) -> None:
    """A great disc rising from the lower edge, crossed by a bar."""
    x, radius = board.width * dice.between(0.4, 0.8), board.unit * dice.between(0.3, 0.42)
    board.canvas.circle(x, board.height * 0.94, radius, colours[0])
    board.canvas.circle(x, board.height * 0.94, radius * 0.55, colours[1 % len(colours)])
    board.canvas.block(0, board.height * 0.94, board.width, board.height, colours[2 % len(colours)])


def _steps(board: Board, dice: Dice, colours: list[RGB]) -> None:
    """Columns that climb to one side."""
    count = max(4, round(6 * board.width / board.unit))
    rise = dice.chance(0.5)
    for number in range(count):
        place = number if rise else count - 1 - number
        top = board.height * (0.96 - 0.34 * (place + 1) / count)
        x = board.width * number / count
        board.canvas.block(x, top, board.width * (number + 1) / count, board.height, colours[number % len(colours)])


def _bands(board: Board, dice: Dice, colours: list[RGB]) -> None:
    """Stripes across the foot, thin to thick."""
    y, thick = board.height * 0.66, board.height * 0.012
    for colour in (colours * 3)[:6]:
        board.canvas.block(0, y, board.width, y + thick, colour)
        y += thick * 1.9
        thick *= 1.42


def _quarter(board: Board, dice: Dice, colours: list[RGB]) -> None:
    """Quarter circles nested in a lower corner."""
    left = dice.chance(0.5)
    x = 0 if left else board.width
    start = 270 if left else 180
    reach = min(board.unit * 0.72, board.height * 0.5)
    for number, colour in enumerate((colours * 2)[:5]):
        board.canvas.slice(x, board.height, reach * (1 - number * 0.2), start, start + 90, colour)
