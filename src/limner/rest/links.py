"""Links that need no key: the picture itself, until a signed link expires or a lasting one is revoked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from limner.db.base import Database, Transaction
from limner.db.remembered import Remembered
from limner.db.types import Clock
from limner.errors import InvalidRequest, NotFound
from limner.http.errors import error_response
from limner.images import generations, shares
from limner.images.generations import Generation
from limner.images.links import ImageLinks
from limner.rest.files import SECURITY, SHORT_BYTES, Offer, PictureFiles

MOST_REMEMBERED_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Led:
    """Where a link leads, and until when (None: until it is revoked)."""

    offer: Offer
    expires_at: datetime | None


class LinkRoutes:
    def __init__(self, database: Database, files: PictureFiles, links: ImageLinks, clock: Clock) -> None:
        self._database = database
        self._files = files
        self._links = links
        self._clock = clock
        self._remembered = Remembered[_Led](database, clock, most=MOST_REMEMBERED_BYTES // SHORT_BYTES)

    def routes(self) -> list[Route]:
        return [Route("/i/{rest:path}", self, methods=["GET", "HEAD"])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pure ASGI: what the framework puts round a function costs more than a thumbnail that is at hand."""
        response = await self._answer(scope)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope) -> Response:
        asked = (scope["raw_path"], scope["query_string"])
        try:
            led = await self._remembered.get(asked, partial(self._follow, scope))
            if led is None or (led.expires_at is not None and led.expires_at <= self._clock()):
                return _not_found(scope)
            return await self._files.answer(scope, led.offer)
        except NotFound:
            return _not_found(scope)
        except InvalidRequest as error:
            return error_response(error, scope)

    async def _follow(self, scope: Scope) -> _Led | None:
        request, path = Request(scope), scope["raw_path"].decode("latin-1").removeprefix("/i/")
        if path.startswith("s/"):
            return await self._shared(request, path.removeprefix("s/"))
        return await self._signed(request, path)

    async def _signed(self, request: Request, path: str) -> _Led | None:
        if (proven := self._links.verify(path)) is None:
            return None
        generation_id, expires_at = proven
        row = await self._database.read(lambda tx: generations.find(tx, generation_id))
        headers = {"Expires": format_datetime(expires_at, usegmt=True), "Cache-Control": "private, max-age=60"}
        return await self._led(request, row, headers, expires_at)

    async def _shared(self, request: Request, path: str) -> _Led | None:
        """A lasting link; caches ask again each time, because it may be revoked."""
        share_id, _, name = path.partition("/")

        def read(tx: Transaction) -> Generation | None:
            share = shares.find(tx, share_id)
            return generations.find(tx, share.generation_id) if share and share.filename == name else None

        return await self._led(request, await self._database.read(read), {"Cache-Control": "no-cache"}, None)

    async def _led(
        self, request: Request, row: Generation | None, headers: Mapping[str, str], expires_at: datetime | None
    ) -> _Led | None:
        if row is None or row.deleted_at is not None or row.blob_key is None:
            return None
        return _Led(await self._files.offer(request, row, headers), expires_at)


def _not_found(scope: Scope) -> Response:
    """The same for expired, altered, unknown and deleted."""
    response = error_response(NotFound("There is no such link, or it has expired."), scope)
    response.headers.update(SECURITY | {"Cache-Control": "no-store"})
    return response
