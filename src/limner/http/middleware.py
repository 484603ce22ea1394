"""What stands round every request: an id, a limit on its body, and an answer even when we fail. Pure ASGI, for speed."""

import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from functools import cache

import structlog
from prometheus_client import Counter, Histogram
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from limner import metrics, tracing
from limner.db.types import new_id
from limner.errors import PayloadTooLarge, ServiceError
from limner.http.errors import error_response, named

Draw = Callable[[ServiceError, Scope], Response]
"""How a failure looks at the door a request came to."""

log = structlog.stdlib.get_logger("limner.access")
_stdlib_log = logging.getLogger("limner.access")  # asked first: collecting what nobody reads costs every request

_DOORS = (
    ("/api/v1/", "rest"),
    ("/api/mcp", "mcp"),
    ("/getimages/api/mcp", "mcp"),
    ("/image-mcp/api/mcp", "mcp"),
    ("/v1/", "openai"),
    ("/i/", "links"),
    ("/oauth/", "oauth"),
)


_LINKS = ("/i/", "/u/", "/sign-in/")
"""What stands after these is a key in itself: who reads the log must not get in with it."""


class RequestIds:
    """Gives each request an id, says it in the answer, and logs the request; a bug becomes `internal`, never a trace."""

    def __init__(self, app: ASGIApp, draw: Draw = error_response) -> None:
        self._app = app
        self._draw = draw

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["limner.request_id"] = new_id()
        door = _door(scope["path"])
        with _span(scope, door) if tracing.is_collected() else tracing.NO_SPAN as span:
            tracing.answering(request_id, door)
            status = await self._answer(scope, receive, send, request_id, door)
            span.note(request_id=request_id, status=status)
            if status >= 500:
                span.fail(str(status))

    async def _answer(self, scope: Scope, receive: Receive, send: Send, request_id: str, door: str) -> int:
        """The status that was sent; 0 where nobody was there any more."""
        began = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as problem:  # a bug that no door named; an answer that has begun cannot be taken back
            if status:
                raise
            await self._draw(named(problem, path=_loggable(scope["path"])), scope)(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - began
            _requests(door, status).inc()
            _request_seconds(door).observe(seconds)
            if _stdlib_log.isEnabledFor(logging.DEBUG):
                log.debug(
                    "request",
                    method=scope["method"],
                    path=_loggable(scope["path"]),
                    status=status,
                    milliseconds=round(seconds * 1000, 1),
                )
        return status


class BodyLimit:
    """Refuses a body over `most_bytes`, by its declared length at once or as it arrives.

    `note` stands before a refusal at once: no route has looked at the caller then.
    """

    def __init__(self, app: ASGIApp, most_bytes: int, draw: Draw, note: Callable[[Scope], Awaitable[None]]) -> None:
        self._app = app
        self._most_bytes = most_bytes
        self._draw = draw
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        if _declared_length(scope) > self._most_bytes:
            await self._note(scope)
            await self._draw(self._refusal(), scope)(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._most_bytes:
                raise self._refusal()
            return message

        await self._app(scope, receive_limited, send)

    def _refusal(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"The body is larger than {self._most_bytes} bytes.")


@cache
def _requests(door: str, status: int) -> Counter:
    return metrics.REQUESTS.labels(door, status)


@cache
def _request_seconds(door: str) -> Histogram:
    return metrics.REQUEST_SECONDS.labels(door)


def _span(scope: Scope, door: str) -> AbstractContextManager[tracing.Span]:
    """Part of the caller's trace where it sent one. Its name holds no path: one of a picture is a credential."""
    sent = next((value for name, value in scope["headers"] if name == b"traceparent"), b"")
    return tracing.span(
        f"{scope['method']} {door}", kind="server", parent=sent.decode("latin-1") or None, facts={"door": door}
    )


def _door(path: str) -> str:
    for start, door in _DOORS:
        if path.startswith(start):
            return door
    return "web"


def _loggable(path: str) -> str:
    return next((f"{start}…" for start in _LINKS if path.startswith(start)), path)


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0
