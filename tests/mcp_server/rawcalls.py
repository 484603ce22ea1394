"""JSON-RPC by hand, for what the official client does not let happen."""

from collections.abc import Mapping
from typing import Any

import httpx2
import orjson
from tests.service import Service

MODERN = "2026-07-28"
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


def request(method: str, params: Mapping[str, Any], *, era: str = "legacy", id_: Any = 1) -> dict[str, Any]:
    """What `post` takes: headers and body of one request of an era."""
    headers, params = dict(ACCEPT), dict(params)
    if era == "modern":
        headers |= {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
        if "name" in params:
            headers["Mcp-Name"] = params["name"]
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {},
        } | params.get("_meta", {})
    body = {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}
    return {"headers": headers, "content": orjson.dumps(body)}


def call(
    tool: str, arguments: Mapping[str, Any], *, more: Mapping[str, Any] | None = None, **options: Any
) -> dict[str, Any]:
    return request("tools/call", {"name": tool, "arguments": arguments, **(more or {})}, **options)


def cancelled(id_: Any) -> dict[str, Any]:
    body = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id_, "reason": "time-out"}}
    return {"headers": ACCEPT, "content": orjson.dumps(body)}


async def post(service: Service, what: Mapping[str, Any], *, path: str = "/api/mcp", **more: Any) -> httpx2.Response:
    headers = {**what["headers"], **more.pop("headers", {})}
    return await service.http.post(path, content=what["content"], headers=headers, **more)


def answer(response: httpx2.Response) -> dict[str, Any]:
    """The JSON-RPC response, from JSON or from the last event of a stream."""
    if response.headers["content-type"].startswith("text/event-stream"):
        lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")]
        return orjson.loads(lines[-1])
    return response.json()
