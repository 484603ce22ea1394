"""What stands round every request: an id, a limit on its body, and an answer even when we fail. Pure ASGI, for speed."""

import time

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from limner import metrics
from limner.db.types import new_id
from limner.errors import Internal, PayloadTooLarge, ServiceError
from limner.http.errors import error_response

log = structlog.stdlib.get_logger("limner.access")

_DOORS = (
    ("/api/mcp", "mcp"),
    ("/getimages/api/mcp", "mcp"),
    ("/image-mcp/api/mcp", "mcp"),
    ("/api/v1/", "rest"),
    ("/v1/", "openai"),
    ("/i/", "links"),
    ("/oauth/", "oauth"),
)


class RequestIds:
    """Gives each request an id, says it in the answer, and logs the request; a bug becomes `internal`, never a trace."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["limner.request_id"] = new_id()
        began = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as problem:
            if status:
                raise
            await _answer(problem, scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - began
            door = _door(scope["path"])
            metrics.REQUESTS.labels(door, status).inc()
            metrics.REQUEST_SECONDS.labels(door).observe(seconds)
            log.debug(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                milliseconds=round(seconds * 1000, 1),
                request_id=request_id,
            )


class BodyLimit:
    """Refuses a body over `most_bytes`, by its declared length at once or as it arrives."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        if _declared_length(scope) > self._most_bytes:
            await error_response(self._refusal(), scope)(scope, receive, send)
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


def _door(path: str) -> str:
    return next((door for start, door in _DOORS if path.startswith(start)), "web")


async def _answer(problem: Exception, scope: Scope, receive: Receive, send: Send) -> None:
    error = problem if isinstance(problem, ServiceError) else Internal()
    if not isinstance(problem, ServiceError):
        structlog.stdlib.get_logger(__name__).error(
            "unexpected failure", path=scope["path"], request_id=scope["limner.request_id"], exc_info=problem
        )
    await error_response(error, scope)(scope, receive, send)


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0
