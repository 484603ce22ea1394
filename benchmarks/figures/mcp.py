"""2. The cheapest tool call over MCP in both eras, key, limit and database included, beside echoes without them."""

from contextlib import ExitStack
from typing import Any

import orjson

from benchmarks import load
from benchmarks.measure import Row, Subject, alternating
from benchmarks.servers import OTHER_PYTHON, Running, floor, limner
from benchmarks.sizes import Size

TITLE = "Call a tool over MCP"
MODERN, LEGACY = "2026-07-28", "2025-11-25"
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


def measure(size: Size) -> list[Row]:
    with ExitStack() as stack:
        ours = stack.enter_context(limner())
        echo = stack.enter_context(floor("sdk_echo"))
        fastmcp = stack.enter_context(floor("fastmcp_echo", python=OTHER_PYTHON))
        subjects = {
            f"{name} {era}": _subject(server, request(era, headers))
            for name, server, headers in (("ours", ours, ours.auth), ("echo", echo, {}), ("fastmcp", fastmcp, {}))
            for era in (MODERN, LEGACY)
        }
        costs = {
            name: cost.cpu_us
            for name, cost in alternating(subjects, count=size.requests // 2, rounds=size.rounds).items()
        }
    modern, legacy = costs[f"ours {MODERN}"], costs[f"ours {LEGACY}"]
    return [
        Row("get_account, 2026-07-28", modern, "µs CPU", costs[f"echo {MODERN}"], "SDK echo", 1.0),
        Row("get_account, 2026-07-28", modern, "µs CPU", costs[f"fastmcp {MODERN}"], "FastMCP echo", 0.4),
        Row("get_account, 2025-11-25", legacy, "µs CPU", costs[f"echo {LEGACY}"], "SDK echo", 1.0),
        Row("get_account, 2025-11-25", legacy, "µs CPU", costs[f"fastmcp {LEGACY}"], "FastMCP echo"),
    ]


def request(
    era: str, headers: dict[str, str], tool: str = "get_account", *, progress: int | None = None, **arguments: Any
) -> bytes:
    params: dict[str, Any] = {"name": tool, "arguments": arguments}
    headers = {**ACCEPT, **headers, "MCP-Protocol-Version": era}
    if era == MODERN:
        headers |= {"Mcp-Method": "tools/call", "Mcp-Name": tool}
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    if progress is not None:
        params.setdefault("_meta", {})["progressToken"] = progress
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return load.request("/api/mcp", body=orjson.dumps(call), headers=headers)


def _subject(server: Running, call: bytes) -> Subject:
    return Subject(server.pid, lambda count: load.send(server.port, [call], count=count))
