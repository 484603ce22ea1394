"""Pictures for people who only look: the built-in model draws them here and now, a few at a time."""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.errors import NotFound
from limner.http.addresses import Addresses
from limner.http.ratelimit import AddressLimit
from limner.providers.base import ImageRequest, Provider
from limner.web.door import PageDoor
from limner.web.visitors import Visitor

MOST_WORDS_CHARACTERS = 120
REMEMBERED = 64
DAY_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture of the landing page, at its own size."""

    words: str
    shape: str
    width: int
    height: int


HUNG = (
    Sample("Alpine ridgelines at first light, thin mist between the folds", "16x9", 960, 540),
    Sample("Bauhaus tiles in mustard, brick, teal and navy", "1x1", 560, 560),
    Sample("Magenta nebula mirrored in black water", "1x1", 560, 560),
)
"""What hangs beside the headline."""

ANSWER = Sample("A corgi at sunset", "4x3", 800, 600)
"""The picture in the call that is shown."""

WALL = (
    Sample("Northern lights over a frozen fjord", "16x9", 960, 540),
    Sample("Cherry blossom branch, pale sky", "2x3", 480, 720),
    Sample("A red sailboat at sunset", "4x3", 800, 600),
    Sample('Poster that says "Open late"', "2x3", 480, 720),
    Sample("A fox in the snow", "1x1", 560, 560),
    Sample("Bowl of pears on a table", "4x5", 560, 700),
    Sample("Skyline at dusk, violet haze", "21x9", 1120, 480),
    Sample("Wildflower meadow, summer morning", "4x3", 800, 600),
    Sample("Japanese wave pattern, indigo on cream", "4x3", 640, 480),
    Sample("Apricot dunes at noon", "16x9", 960, 540),
)
"""What the built-in model can do, further down."""

ALL = (*HUNG, ANSWER, *WALL)
IDEAS = ("A lighthouse at dawn", "Marbled paper in turquoise and gold", "An owl, woodcut")
TRIED = Sample("", "16x9", 960, 540)


class _Nobody:
    """Nobody watches a sample being drawn."""

    async def submitted(self, handle: str) -> None: ...

    async def progress(self, fraction: float | None, message: str) -> None: ...

    async def partial(self, data: bytes, media_type: str) -> None: ...


class Samples:
    """`artist` is the built-in model: what it draws costs nobody anything. Strangers are limited by address."""

    def __init__(self, artist: Provider, limit: AddressLimit, addresses: Addresses) -> None:
        self._artist = artist
        self._limit = limit
        self._addresses = addresses
        self._drawn: OrderedDict[str, bytes] = OrderedDict()
        self._turn = asyncio.Lock()

    def routes(self, door: PageDoor) -> list[Route]:
        return [door.public("/samples/{number:int}", self._hung), door.public("/samples", self._try)]

    async def _hung(self, request: Request, visitor: Visitor) -> Response:
        number: int = request.path_params["number"]
        if number >= len(ALL):
            raise NotFound()
        sample = ALL[number]
        return _picture(await self._draw(sample, sample.words))

    async def _try(self, request: Request, visitor: Visitor) -> Response:
        """What a visitor typed, drawn while they wait."""
        words = request.query_params.get("words", "").replace("\x00", "")[:MOST_WORDS_CHARACTERS].strip()
        if words not in self._drawn:
            await self._limit.check("sample", self._addresses.of(request.scope), burst=10, seconds_each=5)
        return _picture(await self._draw(TRIED, words or HUNG[0].words))

    async def _draw(self, sample: Sample, words: str) -> bytes:
        name = f"{words} {sample.width}"
        async with self._turn:
            if name not in self._drawn:
                self._drawn[name] = await self._fresh(sample, words)
                while len(self._drawn) > REMEMBERED:
                    self._drawn.popitem(last=False)
            self._drawn.move_to_end(name)
            return self._drawn[name]

    async def _fresh(self, sample: Sample, words: str) -> bytes:
        seed = int.from_bytes(hashlib.sha256(words.encode()).digest()[:4], "big")
        wanted = ImageRequest(
            generation_id="sample",
            model="sketch",
            prompt=words,
            size_px=(sample.width, sample.height),
            output_format="webp",
            seed=seed,
        )
        return (await self._artist.generate(wanted, _Nobody())).data


def _picture(data: bytes) -> Response:
    headers = {"Cache-Control": f"public, max-age={DAY_SECONDS}", "X-Content-Type-Options": "nosniff"}
    return Response(data, headers=headers, media_type="image/webp")
