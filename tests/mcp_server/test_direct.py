"""The short way and the SDK's own transport answer alike, whatever is sent; both are asked over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from tests.mcp_server.rawcalls import answer
from tests.service import Service

from limner.mcp_server import direct, pings

MODERN, LEGACY = "2026-07-28", "2025-11-25"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}

CALLS: list[tuple[str, dict[str, Any] | None]] = [
    ("ping", None),
    ("server/discover", {}),
    ("tools/list", {}),
    ("tools/list", {"cursor": 7}),
    ("tools/call", {"name": "get_account", "arguments": {}}),
    ("tools/call", {"name": "get_account"}),
    ("tools/call", {"name": "get_account", "arguments": {"surplus": 1}}),
    ("tools/call", {"name": "get_account", "arguments": "none"}),
    ("tools/call", {"name": "list_images", "arguments": {"limit": 1000}}),
    ("tools/call", {"name": "get_account", "arguments": {}, "_meta": {"progressToken": 1}}),
    ("tools/call", {"name": "get_image", "arguments": {"id": "unknown"}}),
    ("tools/call", {"name": "get_image", "arguments": {"id": 7}}),
    ("tools/call", {"name": "generate_image", "arguments": {"prompt": "x", "modelId": "no:model"}}),
    ("tools/call", {"name": "no_such_tool", "arguments": {}}),
    ("tools/call", {"arguments": {}}),
    ("prompts/list", {}),
    ("prompts/get", {"name": "generate-image", "arguments": {"description": "a lake"}}),
    ("prompts/get", {"name": "generate-image"}),
    ("prompts/get", {"name": "no such prompt"}),
    ("resources/list", {}),
    ("resources/templates/list", {}),
    ("completion/complete", {"ref": {"type": "ref/prompt", "name": "generate-image"}, "argument": {}}),
    ("no/such/method", {}),
]
TEXT_TAKERS = [
    ("/api/mcp", "generate_image"),
    ("/api/mcp", "get_image"),
    ("/getimages/api/mcp", "getimages_generate_image"),
    ("/image-mcp/api/mcp", "generate_image"),
]
ODD: list[dict[str, Any]] = [
    {"id": True},
    {"id": None},
    {"id": 1.5},
    {"jsonrpc": "1.0"},
    {"surplus": 1},
    {"params": []},
    {"method": []},
    {"method": None},
    {"params": {"_meta": 1}},
]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Which requests took the short way."""
    taken: list[bool] = []
    original = direct.Direct._taken

    def noting(self: direct.Direct, scope: Any) -> Any:
        call = original(self, scope)
        taken.append(call is not None)
        return call

    monkeypatch.setattr(direct.Direct, "_taken", noting)
    return taken


@pytest.mark.parametrize("era", [MODERN, LEGACY, None])
async def test_both_ways_answer_alike(service: Service, counted: list[bool], era: str | None) -> None:
    for method, params in CALLS:
        short = await ask(service, era, message(era, method, params))
        long = await ask(service, era, message(era, method, params), **{"Mcp-Param-Unused": "1", "X-Way": "long"})
        assert short == long, (method, params)
    assert sum(counted) > len(CALLS) // 2
    assert not all(counted)


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_what_is_odd_goes_the_long_way(
    service: Service, counted: list[bool], era: str, odd: dict[str, Any]
) -> None:
    await ask(service, era, message(era, "tools/list", {}) | odd)
    assert counted == [False]


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "application/json"},
        {"Content-Type": "text/plain"},
        {"Mcp-Method": "tools/call"},
        {"MCP-Protocol-Version": "2027-01-01"},
        {"Mcp-Param-Prompt": "x"},
    ],
    ids=str,
)
async def test_a_header_that_does_not_fit_goes_the_long_way(
    service: Service, counted: list[bool], headers: dict[str, str]
) -> None:
    await ask(service, MODERN, message(MODERN, "tools/list", {}), **headers)
    assert counted == [False]


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_a_long_wait_tells_both_ways_alike(service: Service, counted: list[bool], era: str) -> None:
    """Progress first, then the picture, as events of one stream."""
    told: list[list[str]] = []
    for number, headers in enumerate(({}, {"Mcp-Param-Unused": "1"})):
        service.stage.holding = True
        call = {"name": "generate_image", "arguments": {"prompt": f"slow {number}"}}
        body = message(era, "tools/call", call)
        body["params"]["_meta"] = {**body["params"].get("_meta", {}), "progressToken": "token"}
        sent = {**ACCEPT, "MCP-Protocol-Version": era, "Mcp-Method": "tools/call", "Mcp-Name": "generate_image"}
        async with service.http.stream(
            "POST", "/api/mcp", content=orjson.dumps(body), headers={**sent, **headers}
        ) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            events: list[dict[str, Any]] = []
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    events.append(orjson.loads(line[6:]))
                    service.stage.let_go()
        told.append([each.get("method") or "result" for each in (events[0], events[-1])])
        assert events[0]["params"]["progressToken"] == "token"
        assert events[-1]["result"]["structuredContent"]["status"] == "succeeded"
    assert told[0] == told[1] == ["notifications/progress", "result"]
    assert counted == [True, False]


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_who_waits_in_silence_hears_that_we_live(
    service: Service, monkeypatch: pytest.MonkeyPatch, era: str
) -> None:
    monkeypatch.setattr(pings, "PING_SECONDS", 0.01)
    service.stage.holding = True
    body = message(era, "tools/call", {"name": "generate_image", "arguments": {"prompt": "slow", "waitSeconds": 60}})
    sent = {**ACCEPT, "MCP-Protocol-Version": era, "Mcp-Method": "tools/call", "Mcp-Name": "generate_image"}
    async with service.http.stream("POST", "/api/mcp", content=orjson.dumps(body), headers=sent) as stream:
        lines = [line async for line in letting_go(service, stream.aiter_lines())]
    assert lines[:2] == [": ping", ": ping"]
    assert orjson.loads(lines[-1][6:])["result"]["structuredContent"]["status"] == "succeeded"


async def letting_go(service: Service, lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """What is said, blank lines aside; the second of it lets the provider go on."""
    said = 0
    async for line in lines:
        said += bool(line)
        if said == 2:
            service.stage.let_go()
        if line:
            yield line


@pytest.mark.parametrize("era", [MODERN, LEGACY])
@pytest.mark.parametrize(("path", "tool"), [*TEXT_TAKERS])
@pytest.mark.parametrize("meta", [{}, {"progressToken": 1}], ids=["silent", "progress"])
async def test_text_that_is_no_unicode_is_refused_by_the_tool_and_not_as_broken_json(
    service: Service, era: str, path: str, tool: str, meta: dict[str, Any]
) -> None:
    body = message(era, "tools/call", {"name": tool, "arguments": {"prompt": "UNPAIRED", "id": "UNPAIRED"}})
    body["params"]["_meta"] = {**body["params"].get("_meta", {}), **meta}
    content = orjson.dumps(body).replace(b"UNPAIRED", rb"a \ud800")
    sent = {**ACCEPT, "MCP-Protocol-Version": era, "Mcp-Method": "tools/call", "Mcp-Name": tool}
    answered = answer(await service.http.post(path, content=content, headers=sent))
    assert answered["id"] == 7
    assert answered["result"]["isError"]
    assert answered["result"]["structuredContent"]["error"]["code"] == "invalid_request"


@pytest.mark.parametrize("era", [MODERN, LEGACY])
async def test_a_method_or_a_name_that_is_no_unicode_is_no_json_rpc(service: Service, era: str) -> None:
    for broken in ("method", "name"):
        body = orjson.dumps(message(era, "tools/call", {"name": "get_account", "arguments": {"id": "UNPAIRED"}}))
        whole = {"method": b'"tools/call"', "name": b'"get_account"'}[broken]
        content = body.replace(whole, rb'"\udc00"').replace(b"UNPAIRED", rb"\ud800")
        response = await service.http.post("/api/mcp", content=content, headers={**ACCEPT, "MCP-Protocol-Version": era})
        assert response.status_code == 400
        assert "error" in response.json()


def message(era: str | None, method: str, params: dict[str, Any] | None) -> dict[str, Any]:
    if era == MODERN:
        params = {**(params or {}), "_meta": META}
    return {"jsonrpc": "2.0", "id": 7, "method": method} | ({} if params is None else {"params": params})


async def ask(service: Service, era: str | None, body: dict[str, Any], **headers: str) -> tuple[int, str, Any]:
    """Status, media type and the JSON-RPC message, the id of the request aside."""
    sent = {**ACCEPT, **({"MCP-Protocol-Version": era} if era else {})}
    params = body.get("params")
    if era == MODERN:
        sent["Mcp-Method"] = str(body["method"])
        if isinstance(params, dict) and isinstance(params.get("name"), str):
            sent["Mcp-Name"] = params["name"]
    response = await service.http.post("/api/mcp", content=orjson.dumps(body), headers={**sent, **headers})
    data = next((line[6:] for line in response.text.splitlines() if line.startswith("data: ")), response.text)
    try:
        answer = orjson.loads(data)
    except orjson.JSONDecodeError:
        answer = data
    return response.status_code, response.headers.get("content-type", "").partition(";")[0], without_request_id(answer)


def without_request_id(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: without_request_id(value) for name, value in node.items() if name != "requestId"}
    return [without_request_id(each) for each in node] if isinstance(node, list) else node
