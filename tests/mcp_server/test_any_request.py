"""Whatever arrives is answered: with the right code, never by a 500, never by silence."""

import asyncio
import json
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.mcp_server.rawcalls import ACCEPT, MODERN, answer
from tests.service import Service

TOOLS = [
    "generate_image",
    "edit_image",
    "get_image",
    "list_images",
    "list_models",
    "get_account",
    "list_usage",
    "create_upload",
]
METHODS = [
    "tools/call",
    "tools/list",
    "prompts/get",
    "prompts/list",
    "resources/read",
    "resources/list",
    "resources/templates/list",
    "completion/complete",
    "server/discover",
    "initialize",
    "ping",
    "logging/setLevel",
    "notifications/cancelled",
    "notifications/initialized",
    "no/such",
]
ARGUMENTS = [
    "prompt",
    "instruction",
    "modelId",
    "aspectRatio",
    "style",
    "seed",
    "n",
    "inline",
    "waitSeconds",
    "idempotencyKey",
    "dryRun",
    "images",
    "references",
    "mask",
    "id",
    "limit",
    "offset",
    "mediaType",
    "ttlSeconds",
    "unknown",
]

odd_text = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(["\x00", "\ud800", "a" * 9000, "1:1"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | odd_text
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_text, inner, max_size=3),
    max_leaves=6,
)
arguments = st.dictionaries(st.sampled_from(ARGUMENTS), anything, max_size=5) | anything
meta = st.fixed_dictionaries(
    {},
    optional={
        "io.modelcontextprotocol/protocolVersion": st.just(MODERN) | anything,
        "io.modelcontextprotocol/clientCapabilities": st.just({}) | anything,
        "io.modelcontextprotocol/clientInfo": st.just({"name": "x", "version": "1"}) | anything,
        "progressToken": anything,
    },
)
params = (
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from(TOOLS) | anything,
            "arguments": arguments,
            "uri": st.sampled_from(["limner://models", "limner://images/x", "ui://limner/viewer.html"]) | anything,
            "ref": st.just({"type": "ref/prompt", "name": "generate-image"}) | anything,
            "argument": st.just({"name": "modelId", "value": "s"}) | anything,
            "requestId": anything,
            "_meta": meta | anything,
        },
    )
    | anything
)
envelopes = (
    st.fixed_dictionaries(
        {},
        optional={
            "jsonrpc": st.just("2.0") | anything,
            "id": st.integers() | anything,
            "method": st.sampled_from(METHODS) | anything,
            "params": params,
        },
    )
    | anything
)
calls = st.builds(
    lambda id_, name, given_: {
        "jsonrpc": "2.0",
        "id": id_,
        "method": "tools/call",
        "params": {"name": name, "arguments": {"waitSeconds": 1, "dryRun": True} | given_},
    },
    st.integers(0, 2**31),
    st.sampled_from(TOOLS),
    st.dictionaries(st.sampled_from(ARGUMENTS), anything, max_size=4),
)
headers = st.fixed_dictionaries(
    {},
    optional={
        "MCP-Protocol-Version": st.sampled_from([MODERN, "2025-11-25", "2025-03-26", "1999-01-01", "x"]),
        "Mcp-Method": st.sampled_from([*METHODS, "=?base64?eA==?=", "x"]),
        "Mcp-Name": st.sampled_from([*TOOLS, "=?base64?!?=", "x"]),
        "Mcp-Session-Id": st.sampled_from(["", "x.y", "bm9uZQ.AAAA"]),
        "Accept": st.sampled_from(["*/*", "application/json", "text/html", ""]),
        "Content-Type": st.sampled_from(["application/json", "text/plain", ""]),
    },
)
ODD_CODES = {-32700, -32600, -32601, -32602, -32020, -32021, -32022, -32603, -32000}


async def fuzz(service: Service, examples: int, requests: st.SearchStrategy[Any]) -> None:
    """Hypothesis is synchronous: it runs in a thread, against the server in this loop."""

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(requests, headers)
    def each(envelope: Any, odd: dict[str, str]) -> None:
        body = json.dumps(envelope).encode()
        response = client.post("/api/mcp", content=body, headers=ACCEPT | odd)
        assert response.status_code < 500, (response.text, body)
        if response.status_code == 200:
            told = answer(response)
            assert "result" in told or told["error"]["code"] in ODD_CODES or told["error"]["code"] > 0, told
            assert told.get("error", {}).get("code") != -32603, (told, body)
            text = json.dumps(told)
            assert '"code": "internal"' not in text, (told, body)

    key = {"Authorization": f"Bearer {service.key}"}
    with httpx2.Client(base_url=service.url, headers=key, timeout=20) as client:
        await asyncio.to_thread(each)


async def test_any_envelope_is_answered(service: Service) -> None:
    await fuzz(service, 150, envelopes)


async def test_any_arguments_are_answered(service: Service) -> None:
    await fuzz(service, 150, calls)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_many_requests_are_answered(service: Service) -> None:
    await fuzz(service, 5_000, envelopes)
    await fuzz(service, 5_000, calls)
