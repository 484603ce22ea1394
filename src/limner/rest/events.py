"""Server-sent events of one generation: queued, running with progress, partial pictures, done.

One coroutine and no task per connection, since thousands may be open; a caller who left is noticed at the next
heartbeat at the latest.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import orjson
import pybase64
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from limner.accounts.principal import Principal
from limner.http.connections import has_left
from limner.images.links import ImageLinks
from limner.images.picture_pool import PicturePool
from limner.images.pictures import NotAPicture
from limner.images.provenance import source_of
from limner.images.service import Images
from limner.queue.base import Event, Watching
from limner.rest import reading
from limner.rest.door import Door
from limner.schemas import DescribedImage

HEARTBEAT_SECONDS = 10.0
HEARTBEAT = b": still here\n\n"
PARTIAL_BASE64_BYTES = 100_000


class EventRoutes:
    def __init__(
        self, images: Images, links: ImageLinks, pool: PicturePool, *, heartbeat_seconds: float = HEARTBEAT_SECONDS
    ) -> None:
        self._images = images
        self._links = links
        self._pool = pool
        self._heartbeat_seconds = heartbeat_seconds

    def routes(self, door: Door) -> list[Route]:
        return [door.route("/api/v1/images/{id}/events", self._events)]

    async def _events(self, request: Request, principal: Principal) -> Response:
        row = await self._images.get(principal, reading.id_of(request))
        return EventStream(self._told(principal, row.id, row.provider_id))

    async def _told(self, principal: Principal, generation_id: str, provider_id: str) -> AsyncGenerator[bytes]:
        """Holds no row while it waits: thousands may."""
        with self._images.watch(generation_id) as watching:
            if (state := await self._state(principal, generation_id)) is not None:
                yield state
                async with aclosing(self._until_ended(principal, generation_id, provider_id, watching)) as pieces:
                    async for piece in pieces:
                        yield piece
        yield await self._done(principal, generation_id)

    async def _until_ended(
        self, principal: Principal, generation_id: str, provider_id: str, watching: Watching
    ) -> AsyncGenerator[bytes]:
        while True:
            event = await watching.next(self._heartbeat_seconds)
            if event is None:
                yield HEARTBEAT
            elif event.kind == "partial":
                yield await self._partial(event, provider_id)
            elif event.kind in ("queued", "running"):
                yield _progress(event)
            may_have_ended = self._images.may_have_ended(generation_id, event)
            if may_have_ended and (await self._images.get(principal, generation_id)).has_ended:
                return

    async def _state(self, principal: Principal, generation_id: str) -> bytes | None:
        """None when it has ended."""
        row = await self._images.get(principal, generation_id)
        if row.has_ended:
            return None
        known = await self._images.state(row.id)
        if known is not None and known.kind in ("queued", "running"):
            overtaken = known.kind == "queued" and row.status == "running"  # news of another process is late
            if not overtaken:
                return _progress(known)
        fraction = None if row.fraction_percent is None else row.fraction_percent / 100
        return _progress(Event("queued" if row.status == "queued" else "running", row.id, row.phase, fraction))

    async def _partial(self, event: Event, provider_id: str) -> bytes:
        """Preview-sized, so that a slow reader is not held up by pictures nobody keeps."""
        assert event.partial is not None
        try:
            preview = await self._pool.preview(
                event.partial, source_of(provider_id), max_px=512, max_base64_bytes=PARTIAL_BASE64_BYTES
            )
        except NotAPicture:
            return b""
        data = {
            "id": event.generation_id,
            "mediaType": preview.media_type,
            "width": preview.width,
            "height": preview.height,
            "b64_json": pybase64.b64encode_as_string(preview.data),
        }
        return _message("partial", data)

    async def _done(self, principal: Principal, generation_id: str) -> bytes:
        row = await self._images.get_when_ended(principal, generation_id, 0)
        available = (await self._images.balance(principal)).available
        link = self._links.sign(row) if row.status == "succeeded" else None
        return _message("done", {"image": DescribedImage.of(row, link, available).data()})


class EventStream(Response):
    """Sends pieces as they come, until the caller is gone."""

    def __init__(self, pieces: AsyncGenerator[bytes]) -> None:
        super().__init__(media_type="text/event-stream")
        self.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self._pieces) as pieces:
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                if piece == HEARTBEAT and has_left(scope):
                    return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _progress(event: Event) -> bytes:
    data: dict[str, Any] = {"id": event.generation_id, "status": event.kind, "phase": event.phase}
    if event.kind == "queued":
        return _message("queued", {**data, "place": event.place})
    return _message("running", {**data, "progress": event.fraction})


def _message(kind: str, data: dict[str, Any]) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
