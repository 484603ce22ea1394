"""An account's own templates and styles as MCP prompts, in both eras."""

import mcp_types
import pytest
from mcp.shared.exceptions import MCPError
from tests.rest.test_prompts import INK, SHOT, keep
from tests.service import Service


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_they_are_listed_written_and_completed_beside_the_two(service: Service, mode: str) -> None:
    await keep(service.http, **SHOT)
    await keep(service.http, **INK)
    async with service.mcp(mode) as client:
        listed = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
        shot = await client.get_prompt("product-shot", {"subject": "a kettle"})
        ink = await client.get_prompt("ink", {"description": "a heron"})
        ref = mcp_types.PromptReference(name="product-shot")
        surfaces = (await client.complete(ref, {"name": "surface", "value": "o"})).completion.values
        with pytest.raises(MCPError, match=r"values\.subject"):
            await client.get_prompt("product-shot", {})
        with pytest.raises(MCPError, match="Unknown prompt"):
            await client.get_prompt("product-shots", {})
    assert list(listed) == ["generate-image", "generate-image-detailed", "ink", "product-shot"]
    arguments = listed["product-shot"].arguments or []
    assert [(each.name, each.required) for each in arguments] == [("subject", True), ("surface", False)]
    assert isinstance(shot.messages[0].content, mcp_types.TextContent)
    assert '"prompt":"A photograph of a kettle on white marble"' in shot.messages[0].content.text
    assert '"aspectRatio":"4:3"' in shot.messages[0].content.text
    assert isinstance(ink.messages[0].content, mcp_types.TextContent)
    assert "a heron" in ink.messages[0].content.text
    assert INK["text"] in ink.messages[0].content.text
    assert surfaces == ["raw oak"]


async def test_they_are_the_accounts_alone_and_of_the_native_edition(service: Service) -> None:
    await keep(service.http, **INK)
    _, other = await service.account("other@example.org")
    blind = await service.make_key(scopes=frozenset({"account:read"}))
    for options in ({"key": other}, {"key": blind}, {"path": "/image-mcp/api/mcp"}):
        async with service.mcp(**options) as client:
            names = [prompt.name for prompt in (await client.list_prompts()).prompts]
            with pytest.raises(MCPError, match="Unknown prompt"):
                await client.get_prompt("ink", {"description": "x"})
        assert names == ["generate-image", "generate-image-detailed"]
