"""Which family of pictures a prompt asks for."""

from dataclasses import dataclass

from limner.providers.sketches.board import Scene
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.scenes.land import dunes, forest, ridges
from limner.providers.sketches.scenes.marble import marble
from limner.providers.sketches.scenes.night import aurora, night
from limner.providers.sketches.scenes.stilllife import stilllife
from limner.providers.sketches.scenes.tiles import quilt, tiles, waves
from limner.providers.sketches.words import Reading


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of picture. `moods` are its hours when the prompt names none; `stands_alone` says that its
    subject can be painted on transparency."""

    scene: Scene
    moods: tuple[str, ...] = ()
    stands_alone: bool = False


FAMILIES: dict[str, Family] = {
    "ridges": Family(ridges, ("dawn", "day", "sunset", "mist", "golden")),
    "dunes": Family(dunes, ("desert", "sunset")),
    "forest": Family(forest, ("mist", "dawn", "golden", "winter")),
    "night": Family(night, ("night",)),
    "aurora": Family(aurora, ("night",)),
    "stilllife": Family(stilllife, stands_alone=True),
    "tiles": Family(tiles, ("bold", "earth", "vintage")),
    "quilt": Family(quilt, ("earth", "vintage", "winter", "bold")),
    "waves": Family(waves),
    "marble": Family(marble),
}
_OPEN = ("ridges", "tiles", "marble", "stilllife", "waves")
"""What a prompt gets that names nothing we can draw."""


def chosen(reading: Reading, dice: Dice) -> Family:
    weights = {name: weight for name, weight in reading.families.items() if name in FAMILIES}
    if not weights:
        return FAMILIES[dice.pick(_OPEN)]
    best = max(weights.values())
    return FAMILIES[dice.pick([name for name, weight in weights.items() if weight >= best * 0.97])]
