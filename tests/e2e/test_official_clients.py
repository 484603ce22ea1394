"""Official clients in another language than ours, against a whole server: connect, generate, see progress, fetch the link."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.node_tools import FOLDER, MODULES, Node
from tests.service import Service

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

INSPECTOR = MODULES / "@modelcontextprotocol" / "inspector" / "clients" / "launcher" / "build" / "index.js"
BOAT = {"prompt": "a red boat at dawn", "modelId": "limner:sketch", "seed": 7}


@pytest.mark.parametrize("client", ["client-legacy", "client-modern", "sdk"])
async def test_a_typescript_client_makes_a_picture_and_fetches_it(node: Node, service: Service, client: str) -> None:
    arguments = [client, f"{service.url}/api/mcp", service.key, "generate_image", json.dumps(BOAT)]
    seen = await _printed(node, FOLDER / "call_tool.mjs", *arguments)
    assert seen["server"]["name"] == "limner"
    assert seen["tools"][0] == "generate_image"
    assert seen["progress"]
    await _assert_delivered(seen["result"])


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_the_inspector_calls_a_tool(node: Node, service: Service, era: str) -> None:
    connect = ["--cli", f"{service.url}/api/mcp", "--transport", "http", "--protocol-era", era]
    key = ["--header", f"Authorization: Bearer {service.key}"]
    call = ["--method", "tools/call", "--tool-name", "generate_image"]
    given = [word for name, value in BOAT.items() for word in ("--tool-arg", f"{name}={value}")]
    await _assert_delivered(await _printed(node, INSPECTOR, *connect, *key, *call, *given))


async def _printed(node: Node, script: Path, *arguments: str) -> dict[str, Any]:
    code, output = await node.run(script, *arguments)
    assert code == 0, output
    printed: dict[str, Any] = json.loads(output)
    return printed


async def _assert_delivered(result: dict[str, Any]) -> None:
    """The picture stands in the result, and behind its link, and one credit was charged."""
    facts = result["structuredContent"]
    assert (facts["status"], facts["credits"]) == ("succeeded", {"charged": 1, "remaining": 99})
    assert {block["type"] for block in result["content"]} == {"text", "image", "resource_link"}
    async with httpx2.AsyncClient() as browser:
        response = await browser.get(facts["imageUrl"])
    assert (response.status_code, response.headers["content-type"]) == (200, facts["mediaType"])
    assert len(response.content) == facts["sizeBytes"]
