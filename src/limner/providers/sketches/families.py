"""Which family of pictures a prompt asks for."""

from dataclasses import dataclass

from limner.providers.sketches.board import Scene
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.scenes.abstract import abstract
from limner.providers.sketches.scenes.city import city
from limner.providers.sketches.scenes.clouds import clouds
from limner.providers.sketches.scenes.emblem import emblem, pattern
from limner.providers.sketches.scenes.land import dunes, forest, ridges
from limner.providers.sketches.scenes.marble import marble
from limner.providers.sketches.scenes.meadow import blossom, meadow
from limner.providers.sketches.scenes.night import aurora, night
from limner.providers.sketches.scenes.papercut import papercut
from limner.providers.sketches.scenes.poster import poster
from limner.providers.sketches.scenes.profile import profile
from limner.providers.sketches.scenes.stilllife import stilllife
from limner.providers.sketches.scenes.tiles import quilt, tiles, waves
from limner.providers.sketches.scenes.water import lake, sea
from limner.providers.sketches.words import Reading


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of picture. `moods` are its hours when the prompt names none; `stands_alone` says that its
    subject can be painted on transparency."""

    scene: Scene
    moods: tuple[str, ...] = ()
    stands_alone: bool = False
    grain: int = 3
    """Noise laid over the finished picture, in levels: it hides the steps of gradients."""


FAMILIES: dict[str, Family] = {
    "ridges": Family(ridges, ("dawn", "day", "sunset", "mist", "golden")),
    "dunes": Family(dunes, ("desert",)),
    "forest": Family(forest, ("mist", "dawn", "golden", "winter")),
    "sea": Family(sea, ("sunset", "golden", "dawn", "summer")),
    "lake": Family(lake, ("dawn", "mist", "golden", "sunset")),
    "city": Family(city, ("sunset", "night", "dawn", "mist")),
    "clouds": Family(clouds, ("sunset", "day", "dawn", "pastel"), grain=0),
    "papercut": Family(papercut),
    "abstract": Family(abstract, ("bold", "earth", "vintage", "pastel"), stands_alone=True),
    "meadow": Family(meadow, ("spring", "summer", "golden", "dawn", "day")),
    "blossom": Family(blossom, ("spring", "dawn", "pastel", "mist"), stands_alone=True),
    "night": Family(night, ("night",)),
    "aurora": Family(aurora, ("night",)),
    "stilllife": Family(stilllife, stands_alone=True),
    "tiles": Family(tiles, ("bold", "earth", "vintage")),
    "quilt": Family(quilt, ("earth", "vintage", "winter", "bold")),
    "emblem": Family(emblem, ("bold", "earth", "pastel", "vintage", "day"), stands_alone=True),
    "pattern": Family(pattern, ("bold", "earth", "pastel", "vintage"), stands_alone=True),
    "poster": Family(poster, ("bold", "vintage", "earth", "pastel"), stands_alone=True),
    "profile": Family(profile, ("bold", "earth", "vintage", "sunset", "pastel"), stands_alone=True),
    "waves": Family(waves, grain=0),
    "marble": Family(marble, grain=0),
}
_OPEN = ("ridges", "tiles", "marble", "stilllife", "papercut", "abstract", "emblem")
"""What a prompt gets that names nothing we can draw."""
_REPEATS = ("pattern", "seamless", "wallpaper", "repeat", "print", "textile", "fabric")


def chosen(reading: Reading, dice: Dice, *, alone: bool = False) -> Family:
    """By the words of the prompt: a setting if one is named, else its things, else whatever the dice say.

    `alone` asks for a subject without surroundings, as transparent pictures want.
    """
    weights = {name: weight for name, weight in reading.families.items() if name in FAMILIES}
    if reading.things and reading.says(*_REPEATS):
        return FAMILIES["pattern"]
    if not reading.lettering:
        weights.pop("poster", None)
    if reading.things:
        weights["emblem"] = weights.get("emblem", 0.0) + (9.0 if alone else _THING)
        home = _HOMES.get(reading.things[0].name)
        if home and not reading.says(*_PLAIN) and (reading.moods or dice.chance(0.4)):
            weights[home] = weights.get(home, 0.0) + _THING + 0.1
    if not weights:
        return FAMILIES["poster" if reading.lettering else dice.pick(_OPEN)]
    best = max(weights.values())
    return FAMILIES[dice.pick([name for name, weight in weights.items() if weight >= best * 0.97])]


_THING = 1.0
"""How much a thing alone weighs against a setting: "a boat" is an emblem, "a boat at sea" a seascape."""
_HOMES = {
    "boat": "sea", "lighthouse": "sea", "whale": "sea", "castle": "ridges", "house": "meadow", "windmill": "meadow",
    "tree": "meadow", "balloon": "ridges", "plane": "clouds", "astronaut": "night", "rocket": "night", "planet": "night",
}  # fmt: skip
"""Where a thing is painted if the prompt gives an hour or a mood but no place."""
_PLAIN = ("logo", "icon", "emblem", "badge", "sticker", "symbol", "mascot", "flat", "vector")
