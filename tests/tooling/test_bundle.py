"""The desktop bundle and the plugin: packed from the project's own facts, and started as a client starts them."""

import json
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError
from PIL import Image
from tests.node_tools import node_program
from tests.service import SKETCH, Service
from tests.tooling.test_wheel import ROOT, run

from limner import __version__

PLUGIN = json.loads((ROOT / ".claude-plugin/plugin.json").read_text())


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a client has after it installed the bundle."""
    folder = tmp_path_factory.mktemp("bundle")
    bundle = Path(run(sys.executable, ROOT / "tools/bundle.py", folder))
    again = Path(run(sys.executable, ROOT / "tools/bundle.py", folder / "again"))
    assert (bundle.name, bundle.read_bytes()) == (f"limner-{__version__}.mcpb", again.read_bytes())
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder / "limner")
    return folder / "limner"


@asynccontextmanager
async def installed(unpacked: Path, mode: str, **settings: str) -> AsyncIterator[Client]:
    """The official client on the bundle's own command, the user's settings filled in as the manifest says."""
    manifest = json.loads((unpacked / "manifest.json").read_text())
    config = manifest["server"]["mcp_config"]
    assert config["command"] == "node"
    filled = dict(config["env"])
    for setting, value in settings.items():
        filled = {name: each.replace(f"${{user_config.{setting}}}", value) for name, each in filled.items()}
    arguments = [each.replace("${__dirname}", str(unpacked)) for each in config["args"]]
    server = StdioServerParameters(command=str(node_program()), args=arguments, env=filled)
    async with Client(stdio_client(server), mode=mode) as client:
        yield client


def test_the_manifest_has_what_it_names(unpacked: Path) -> None:
    manifest = json.loads((unpacked / "manifest.json").read_text())
    assert (manifest["version"], manifest["manifest_version"]) == (__version__, "0.3")
    assert (unpacked / manifest["server"]["entry_point"]).is_file()
    assert manifest["user_config"]["api_key"]["sensitive"] is True
    with Image.open(BytesIO((unpacked / manifest["icon"]).read_bytes())) as icon:
        assert (icon.format, icon.size) == ("PNG", (512, 512))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_it_makes_a_picture_with_progress(service: Service, unpacked: Path, mode: str) -> None:
    manifest = json.loads((unpacked / "manifest.json").read_text())
    told: list[Any] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)

    async with installed(unpacked, mode, url=service.url, api_key=service.key) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        arguments = {"prompt": "a red boat", "modelId": SKETCH}
        made = await client.call_tool("generate_image", arguments, progress_callback=hear)
        prompt = await client.get_prompt("generate-image", {"description": "ein Bär"})
        resource = await client.read_resource(f"limner://images/{made.structured_content['id']}")
        with pytest.raises(MCPError):
            await client.get_prompt("Bärenprompt", {})
    assert tools == [tool["name"] for tool in manifest["tools"]]
    assert made.structured_content["status"] == "succeeded"
    assert {block.type for block in made.content} >= {"text", "image", "resource_link"}
    assert told
    assert "ein Bär" in str(prompt.messages[0].content)
    assert len(resource.contents) == 2
    assert (await service.balance()).available == 99


async def test_a_wrong_key_and_a_server_that_is_not_there_are_said(service: Service, unpacked: Path) -> None:
    for settings, words in (
        ({"url": service.url, "api_key": "sk_wrong"}, "unauthorized"),
        ({"url": "http://127.0.0.1:9", "api_key": service.key}, "broke off"),
    ):
        with pytest.raises(Exception) as refused:  # noqa: PT011 — a task group's
            async with installed(unpacked, "legacy", **settings):
                pass
        assert words in "".join(_messages(refused.value))


def test_the_plugin_is_of_this_version_and_points_at_what_is_there() -> None:
    assert PLUGIN["version"] == __version__
    assert (ROOT / PLUGIN["skills"] / "limner" / "SKILL.md").is_file()
    assert PLUGIN["mcpServers"]["limner"]["type"] == "http"
    market = json.loads((ROOT / ".claude-plugin/marketplace.json").read_text())
    assert [plugin["name"] for plugin in market["plugins"]] == [PLUGIN["name"]]


def _messages(problem: BaseException) -> list[str]:
    inner = problem.exceptions if isinstance(problem, BaseExceptionGroup) else ()
    return [str(problem), *(message for each in inner for message in _messages(each))]
