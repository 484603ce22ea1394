"""The answer to one JSON-RPC request over HTTP: alone, or at the end of a stream of events that told of it before."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.types import Send

from limner.mcp_server.delivery import fits_stream

_JSON: Final = [(b"content-type", b"application/json")]
_EVENTS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
_PING = b": ping\r\n\r\n"


class Reply:
    """`tell` what happens, then `end`. Before 2026-07-28 every answer is an event, unless it is too large for one."""

    __slots__ = ("_has_begun", "_has_ended", "_is_modern", "_is_silent", "_send")

    def __init__(self, send: Send, *, is_modern: bool) -> None:
        self._send = send
        self._is_modern = is_modern
        self._has_begun = False
        self._has_ended = False
        self._is_silent = True

    async def tell(self, message: Mapping[str, Any]) -> None:
        await self._go_on(_event(orjson.dumps(message)))

    def was_silent(self) -> bool:
        """Whether nothing was said since the last time this was asked."""
        was_silent, self._is_silent = self._is_silent, True
        return was_silent

    async def keep_alive(self) -> None:
        """No proxy in between shall take us for dead: something is said that means nothing."""
        if not self._has_ended:
            await self._go_on(_PING)
            self._is_silent = True

    async def end(self, body: bytes, status: int) -> None:
        self._has_ended = True
        if self._has_begun:
            await self._body(_event(body), more=False)
        elif self._is_modern:
            await self._whole(status, _JSON, body)
        elif fits_stream(len(body) + _EVENT_FRAME_BYTES):
            await self._whole(200, _EVENTS, _event(body))
        else:
            await self._whole(200, _JSON, body)

    async def _go_on(self, event: bytes) -> None:
        if not self._has_begun:
            self._has_begun = True
            await self._send({"type": "http.response.start", "status": 200, "headers": list(_EVENTS)})
        await self._body(event, more=True)

    async def _whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        length = (b"content-length", str(len(body)).encode())
        await self._send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
        await self._body(body, more=False)

    async def _body(self, body: bytes, *, more: bool) -> None:
        self._is_silent = False
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


def _event(data: bytes) -> bytes:
    return b"event: message\r\ndata: " + data + b"\r\n\r\n"


_EVENT_FRAME_BYTES: Final = len(_event(b""))
