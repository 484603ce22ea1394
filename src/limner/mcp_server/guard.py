"""What stands before the MCP transport: method, host, origin, key and limit. Pure ASGI.

The transport below would open an endless stream on GET, answer OPTIONS with 401, and knows neither our
keys nor our limit; all of that ends here.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from limner.accounts.principal import Principal
from limner.errors import RateLimited, ServiceError
from limner.http.auth import Bearer
from limner.http.errors import error_data, error_response, headers_of
from limner.http.json import Json
from limner.http.ratelimit import RateLimit
from limner.images.requests import scope_missing
from limner.mcp_server.cancelling import CallName, Waiting
from limner.mcp_server.clients import Client, Sessions, from_user_agent

COUNTED = frozenset({"tools/call", "resources/read", "prompts/get", "tasks/get", "tasks/cancel"})
"""The methods the rate limit counts: not handshakes and lists, of which one call costs up to ten."""

VERSION = "mcp-protocol-version"
MODERN = "2026"
"""Revisions are dates; from this one on, requests stand alone."""

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Accept, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID"
    ),
    "Access-Control-Expose-Headers": "Mcp-Session-Id, WWW-Authenticate, Retry-After, X-Request-Id",
    "Access-Control-Max-Age": "86400",
}


class Guard:
    """`allowed_hosts` and `allowed_origins` follow from the public URL (protection against DNS rebinding).

    `scope_of` names the scope a tool needs: a connection without it is told over HTTP how to ask its user for it.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        bearer: Bearer,
        rate_limit: RateLimit,
        sessions: Sessions,
        allowed_hosts: frozenset[str],
        allowed_origins: frozenset[str],
        scope_of: Callable[[str], str | None],
    ) -> None:
        self._app = app
        self._bearer = bearer
        self._rate_limit = rate_limit
        self._sessions = sessions
        self._allowed_hosts = allowed_hosts
        self._allowed_origins = allowed_origins
        self._scope_of = scope_of
        self._waiting = Waiting()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The HTTP parser leaves spaces after a value, which are no part of it (RFC 9110, section 5.5).
        scope["headers"] = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        headers = Headers(scope=scope)
        if (refusal := self._refusal(scope, headers)) is not None:
            await refusal(scope, receive, send)
            return
        try:
            principal = await self._bearer.principal(scope)
        except ServiceError as error:
            await _with_cors(error_response(error, scope))(scope, receive, send)
            return
        body = await _read(receive)
        await self._serve(principal, headers, body, scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        if headers.get("host", "") not in self._allowed_hosts:
            return Response("The Host header names another server.", status_code=421)
        origin = headers.get("origin")
        if origin is not None and origin not in self._allowed_origins:
            return Response("Requests from that origin are not allowed.", status_code=403)
        if scope["method"] == "OPTIONS":
            return Response(status_code=204, headers=CORS | {"Access-Control-Allow-Origin": origin or "*"})
        if scope["method"] != "POST":
            return Response(status_code=405, headers=CORS | {"Allow": "POST, OPTIONS"})
        return None

    async def _serve(
        self, principal: Principal, headers: Headers, body: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        plain = _plain_message(body)
        message = plain if plain is not None else _odd_message(body)
        method = str(message.get("method"))
        scope["limner.message"] = message if plain is not None or _is_refused(message) else None
        scope["limner.is_refused"] = plain is None
        scope["limner.principal"] = principal
        scope["limner.client"] = self._client(message, headers)
        scope["limner.waiting"] = self._waiting
        scope["limner.session"] = headers.get("mcp-session-id") or headers.get("user-agent", "")
        self._cancel(principal, message, headers, scope)
        limits: dict[str, str] = {}
        try:
            if method in COUNTED:
                limits = await self._rate_limit.check(principal)
        except RateLimited as error:
            await _too_many(error, message, scope)(scope, receive, send)
            return
        if (missing := self._missing(principal, message)) is not None:
            await _with_cors(error_response(scope_missing(missing), scope))(scope, receive, send)
            return
        extra = CORS | limits
        if method == "initialize":
            extra |= {"Mcp-Session-Id": self._sessions.issue(scope["limner.client"])}
        await self._app(scope, _replay(body, receive), _adding(extra, send))

    def _missing(self, principal: Principal, message: Mapping[str, Any]) -> str | None:
        """The scope a connection lacks for the tool it calls; a key is told so in the tool's result."""
        if principal.connection_id is None or message.get("method") != "tools/call":
            return None
        needed = self._scope_of(str(_object(message.get("params")).get("name")))
        return needed if needed is not None and not principal.has(needed) else None

    def _cancel(self, principal: Principal, message: Mapping[str, Any], headers: Headers, scope: Scope) -> None:
        """On 2026-07-28 a client cancels by hanging up, and this notification means nothing."""
        if message.get("method") != "notifications/cancelled" or headers.get(VERSION, "") >= MODERN:
            return
        request_id = _object(message.get("params")).get("requestId")
        if isinstance(request_id, str | int):
            name = scope["limner.cancelled"] = CallName(principal.caller_id, scope["limner.session"], request_id)
            self._waiting.cancel(name)

    def _client(self, message: Mapping[str, Any], headers: Headers) -> Client:
        if info := _info(message):
            return Client(str(info.get("name", "")), str(info.get("version", "")))
        session_id = headers.get("mcp-session-id")
        known = self._sessions.read(session_id) if session_id else None
        return known or from_user_agent(headers.get("user-agent", ""))


async def _read(receive: Receive) -> bytes:
    pieces: list[bytes] = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(pieces)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hand the body on once; after it, whatever the connection says (a disconnect)."""
    handed_on = False

    async def replayed() -> Message:
        nonlocal handed_on
        if handed_on:
            return await receive()
        handed_on = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _plain_message(body: bytes) -> Mapping[str, Any] | None:
    """The JSON-RPC message; None for broken JSON, and for what few parsers agree on (NaN, huge numbers)."""
    try:
        return _object(orjson.loads(body))
    except orjson.JSONDecodeError:
        return None


def _odd_message(body: bytes) -> Mapping[str, Any]:
    """As far as the guard needs it: the transport reads some of what orjson refuses, and such calls count like others."""
    try:
        return _object(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _is_refused(message: Mapping[str, Any]) -> bool:
    """Whether its arguments, and nothing else of it, hold unpaired surrogates: every tool refuses them, and says so."""
    params = _object(message.get("params"))
    try:
        orjson.dumps({**message, "params": {**params, "arguments": None}})
        json.dumps(params.get("arguments"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except TypeError:
        return False
    return False


def _info(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """clientInfo: in the request's `_meta` (2026-07-28), or of `initialize` (legacy)."""
    params = _object(message.get("params"))
    return _object(_object(params.get("_meta")).get("io.modelcontextprotocol/clientInfo") or params.get("clientInfo"))


def _object(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _too_many(error: RateLimited, message: Mapping[str, Any], scope: Scope) -> Response:
    """429, with the error both as JSON-RPC and as our own shape."""
    data = error_data(error, scope)
    rpc = {"code": 429, "message": str(error), "data": data}
    body = {"jsonrpc": "2.0", "id": message.get("id"), "error": rpc}
    return _with_cors(Json(body, 429, headers=headers_of(error, scope)))


def _with_cors(response: Response) -> Response:
    response.headers.update(CORS)
    return response


def _adding(extra: Mapping[str, str], send: Send) -> Send:
    async def adding(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(extra)
        await send(message)

    return adding
