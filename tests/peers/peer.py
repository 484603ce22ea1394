"""A supplier's stand-in on the loopback: speaks its wire, fails as told, and keeps what it was asked."""

import asyncio
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Received:
    """One HTTP request as the supplier saw it: JSON in `body`, or a form's fields there and its files apart."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any] = field(default_factory=dict)
    files: Sequence[tuple[str, str, str, bytes]] = ()
    """(field, file name, media type, bytes)"""

    query: Mapping[str, str] = field(default_factory=dict)


class Peer:
    """Serves in a thread of its own, so that tests of any kind can call it. `faults` are taken one per order."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.faults: list[str] = []
        self._gate = threading.Event()
        self._asked = threading.Event()
        self._socket = _listening()
        self.origin = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(Starlette(routes=self.routes()), log_level="critical", lifespan="off", loop="asyncio")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    @property
    def base_url(self) -> str:
        """What the operator would configure."""
        return self.origin

    def routes(self) -> list[BaseRoute]:
        raise NotImplementedError

    def fail(self, *faults: str) -> None:
        """The next orders fail so, one each; "" is an order that works."""
        self.faults = list(faults)

    def next_fault(self) -> str:
        return self.faults.pop(0) if self.faults else ""

    @property
    def orders(self) -> list[Received]:
        """What was sent with POST: the requests that may cost money."""
        return [request for request in self.received if request.method == "POST"]

    def reset(self) -> None:
        self.received.clear()
        self.faults.clear()
        self._gate.set()
        self._gate = threading.Event()
        self._asked.clear()

    async def asked(self) -> None:
        """Wait until a slow order has arrived."""
        await asyncio.to_thread(self._asked.wait, 10)

    def release(self) -> None:
        """Let slow orders go on."""
        self._gate.set()

    async def keep(self, request: Request) -> Received:
        """Note a request; every handler begins with this."""
        received = await _read(request)
        self.received.append(received)
        return received

    async def common_fault(self, fault: str) -> Response | None:
        """The faults that have nothing to do with the supplier; None for one it must answer itself."""
        match fault:
            case "html":
                return Response("<html><h1>502 Bad Gateway</h1></html>", 502, media_type="text/html")
            case "html_ok":
                return Response("<html><h1>Maintenance</h1></html>", 200, media_type="text/html")
            case "garbage":
                return Response(b"\x00\xff{not json", 200, media_type="application/json")
            case "redirect":
                return Response(status_code=307, headers={"location": "http://127.0.0.1:9/elsewhere"})
            case "truncated":
                return Truncated()
            case "slow":
                gate = self._gate
                self._asked.set()
                await asyncio.to_thread(gate.wait, 30)
                return None
            case _:
                return None

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._gate.set()
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _listening() -> socket.socket:
    """Already listening, so that nobody has to wait for the server. The protocol is named, because asyncio turns
    Nagle's algorithm off only then, and every answer would come 40 ms late."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    return listening


class Truncated(Response):
    """Promises a long body and hangs up in the middle of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"100000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"data": [{"b64_json": "iVBOR', "more_body": True})


def events(*objects: Mapping[str, Any]) -> Response:
    """A server-sent event stream that ends after these."""
    lines = [f"event: {each.get('type', 'message')}\ndata: {orjson.dumps(each).decode()}\n\n" for each in objects]
    return Response("".join(lines), media_type="text/event-stream")


def json(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(body, status, headers)


async def _read(request: Request) -> Received:
    kind = request.headers.get("content-type", "")
    body: dict[str, Any] = {}
    files: list[tuple[str, str, str, bytes]] = []
    if kind.startswith("application/json"):
        body = orjson.loads(await request.body())
    elif kind.startswith("multipart/form-data"):
        async with request.form() as form:
            for name, value in form.multi_items():
                if isinstance(value, str):
                    body[name] = value
                else:
                    files.append((name, value.filename or "", value.content_type or "", await value.read()))
    query = dict(request.query_params)
    return Received(request.method, request.url.path, dict(request.headers), body, files, query)
