"""A picture as an HTTP file: true type and length, ranges, an ETag, and nothing a browser could be tricked with."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

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

SHORT_BYTES = 64 * 1024
"""Thumbnails: so many bytes are kept for a moment, because those who show a picture ask for them together."""


@dataclass(slots=True)
class Offer:
    """A picture as it can be had: its file, and what to say with it.

    `whole` is the answer to who asks for all of it, kept once it was given if it is short.
    """

    file: PictureFile
    headers: Mapping[str, str]
    whole: Response | None = None


class PictureFiles:
    """With `x_accel`, nginx in front sends the bytes itself: we name the file under that internal location of its."""

    def __init__(self, blobs: Blobs, delivery: PictureDelivery, x_accel: str | None = None) -> None:
        self._blobs = blobs
        self._delivery = delivery
        self._x_accel = x_accel

    async def serve(self, request: Request, row: Generation, headers: Mapping[str, str]) -> Response:
        """The picture of a succeeded generation, as `?width=` and `?format=` ask; NotFound when its bytes are gone."""
        return await self.answer(request.scope, await self.offer(request, row, headers))

    async def offer(self, request: Request, row: Generation, headers: Mapping[str, str]) -> Offer:
        """What `?width=` and `?format=` ask for; it holds for every request that asks for the same."""
        width = reading.whole(request, "width", 0, least=1, most=WIDEST) or None
        form = reading.choice(request, "format", ("png", "jpeg", "webp"))
        try:
            file = await self._delivery.file(row, width=width, form=form)
        except BlobMissing:
            raise NotFound("The picture is gone.") from None
        return Offer(file, {**headers, **_headers(row, file)})

    async def answer(self, scope: Scope, offer: Offer) -> Response:
        """To one request, which may have the picture already or want a part. Not to be changed: others may get it too."""
        if offer.whole is not None and not _asks_for_less(scope):
            return offer.whole
        asked = Headers(scope=scope)
        if _has_it(asked.get("if-none-match"), offer.headers["ETag"]):
            return Response(status_code=304, headers=offer.headers)
        if self._x_accel is not None and (path := self._blobs.path(offer.file.key)) is not None:
            accelerated = {**offer.headers, "X-Accel-Redirect": f"{self._x_accel}{path}"}
            offer.whole = Response(headers=accelerated, media_type=offer.file.media_type)
            return offer.whole
        try:
            return await self._sent_by_us(scope["method"], asked, offer)
        except BlobMissing:
            raise NotFound("The picture is gone.") from None

    async def _sent_by_us(self, method: str, asked: Headers, offer: Offer) -> Response:
        file, headers = offer.file, dict(offer.headers)
        part = asked.get("range")
        if asked.get("if-range", headers["ETag"]) != headers["ETag"]:
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
        if method == "HEAD":
            return Response(status_code=status, headers=headers, media_type=file.media_type)
        if len(first) < end - start:
            return _Pieces(first, pieces, status, headers=headers, media_type=file.media_type)
        answer = Response(first, status, headers=headers, media_type=file.media_type)
        if status == 200 and len(first) <= SHORT_BYTES:
            offer.whole = answer
        return answer


class _Pieces(Response):
    """A file in pieces, of a length that is known; the framework's stream would add a group of tasks to each."""

    def __init__(
        self, first: bytes, rest: AsyncIterator[bytes], status: int, *, headers: Mapping[str, str], media_type: str
    ) -> None:
        super().__init__(status_code=status, headers=headers, media_type=media_type)
        self._first = first
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self._first, "more_body": True})
        async for piece in self._rest:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _headers(row: Generation, file: PictureFile) -> dict[str, str]:
    stem = filename(row).rpartition(".")[0]
    return SECURITY | {
        "ETag": f'"{file.tag}"',
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'inline; filename="{stem}.{EXTENSIONS[file.media_type]}"',
    }


def _asks_for_less(scope: Scope) -> bool:
    """Whether a request may be content with a part of the picture, or with none of it."""
    return any(name in (b"if-none-match", b"range") for name, _ in scope["headers"])


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
