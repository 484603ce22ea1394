"""Links that need no key: the picture itself, until a signed link expires or a lasting one is revoked."""

from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.db.base import Database, Transaction
from limner.errors import InvalidRequest, NotFound
from limner.http.errors import error_response
from limner.images import generations, shares
from limner.images.generations import Generation
from limner.images.links import ImageLinks
from limner.rest.files import SECURITY, PictureFiles


class LinkRoutes:
    def __init__(self, database: Database, files: PictureFiles, links: ImageLinks) -> None:
        self._database = database
        self._files = files
        self._links = links

    def routes(self) -> list[Route]:
        return [Route("/i/{rest:path}", self._serve, methods=["GET", "HEAD"])]

    async def _serve(self, request: Request) -> Response:
        path = request.scope.get("raw_path", b"").decode("latin-1").partition("?")[0].removeprefix("/i/")
        shared = path.startswith("s/")
        row, headers = await (self._shared(path.removeprefix("s/")) if shared else self._signed(path))
        if row is None or row.deleted_at is not None or row.blob_key is None:
            return _not_found(request)
        try:
            return await self._files.serve(request, row, headers)
        except NotFound:
            return _not_found(request)
        except InvalidRequest as error:
            return error_response(error, request.scope)

    async def _signed(self, path: str) -> tuple[Generation | None, dict[str, str]]:
        if (proven := self._links.verify(path)) is None:
            return None, {}
        generation_id, expires_at = proven
        row = await self._database.read(lambda tx: generations.find(tx, generation_id))
        return row, {"Expires": format_datetime(expires_at, usegmt=True), "Cache-Control": "private, max-age=60"}

    async def _shared(self, path: str) -> tuple[Generation | None, dict[str, str]]:
        """A lasting link; caches ask again each time, because it may be revoked."""
        share_id, _, name = path.partition("/")

        def read(tx: Transaction) -> Generation | None:
            share = shares.find(tx, share_id)
            return generations.find(tx, share.generation_id) if share and share.filename == name else None

        return await self._database.read(read), {"Cache-Control": "no-cache"}


def _not_found(request: Request) -> Response:
    """The same for expired, altered, unknown and deleted."""
    response = error_response(NotFound("There is no such link, or it has expired."), request.scope)
    response.headers.update(SECURITY | {"Cache-Control": "no-store"})
    return response
