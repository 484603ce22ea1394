"""A picture as an HTTP file: true type and length, ranges, an ETag, and nothing a browser could be tricked with."""

from collections.abc import AsyncIterator, Mapping

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from limner.blobs.base import BlobMissing, Blobs
from limner.errors import NotFound
from limner.images.delivery import PictureDelivery, PictureFile
from limner.images.generations import Generation
from limner.images.links import filename
from limner.images.pictures import EXTENSIONS
from limner.rest import reading

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "Referrer-Policy": "no-referrer",
}
WIDEST = 100_000


class PictureFiles:
    """With `x_accel`, nginx in front sends the bytes itself: we name the file under that internal location of its."""

    def __init__(self, blobs: Blobs, delivery: PictureDelivery, x_accel: str | None = None) -> None:
        self._blobs = blobs
        self._delivery = delivery
        self._x_accel = x_accel

    async def serve(self, request: Request, row: Generation, headers: Mapping[str, str]) -> Response:
        """The picture of a succeeded generation, as `?width=` and `?format=` ask; NotFound when its bytes are gone."""
        width = reading.whole(request, "width", 0, least=1, most=WIDEST) or None
        form = reading.choice(request, "format", ("png", "jpeg", "webp"))
        try:
            file = await self._delivery.file(row, width=width, form=form)
            return await self._response(request, file, {**headers, **_headers(row, file)})
        except BlobMissing:
            raise NotFound("The picture is gone.") from None

    async def _response(self, request: Request, file: PictureFile, headers: dict[str, str]) -> Response:
        if _has_it(request.headers.get("if-none-match"), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        if self._x_accel is not None and self._blobs.path(file.key) is not None:
            accelerated = headers | {"X-Accel-Redirect": f"{self._x_accel}{file.key}"}
            return Response(headers=accelerated, media_type=file.media_type)
        part = request.headers.get("range")
        if request.headers.get("if-range", headers["ETag"]) != headers["ETag"]:
            part = None  # the caller has a part of something else
        span = _range(part, file.size_bytes)
        if span is None:
            return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{file.size_bytes}"})
        start, end = span
        status = 200
        if span != (0, file.size_bytes):
            status, headers["Content-Range"] = 206, f"bytes {start}-{end - 1}/{file.size_bytes}"
        headers["Content-Length"] = str(end - start)
        pieces = aiter(self._blobs.stream(file.key, start, end))
        first = await anext(pieces)
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers, media_type=file.media_type)
        return StreamingResponse(_chain(first, pieces), status, headers=headers, media_type=file.media_type)


async def _chain(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _headers(row: Generation, file: PictureFile) -> dict[str, str]:
    stem = filename(row).rpartition(".")[0]
    return SECURITY | {
        "ETag": f'"{file.tag}"',
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'inline; filename="{stem}.{EXTENSIONS[file.media_type]}"',
    }


def _has_it(header: str | None, etag: str) -> bool:
    """If-None-Match (RFC 9110, section 13.1.2): a list, compared weakly, or `*` for anything at all."""
    known = [each.strip().removeprefix("W/") for each in (header or "").split(",")]
    return etag in known or known == ["*"]


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
    if last and int(last) < int(first):
        return 0, size
    start, end = int(first), min(int(last) + 1, size) if last else size
    return (start, end) if start < end else None
