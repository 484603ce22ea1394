"""Chance that falls the same way on every machine."""

import hashlib
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """A seeded source of choices; `named` gives streams that do not disturb one another.

    Only `random.random` and `randbytes` are used underneath: their sequences are promised for ever.
    """

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._random = random.Random(hashlib.sha256(seed.encode("utf-8", "replace")).digest())  # noqa: S311 - art

    def named(self, name: str) -> "Dice":
        """An independent stream: more stars do not move the moon."""
        return Dice(f"{self._seed}/{name}")

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._random.random()

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def sign(self) -> int:
        return 1 if self.chance(0.5) else -1

    def pick(self, items: Sequence[T]) -> T:
        return items[int(self._random.random() * len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        keyed = [(self._random.random(), index) for index in range(len(items))]
        return [items[index] for _, index in sorted(keyed)]

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)
