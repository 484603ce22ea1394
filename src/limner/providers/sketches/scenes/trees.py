"""Trees as scenes plant them by the dozen."""

from collections.abc import Sequence

from limner.providers.sketches.board import Board
from limner.providers.sketches.colour import RGB
from limner.providers.sketches.curves import Point
from limner.providers.sketches.dice import Dice


def stand(
    board: Board, dice: Dice, line: Sequence[Point], size: float, colour: RGB, *, gap: tuple[float, float] = (0, 0)
) -> None:
    """Pines about `size` tall along a skyline, none inside the gap."""
    x = -size * 0.2
    while x < board.width + size * 0.2:
        y = line[min(len(line) - 1, max(0, round(x / board.width * (len(line) - 1))))][1]
        tall = size * dice.between(0.5, 1.15)
        if not gap[0] < x < gap[1]:
            pine(board, dice, x, y + size * 0.06, tall, colour)
        x += size * dice.between(0.16, 0.42)


def pine(board: Board, dice: Dice, x: float, y: float, tall: float, colour: RGB) -> None:
    """A ragged conifer standing on (x, y)."""
    tiers = 4 + min(2, board.detail) + (tall > board.unit * 0.15)
    left: list[Point] = []
    right: list[Point] = []
    for tier in range(tiers):
        down = (tier + 1) / tiers
        wide = tall * 0.21 * down**0.85
        level = y - tall * (1 - down * 0.93)
        for edge, sign in ((left, -1), (right, 1)):
            edge.append((x + sign * wide * dice.between(0.8, 1.15), level + tall * 0.02 * dice.between(0, 1)))
            edge.append((x + sign * wide * 0.42, level - tall * 0.012))
    trunk = tall * 0.018
    board.canvas.polygon([(x, y - tall), *right, (x + trunk, y), (x - trunk, y), *reversed(left)], colour)
