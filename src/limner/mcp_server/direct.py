"""Answers a call whose one answer is ready at once, without a session, a task group and a stream for each.

The SDK's kernel does the work in both eras: it validates the request, runs the handler, shapes and checks the result.
What is left out is the transport round it, which costs several times as much as such an answer. Only a request in which
nothing is unusual is taken; any other goes to the transport, which knows all the ways to refuse it. One exception: of a
call whose arguments are no Unicode the transport would say that it is no JSON, and its tool says what is wrong with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import anyio
import orjson
from mcp.server.connection import Connection
from mcp.server.lowlevel.server import Server
from mcp.server.runner import ServerRunner, modern_error_data
from mcp.server.streamable_http import check_accept_headers
from mcp.shared.dispatcher import CallOptions, as_request_id
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.inbound import (
    ERROR_CODE_HTTP_STATUS,
    MCP_PARAM_HEADER_PREFIX,
    MCP_PROTOCOL_VERSION_HEADER,
    InboundModernRoute,
    classify_inbound_request,
    find_duplicated_routing_header,
)
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import DEFAULT_NEGOTIATED_VERSION, RequestId
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

AT_ONCE = frozenset(
    {
        "ping",
        "server/discover",
        "tools/list",
        "tools/call",  # those tools that answer at once
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/templates/list",
        "completion/complete",
    }
)
_PARAM_HEADER = MCP_PARAM_HEADER_PREFIX.lower()
_LEGACY_HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache, no-transform"}
_MODERN_HEADERS = {"Content-Type": "application/json"}


class Direct:
    """Stands before the SDK's transport. The guard leaves the parsed message in the scope, where it is plain JSON."""

    def __init__(self, server: Server[Any], transport: ASGIApp, answers_at_once: Callable[[str], bool]) -> None:
        self._server = server
        self._transport = transport
        self._answers_at_once = answers_at_once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = self._taken(scope)
        if call is None:
            await self._transport(scope, receive, send)
        elif call.is_modern:
            answer, status = await self._answer(call)
            await _send(send, status, _MODERN_HEADERS, orjson.dumps(answer))
        else:
            answer, _ = await self._answer(call)
            event = b"event: message\r\ndata: " + orjson.dumps(answer) + b"\r\n\r\n"
            await _send(send, 200, _LEGACY_HEADERS, event)

    def _taken(self, scope: Scope) -> "_Call | None":
        """The call to answer here; None where anything about it is unusual."""
        message, request = scope.get("limner.message"), Request(scope)
        if message is None or not self._is_at_once(message, scope["limner.is_refused"]) or not _is_plain(request):
            return None
        version = request.headers.get(MCP_PROTOCOL_VERSION_HEADER, DEFAULT_NEGOTIATED_VERSION)
        if version in HANDSHAKE_PROTOCOL_VERSIONS:
            return _Call(message, request, version, None, None, is_modern=False)
        route = classify_inbound_request(message, headers=dict(request.headers))
        if not isinstance(route, InboundModernRoute):
            return None
        return _Call(
            message, request, route.protocol_version, route.client_info, route.client_capabilities, is_modern=True
        )

    def _is_at_once(self, message: Mapping[str, Any], is_refused: bool) -> bool:
        method, params = message.get("method"), _object(message.get("params", {}))
        if not message.keys() <= {"jsonrpc", "id", "method", "params"} or message.get("jsonrpc") != "2.0":
            return False
        if as_request_id(message.get("id")) is None or params is None:
            return False
        if not isinstance(method, str) or method not in AT_ONCE:
            return False
        if self._server.get_request_handler(method) is None:
            return False
        if is_refused:
            return method == "tools/call"
        if _may_want_progress(params):
            return False
        return method != "tools/call" or self._answers_at_once(str(params.get("name")))

    async def _answer(self, call: "_Call") -> tuple[dict[str, Any], int]:
        """The JSON-RPC answer and the HTTP status of its kind; a failure looks as it does from the transport."""
        connection = Connection.from_envelope(call.version, call.client_info, call.client_capabilities)
        runner = ServerRunner(self._server, connection, lifespan_state={})
        reply: dict[str, Any] = {"jsonrpc": "2.0", "id": call.id}
        try:
            result = await runner.on_request(_Exchange.of(call), call.message["method"], call.message.get("params"))
        except Exception as problem:
            error = modern_error_data(problem)
            reply["error"] = error.model_dump(mode="json", by_alias=True, exclude_none=True)
            return reply, ERROR_CODE_HTTP_STATUS.get(error.code, 200)
        reply["result"] = result
        return reply, 200


@dataclass(frozen=True, slots=True)
class _Call:
    """A request that can be answered here; who the client is, modern requests say themselves."""

    message: Mapping[str, Any]
    request: Request
    version: str
    client_info: Any
    client_capabilities: Any
    is_modern: bool

    @property
    def id(self) -> RequestId:
        return self.message["id"]


@dataclass(slots=True)
class _Exchange:
    """What the kernel knows of the exchange (the SDK's `DispatchContext`): there is no way back but the answer."""

    transport: TransportContext
    request_id: RequestId
    message_metadata: ServerMessageMetadata
    cancel_requested: anyio.Event = field(default_factory=anyio.Event)
    can_send_request: bool = False

    @classmethod
    def of(cls, call: _Call) -> "_Exchange":
        context = TransportContext(kind="streamable-http", can_send_request=False, headers=call.request.headers)
        return cls(context, call.id, ServerMessageMetadata(request_context=call.request))

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """What answers at once has nothing to tell meanwhile."""

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Nobody asked for it: such calls go to the transport."""


def _may_want_progress(params: Mapping[str, Any]) -> bool:
    meta = _object(params.get("_meta", {}))
    return meta is None or "progressToken" in meta


def _object(value: Any) -> Mapping[str, Any] | None:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else None


def _is_plain(request: Request) -> bool:
    """JSON that may be answered as both eras answer, and no header that contradicts another."""
    headers = request.headers
    return (
        headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
        and check_accept_headers(request) == (True, True)
        and find_duplicated_routing_header(headers.items()) is None
        and not any(name.startswith(_PARAM_HEADER) for name in headers)
    )


async def _send(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
