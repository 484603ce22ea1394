"""Reading a prompt: which things, colours, hours, styles and quoted words stand in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from limner.providers.sketches.colour import RGB
from limner.providers.sketches.names import COLOURS, FAMILIES, MOODS, MOTIFS, NUMBERS, STYLES

_WORD = re.compile(r"[^\W_]+")
_QUOTED = re.compile(r"“([^“”]{1,200})”|\"([^\"]{1,200})\"|«([^«»]{1,200})»|(?<!\w)['‘]([^'‘’]{1,120})['’](?!\w)")
_LAND = frozenset({"mountain", "cloud"})
"""Things as large as the picture: their colour is the picture's."""
_READ = 400
"""Words read from the front of a prompt; what is said later hardly changes a picture."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A motif named in the prompt: how many of it, and its own colour if it was given one."""

    name: str
    count: int = 1
    colour: RGB | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What the drawing hand understood of a prompt, in order of appearance."""

    words: tuple[str, ...]
    lettering: tuple[str, ...]
    colours: tuple[RGB, ...]
    moods: tuple[str, ...]
    styles: tuple[str, ...]
    families: Mapping[str, float]
    things: tuple[Thing, ...]
    plurals: frozenset[str] = frozenset()
    """Words the prompt used in the plural."""

    def says(self, *any_of: str) -> bool:
        return any(word in self.words for word in any_of)


def read(prompt: str) -> Reading:
    lettering = (next(filter(None, match.groups()), "").strip() for match in _QUOTED.finditer(prompt))
    bare = _QUOTED.sub(" ", prompt)
    said = _WORD.findall(bare.lower())[:_READ]
    words = tuple(_singular(word) for word in said)
    things = _things(words, [word != heard for word, heard in zip(words, said, strict=True)])
    owned = {thing.colour for thing in things if thing.colour}
    colours = tuple(dict.fromkeys(COLOURS[word] for word in words if word in COLOURS and word not in MOTIFS))
    return Reading(
        words=words,
        lettering=tuple(text for text in lettering if text),
        colours=tuple(colour for colour in colours if colour not in owned),
        moods=_found(words, MOODS),
        styles=_found(words, STYLES),
        families=_weighed(words),
        things=things,
        plurals=frozenset(word for word, heard in zip(words, said, strict=True) if word != heard),
    )


def _singular(word: str) -> str:
    if word in KNOWN or len(word) < 4:
        return word
    for ending, instead in (("ies", "y"), ("ves", "f"), ("es", ""), ("s", "")):
        if word.endswith(ending) and word[: -len(ending)] + instead in KNOWN:
            return word[: -len(ending)] + instead
    return word


def _found(words: tuple[str, ...], meanings: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(meanings[word] for word in words if word in meanings))


def _weighed(words: tuple[str, ...]) -> dict[str, float]:
    """Families of pictures by how much the prompt speaks of them; what comes first counts most."""
    weights: dict[str, float] = {}
    for place, word in enumerate(words):
        for family, weight in FAMILIES.get(word, ()):
            weights[family] = weights.get(family, 0.0) + weight / (1 + place * 0.06)
    return weights


def _things(words: tuple[str, ...], plural: list[bool]) -> tuple[Thing, ...]:
    found: dict[str, Thing] = {}
    for place, word in enumerate(words):
        name = MOTIFS.get(word)
        if name and name not in found:
            before = words[max(0, place - 3) : place]
            count = next((NUMBERS[near] for near in reversed(before) if near in NUMBERS), 3 if plural[place] else 1)
            near_colours = (COLOURS[near] for near in reversed(before) if near in COLOURS)
            colour = None if name in _LAND else next(near_colours, None)
            found[name] = Thing(name, count, colour)
    return tuple(found.values())


KNOWN = frozenset({*COLOURS, *FAMILIES, *MOODS, *MOTIFS, *NUMBERS, *STYLES})
