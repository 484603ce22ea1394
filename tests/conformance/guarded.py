"""The fixture the suite looks for, behind a guard made as the real one is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tests.conformance.fixture_server import Fixture
from tests.service import Service, free_port, listening

from limner.mcp_server.clients import Sessions
from limner.mcp_server.guard import Guard


@asynccontextmanager
async def fixture_server(service: Service, fixture: Fixture, *, sessions: bool) -> AsyncIterator[str]:
    """The address of the fixture; its keys are those of the running service."""
    manager = StreamableHTTPSessionManager(fixture.server, stateless=not sessions)
    transport: ASGIApp = StreamableHTTPASGIApp(manager)
    port = free_port()
    host = f"127.0.0.1:{port}"
    guard = Guard(
        OneSession(transport) if sessions else transport,
        bearer=service.services.bearer,
        rate_limit=service.services.rate_limit,
        sessions=Sessions(service.services.keyring),
        allowed_hosts=frozenset({host}),
        allowed_origins=frozenset({f"http://{host}"}),
        scope_of=lambda name: None,
    )
    async with manager.run(), listening(Starlette(routes=[Route("/api/mcp", guard)]), port):
        yield f"http://{host}/api/mcp"


class OneSession:
    """Leads every request to the session opened last.

    The fixture asks the client things in the middle of a call, for which the library needs sessions of its
    own; the guard, which knows none, has put its own id in their place. The suite opens one at a time.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._id = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = MutableHeaders(scope=scope)
        if "mcp-session-id" in headers:
            headers["mcp-session-id"] = self._id

        async def remembering(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._id = MutableHeaders(scope=message).get("mcp-session-id", self._id)
            await send(message)

        await self._app(scope, receive, remembering)
