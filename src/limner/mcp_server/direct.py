"""Answers a call without the SDK's transport: a session, a task group and streams of messages for each.

The SDK's kernel does the work in both eras: it validates the request, runs the handler, shapes and checks the result.
What is left out is the transport round it, which costs several times as much as an answer that is ready at once, and
most of what a call needs in memory that waits for a picture. Only a request in which nothing is unusual is taken; any
other goes to the transport, which knows all the ways to refuse it. One exception: of a call whose arguments are no
Unicode the transport would say that it is no JSON, and its tool says what is wrong with it.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from mcp.shared.jsonrpc_dispatcher import progress_token_from_params
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import DEFAULT_NEGOTIATED_VERSION, ProgressToken, RequestId
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from limner.http.disconnects import departure
from limner.mcp_server.pings import Pings
from limner.mcp_server.reply import Reply

TAKEN = frozenset(
    {
        "ping",
        "server/discover",
        "tools/list",
        "tools/call",
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/templates/list",
        "completion/complete",
    }
)
_PARAM_HEADER = MCP_PARAM_HEADER_PREFIX.lower()


class Direct:
    """Stands before the SDK's transport. The guard leaves the parsed message in the scope, where it is plain JSON."""

    def __init__(self, server: Server[Any], transport: ASGIApp, answers_at_once: Callable[[str], bool]) -> None:
        self._server = server
        self._transport = transport
        self._answers_at_once = answers_at_once
        self._pings = Pings()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = self._taken(scope)
        if call is None:
            await self._transport(scope, receive, send)
            return
        reply = Reply(send, is_modern=call.is_modern)
        if call.is_at_once:
            await self._answer(call, reply)
        else:
            await self._answer_who_waits(call, reply, receive)

    async def _answer_who_waits(self, call: "_Call", reply: Reply, receive: Receive) -> None:
        """Hanging up ends the call: in both eras nothing else says that nobody waits any more."""
        answering = asyncio.create_task(self._answer(call, reply))
        leaving = asyncio.create_task(departure(receive))
        try:
            with self._pings.of(reply):
                await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
        finally:
            answering.cancel()
            leaving.cancel()
            await asyncio.wait((answering, leaving))

    def _taken(self, scope: Scope) -> "_Call | None":
        """The call to answer here; None where anything about it is unusual."""
        message, request = scope.get("limner.message"), Request(scope)
        is_refused = scope["limner.is_refused"]
        if message is None or not self._is_usual(message, is_refused) or not _is_plain(request):
            return None
        at_once = is_refused or self._is_at_once(message)
        version = request.headers.get(MCP_PROTOCOL_VERSION_HEADER, DEFAULT_NEGOTIATED_VERSION)
        if version in HANDSHAKE_PROTOCOL_VERSIONS:
            return _Call(message, request, version, None, None, is_modern=False, is_at_once=at_once)
        route = classify_inbound_request(message, headers=dict(request.headers))
        if not isinstance(route, InboundModernRoute):
            return None
        version, client, capabilities = route.protocol_version, route.client_info, route.client_capabilities
        return _Call(message, request, version, client, capabilities, is_modern=True, is_at_once=at_once)

    def _is_usual(self, message: Mapping[str, Any], is_refused: bool) -> bool:
        method, params = message.get("method"), _object(message.get("params", {}))
        if not message.keys() <= {"jsonrpc", "id", "method", "params"} or message.get("jsonrpc") != "2.0":
            return False
        if as_request_id(message.get("id")) is None or params is None:
            return False
        if not isinstance(method, str) or method not in TAKEN:
            return False
        if self._server.get_request_handler(method) is None:
            return False
        return method == "tools/call" if is_refused else _object(params.get("_meta", {})) is not None

    def _is_at_once(self, message: Mapping[str, Any]) -> bool:
        params = message.get("params", {})
        if "progressToken" in params.get("_meta", {}):
            return False
        return message["method"] != "tools/call" or self._answers_at_once(str(params.get("name")))

    async def _answer(self, call: "_Call", reply: Reply) -> None:
        """Nothing but its bytes is kept while it is sent: with whole pictures, the rest would take as much again."""
        await reply.end(*await self._outcome(call, reply))

    async def _outcome(self, call: "_Call", reply: Reply) -> tuple[bytes, int]:
        """The JSON-RPC answer and the HTTP status of its kind; a failure looks as it does from the transport."""
        connection = Connection.from_envelope(call.version, call.client_info, call.client_capabilities)
        runner = ServerRunner(self._server, connection, lifespan_state={})
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": call.id}
        try:
            exchange = _Exchange.of(call, reply)
            result = await runner.on_request(exchange, call.message["method"], call.message.get("params"))
        except Exception as problem:  # as the SDK's transport does: every failure is an answer
            error = modern_error_data(problem)
            answer["error"] = error.model_dump(mode="json", by_alias=True, exclude_none=True)
            return orjson.dumps(answer), ERROR_CODE_HTTP_STATUS.get(error.code, 200)
        answer["result"] = result
        return orjson.dumps(answer), 200


@dataclass(frozen=True, slots=True)
class _Call:
    """A request that can be answered here; who the client is, modern requests say themselves."""

    message: Mapping[str, Any]
    request: Request
    version: str
    client_info: Any
    client_capabilities: Any
    is_modern: bool
    is_at_once: bool

    @property
    def id(self) -> RequestId:
        return self.message["id"]


@dataclass(slots=True)
class _Exchange:
    """What the kernel knows of the exchange (the SDK's `DispatchContext`): there is no way back but the reply."""

    transport: TransportContext
    request_id: RequestId
    message_metadata: ServerMessageMetadata
    progress_token: ProgressToken | None
    reply: Reply
    can_send_request: bool = False

    @classmethod
    def of(cls, call: _Call, reply: Reply) -> "_Exchange":
        transport = TransportContext(kind="streamable-http", can_send_request=False, headers=call.request.headers)
        metadata = ServerMessageMetadata(request_context=call.request)
        return cls(transport, call.id, metadata, progress_token_from_params(call.message.get("params")), reply)

    @property
    def cancel_requested(self) -> anyio.Event:
        """Never set: who is cancelled here is cancelled as a task."""
        return anyio.Event()

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        await self.reply.tell({"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params})})

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Only to who asked for it."""
        if self.progress_token is not None:
            said = {"progressToken": self.progress_token, "progress": progress, "total": total, "message": message}
            told = {name: value for name, value in said.items() if value is not None}
            await self.notify("notifications/progress", told)


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
