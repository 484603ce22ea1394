"""What a scene is given to draw with."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from limner.providers.sketches.canvas import Canvas
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.palette import Palette
from limner.providers.sketches.words import Reading, Thing


@dataclass(frozen=True, slots=True)
class Board:
    """The canvas and everything a scene decides by. `detail` is 0 for a draft, 1, 2 for high, 3 for deep."""

    canvas: Canvas
    dice: Dice
    palette: Palette
    reading: Reading
    detail: int = 1

    @property
    def width(self) -> int:
        return self.canvas.width

    @property
    def height(self) -> int:
        return self.canvas.height

    @property
    def unit(self) -> int:
        return self.canvas.unit

    @property
    def clear(self) -> bool:
        """Whether the subject stands on transparency: then there is no background to paint."""
        return self.canvas.clear

    @property
    def tall(self) -> bool:
        return self.height > self.width * 1.2

    @property
    def wide(self) -> bool:
        return self.width > self.height * 1.2

    @property
    def things(self) -> tuple[Thing, ...]:
        return self.reading.things

    def more(self, count: float) -> int:
        """`count` of some small thing, fewer in a draft and more in a rich picture."""
        return max(1, round(count * (0.6, 1.0, 1.35, 1.7)[self.detail]))


Scene = Callable[[Board], Iterator[None]]
"""A scene paints on the board and yields wherever the unfinished picture is worth a look."""
