"""Palettes: a curated set for hours, seasons and moods, and new ones grown from the prompt's colour words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from limner.providers.sketches.colour import (
    RGB,
    chroma,
    darker,
    distance,
    lightness,
    lit,
    mix,
    muted,
    rgb,
    turned,
)
from limner.providers.sketches.dice import Dice
from limner.providers.sketches.words import Reading


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one picture. `sky` runs from the zenith to the horizon; `accents` are the loud ones."""

    sky: tuple[RGB, ...]
    far: RGB
    near: RGB
    light: RGB
    accents: tuple[RGB, ...]
    paper: RGB
    ink: RGB

    @property
    def dark(self) -> bool:
        """Whether the sky is dark overhead: dusk or night."""
        return lightness(self.sky[0]) < 0.42

    @property
    def night(self) -> bool:
        """Whether it is dark down to the horizon: then the moon shines, not the sun."""
        return self.dark and lightness(self.horizon) < 0.74

    @property
    def water(self) -> RGB:
        """Deep water under this sky."""
        return mix(lit(self.sky[0], 0.38), self.near, 0.22)

    @property
    def horizon(self) -> RGB:
        return self.sky[-1]

    def accent(self, index: int) -> RGB:
        return self.accents[index % len(self.accents)]


def choose(reading: Reading, dice: Dice, usual: Sequence[str] = (), borrowed: Sequence[RGB] = ()) -> Palette:
    """The palette of a prompt: by the moods it names, else by those `usual` for such a picture.

    Colours borrowed from reference pictures or named in the prompt lead.
    """
    moods = [mood for mood in reading.moods if mood in _MOODS]
    base = dice.pick(_fitting(moods, usual))
    leading = [*reading.colours, *borrowed]
    return grown(base, leading, led=not moods) if leading else base


def _fitting(moods: Sequence[str], usual: Sequence[str]) -> list[Palette]:
    """The palettes that meet most of the moods, the first named counting a little more."""
    if not moods:
        return [palette for tags, palette in _CURATED if tags & set(usual or _MOODS - _LOUD)]
    scores = [sum(1.0 + 0.1 / (1 + moods.index(tag)) for tag in tags if tag in moods) for tags, _ in _CURATED]
    best = max(scores)
    return [palette for (_, palette), score in zip(_CURATED, scores, strict=True) if score >= best - 0.06]


def grown(base: Palette, leading: Sequence[RGB], *, led: bool = True) -> Palette:
    """`base` turned towards the leading colours; `led` lets them take the sky and the land as well."""
    hues = [colour for colour in leading if chroma(colour) > 0.035] or list(leading)
    main, second = hues[0], hues[1] if len(hues) > 1 else turned(hues[0], 28)
    kept = [colour for colour in base.accents if all(distance(colour, lead) > 0.16 for lead in leading)]
    accents = (*leading, *_family(main, second), *kept)[:6]
    if not led:
        return replace(base, accents=accents, light=mix(base.light, main, 0.12))
    return replace(
        base,
        sky=_sky(base, main, second),
        far=lit(muted(mix(main, base.far, 0.3), 0.8), lightness(base.far)),
        near=lit(muted(main, 0.75), lightness(base.near)),
        accents=accents,
        paper=mix(base.paper, second, 0.08),
        ink=lit(muted(main, 0.5), 0.22),
    )


def _sky(base: Palette, main: RGB, second: RGB) -> tuple[RGB, ...]:
    last = len(base.sky) - 1
    return tuple(
        mix(colour, lit(mix(main, second, index / last), lightness(colour)), 0.78)
        for index, colour in enumerate(base.sky)
    )


def _family(main: RGB, second: RGB) -> tuple[RGB, ...]:
    return (
        lit(muted(main, 0.7), 0.83 if lightness(main) < 0.7 else 0.5),
        darker(main, 0.22),
        lit(muted(second, 0.8), 0.72),
    )


def _curated(line: str) -> tuple[frozenset[str], Palette]:
    moods, sky, land, accents = (part.strip() for part in line.split("|"))
    far, near, light = (rgb(code) for code in land.split())
    loud = tuple(rgb(code) for code in accents.split())
    paper = mix(loud[-1], (250, 246, 238), 0.55) if lightness(loud[-1]) > 0.8 else (244, 239, 228)
    heaven = tuple(rgb(code) for code in sky.split())
    return frozenset(moods.split()), Palette(heaven, far, near, light, loud, paper, lit(muted(near, 0.8), 0.2))


# moods | sky, zenith to horizon | far land, near land, sun or moon | accents, the last one is the ground tone
_CHART = """
dawn mist       | 8fa7c4 c9b8c9 f2c9b5 fbe6cf | b7a9b8 27313f fff1d4 | e07a5f 3d5a80 f2cc8f 81b29a 293241 f4ece0
dawn spring     | 9cc4d9 d8dcd6 f7d9c4 fdeedd | a9bdb4 1f4a46 fff6df | ef8a7a 2f7f79 f6c667 a3c9a8 31556b fbf3e7
day summer      | 2f7fc1 6db3dd b7dcea eaf5f2 | 8fb4c4 1d4d4f fffbe8 | f25f4c 1b6ca8 ffc857 2a9d8f 173f5f f7f4ea
day spring      | 6aaede a9d3ea d9ecec f4f6e8 | a5c2a8 2c5e3f fffdf0 | f28482 84a59d f6bd60 4d7ea8 33523f f7f3e3
day             | 9db8b5 bfcfc8 dde0d2 f0ead8 | a9b8ae 24403c fff7e0 | d1603d 2e6f6d e9b44c 7aa095 1c3144 f2ead8
golden autumn   | 7b8ca3 c9a98f eec07f fbe3ae | c2976b 3b2418 fff0c2 | c8553d 588157 f28f3b 8d5b4c 2d3142 f6ead2
golden desert   | c98a6b e8ad7d f5cd9c fbe7c8 | d29a6c 6b2f23 fff3d0 | b5442f e0a458 2f5d62 dfb790 5e2a2c f8ead2
sunset          | 2b2f5e 7a4a7d d9697a f7a76c fde0a0 | 9a5a74 1d1730 fff0c4 | f2545b 19647e ffc145 9b5de5 2b2f5e fbeede
sunset summer   | 1f4068 6b5b95 e8747c fdb37e fee6b8 | 8a5f80 14213a fff4cf | ff6b6b 206a8d ffd166 3bb6a5 2a1e5c fff3e0
sunset autumn   | 3a2a48 8f3f4f d96c47 f4a259 fbdc9d | a05443 21121c ffeab0 | bc4b51 f4a259 5b8e7d 8cb369 3a2a48 f7ead4
night           | 050b1f 0f2145 27477a 5d7fae | 3b5a86 070c18 f4f0dc | 7fa8e8 f2d16b 3f6fb5 e8eef7 1b2d52 dfe6f2
night           | 0c0820 2c1650 6b2f74 c76a8f | 7a4580 0a0714 ffe9d6 | f27aa8 7b5cd6 ffd08a 3fc1c9 2c1650 f4e4f0
night winter    | 04141f 0b3040 1f6068 78b2a6 | 3a7d80 04100f f0f7ea | 5ad1b0 8b7cf0 e8f3d6 2f8f9d 0b3040 e6f2ee
mist            | 9fb3b0 bccac5 d6ddd6 ebebe0 | b0c0bb 1c3836 f8f4e2 | 4f7f7a c98f6b 93a99f e2c391 233f45 eeece2
mist winter     | a9b4bf c3cbd2 dde1e3 f1f0ed | b9c2cb 2b3846 fdf8ec | 5f7d95 d08c60 a9bac7 2f4858 e3d5ca f3f2ee
storm           | 2a333d 4a5863 7d8a90 bfc3bd | 7b878c 12181d eef0e4 | 3f6c83 d9a441 8aa0a6 a5473d 1d2a33 e4e4dc
winter          | 86a8c9 b4cbdf dde8ef f6f6f4 | c5d3df 2f4a66 fffdf4 | d94f4f 3a6ea5 9cc5d9 2f5d50 22334a f4f6f7
winter          | 6f7fa8 a9a6c4 e2c4cc f8e6dc | b6b4cb 2c3558 fff3e2 | e07a7f 5c80bc f0c987 8fb8ca 30364f f7f1ee
summer          | 1597bb 5cc8cf b5e8d8 fff3d0 | 7cc6b8 0d4f52 fffbe0 | ff7f50 118ab2 ffd23f 06a77d 0b4f6c fff8e6
autumn          | a8a59a cdb89a e8cba0 f6e6c6 | b98f62 45231a fff0cf | b7472a dd9e33 6a7b3f 8a4f2d 33271f f5e9d3
desert          | 9fb1bd d9bfa6 f0cba3 f9e6cb | d8a17a 7a3b2a fff1d8 | c1553b e6a861 3f7d86 8c4a3c e9c9a1 f8ecd9
desert night    | 24304a 5c5f86 b58fa4 e3bfb8 | 9a7f9c 2b2442 ffeedd | c78f9f 5c5f86 f0c9a0 8fb0c4 24304a f1e4e2
pastel          | b8c9ee d6cdf0 f5d3e2 fdeede | c7c1e4 6f6aa8 fff8ea | f4a6b8 a7c7f2 fce29f b5e2c9 8f86c9 fdf4ee
pastel spring   | aee0e0 d3ecdf fbe9d2 fddbd6 | b9d8d0 4f8a8b fffbec | ff9aa2 9ad1d4 ffdf9e b5b2e6 4a7c85 fff6ee
neon night      | 0b0524 25104f 7a1f7f ff5fa2 | 5b2a8a 07031a ffe86b | ff2e93 19e3e3 ffe14d 8a4dff 1a0f3d f1e9ff
noir            | 26282b 54585c 95999a dcdbd6 | 8f9394 0f1012 faf8f0 | 1d1f22 c9362b a9aba7 6a6e70 e0ded6 f1efe9
earth           | c9bfa8 dacfb8 e8dfca f4eddc | b8ab8f 3f3a2c fff5dd | a4552f 5f6f52 d9a566 7d5a44 39423a f2ead9
bold            | 3a86c8 7fb8de c6e0e6 f7efd9 | 8fb7c4 17324d fff6dc | e4572e 17324d f2b134 2e7f6d d8cbb0 f2ead8
bold            | f6c453 f8d27e fae3ad fdf3dc | f0a36b 2b2d42 fff8e4 | ef476f 118ab2 ffd166 06a77d 0f1b2b f5efe2
bold vintage    | 7fb3a8 b5ccb4 e6dcb8 f6ead0 | b0bd9c 2d4744 fff1cf | d8572a f7b538 3b7a78 7a2e3a 2b2d42 f6ead0
vintage         | b59f84 cfb896 e3cfa9 f3e6c8 | b89f7a 4a3526 fdf0d0 | a63d2f 5b7b7a d9a441 8a6240 3c3a36 f3e6cc
"""

_CURATED = [_curated(line) for line in _CHART.strip().splitlines()]
_MOODS = frozenset(mood for moods, _ in _CURATED for mood in moods)
_LOUD = frozenset({"neon", "noir", "storm", "night"})
