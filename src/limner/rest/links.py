"""Links that need no key: the picture itself, until a signed link expires or a lasting one is revoked."""

from collections.abc import AsyncIterator
from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from limner.blobs.base import BlobMissing, Blobs
from limner.db.base import Database, Transaction
from limner.errors import NotFound
from limner.http.errors import error_response
from limner.images import generations, shares
from limner.images.generations import Generation
from limner.images.links import ImageLinks, filename

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "Referrer-Policy": "no-referrer",
}


class LinkRoutes:
    def __init__(self, database: Database, blobs: Blobs, links: ImageLinks) -> None:
        self._database = database
        self._blobs = blobs
        self._links = links

    def routes(self) -> list[Route]:
        return [Route("/i/{rest:path}", self._serve, methods=["GET", "HEAD"])]

    async def _serve(self, request: Request) -> Response:
        path = request.scope.get("raw_path", b"").decode("latin-1").partition("?")[0].removeprefix("/i/")
        shared = path.startswith("s/")
        row, headers = await (self._shared(path.removeprefix("s/")) if shared else self._signed(path))
        if row is None or row.deleted_at is not None or row.blob_key is None:
            return self._not_found(request)
        headers |= _headers(row)
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return await self._picture(request, row, headers)

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

    async def _picture(self, request: Request, row: Generation, headers: dict[str, str]) -> Response:
        assert row.blob_key is not None
        assert row.size_bytes is not None
        span = _range(request.headers.get("range"), row.size_bytes)
        if span is None:
            return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{row.size_bytes}"})
        start, end = span
        partial = (start, end) != (0, row.size_bytes)
        if partial:
            headers |= {"Content-Range": f"bytes {start}-{end - 1}/{row.size_bytes}"}
        headers |= {"Content-Length": str(end - start)}
        try:
            pieces = self._pieces(row.blob_key, start, end)
            first = await anext(pieces)
        except BlobMissing:
            return self._not_found(request)
        if request.method == "HEAD":
            return Response(status_code=206 if partial else 200, headers=headers, media_type=row.media_type)
        return StreamingResponse(
            _chain(first, pieces), status_code=206 if partial else 200, headers=headers, media_type=row.media_type
        )

    async def _pieces(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        async for piece in self._blobs.stream(key, start, end):
            yield piece

    def _not_found(self, request: Request) -> Response:
        response = error_response(NotFound("There is no such link, or it has expired."), request.scope)
        response.headers.update(SECURITY | {"Cache-Control": "no-store"})
        return response


async def _chain(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _headers(row: Generation) -> dict[str, str]:
    return SECURITY | {
        "ETag": f'"{row.sha256}"',
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'inline; filename="{filename(row)}"',
    }


def _range(header: str | None, size: int) -> tuple[int, int] | None:
    """One byte range (RFC 9110, section 14); the whole for none or several; None when it lies outside."""
    if header is None or not header.startswith("bytes=") or "," in header:
        return 0, size
    first, dash, last = header.removeprefix("bytes=").strip().partition("-")
    if not dash or not (first + last).isdigit():
        return 0, size
    if not first:
        length = min(int(last), size)
        return (size - length, size) if length else None
    start, end = int(first), min(int(last) + 1, size) if last else size
    return (start, end) if start < end else None
