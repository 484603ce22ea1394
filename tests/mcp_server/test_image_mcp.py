"""The image-mcp edition: one tool, a link that lasts, that service's words for errors."""

from pathlib import Path

import mcp_types
import orjson
import pytest
from tests.mcp_server.results import text_of
from tests.providers.conftest import PeerOf
from tests.service import Service, serving

from limner.db.types import now
from limner.images import shares

PATH = "/image-mcp/api/mcp"
MODELS = {
    "google/gemini-3-pro-image-preview": "Gemini 3 Pro Image Preview",
    "openai/gpt-5-image": "GPT-5 Image",
    "black-forest-labs/flux.2-flex": "FLUX.2 Flex",
    "black-forest-labs/flux.2-pro": "FLUX.2 Pro",
    "google/gemini-2.5-flash-image": "Gemini 2.5 Flash Image",
}


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_an_image_is_a_lasting_link_in_text_and_structure(supplied: Service, era: str) -> None:
    async with supplied.mcp(era, path=PATH) as client:
        (tool,) = (await client.list_tools()).tools
        assert (client.server_info.name, tool.name, tool.input_schema["required"]) == (
            "image-mcp",
            "generate_image",
            ["prompt"],
        )
        result = await client.call_tool("generate_image", {"prompt": "a lighthouse"})
    made = result.structured_content
    assert set(made) == {"url", "model", "prompt", "filename"}
    assert orjson.loads(text_of(result)) == made
    assert (made["model"], made["prompt"]) == ("google/gemini-3-pro-image-preview", "a lighthouse")
    assert made["url"].endswith(f"/{made['filename']}")
    async with supplied.client() as stranger:
        picture = await stranger.get(made["url"])
        other_name = await stranger.get(made["url"] + "x")
        head = await stranger.head(made["url"])
    assert (picture.status_code, other_name.status_code, head.status_code) == (200, 404, 200)
    assert picture.headers["content-type"].startswith("image/")
    assert (await supplied.balance()).available == 90


async def test_the_link_ends_with_its_picture_or_when_it_is_revoked(supplied: Service) -> None:
    async with supplied.mcp(path=PATH) as client:
        urls = [
            (await client.call_tool("generate_image", {"prompt": prompt})).structured_content["url"]
            for prompt in ("deleted", "revoked")
        ]
    images = (await supplied.http.get("/api/v1/images")).json()["images"]
    ids = {image["prompt"]: image["id"] for image in images}
    await supplied.http.delete(f"/api/v1/images/{ids['deleted']}")
    await supplied.services.database.write(lambda tx: shares.revoke(tx, ids["revoked"], now()))
    async with supplied.client() as stranger:
        assert [(await stranger.get(url)).status_code for url in urls] == [404, 404]


@pytest.mark.parametrize("model", MODELS)
async def test_every_model_costs_ten_credits(supplied: Service, model: str) -> None:
    async with supplied.mcp(path=PATH) as client:
        result = await client.call_tool("generate_image", {"prompt": "a lighthouse", "model": model})
    assert result.structured_content["model"] == model
    assert (await supplied.balance()).available == 90


@pytest.mark.parametrize(
    ("fault", "times", "words"),
    [
        ("empty", 1, "No image URL found. "),
        ("rate_limited", 3, "API error: 429. "),
        ("server_error", 1, "API error: 500. "),
        ("refusal", 1, "moderation_blocked: "),
    ],
)
async def test_failures_have_that_services_words_and_what_to_do(
    supplied: Service, peer_of: PeerOf, fault: str, times: int, words: str
) -> None:
    peer_of("openrouter").fail(*[fault] * times)
    async with supplied.mcp(path=PATH) as client:
        result = await client.call_tool("generate_image", {"prompt": "x"})
    assert result.is_error
    assert text_of(result).startswith(words)
    assert len(text_of(result)) > len(words) + 20
    assert result.structured_content["error"]["creditsCharged"] == 0
    assert await supplied.transaction_types() == ["grant"]


async def test_prompts_and_the_models_resource(supplied: Service) -> None:
    async with supplied.mcp(path=PATH) as client:
        prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
        (resource,) = (await client.list_resources()).resources
        (contents,) = (await client.read_resource("mcp://image-mcp/models")).contents
    assert prompts == ["generate-image", "generate-image-detailed"]
    assert str(resource.uri) == "mcp://image-mcp/models"
    assert isinstance(contents, mcp_types.TextResourceContents)
    assert orjson.loads(contents.text) == {"models": [{"id": id_, "name": name} for id_, name in MODELS.items()]}


async def test_the_edition_can_stand_at_the_usual_path(tmp_path: Path, sqlite_url: str) -> None:
    async with (
        serving(tmp_path, sqlite_url, env={"LIMNER_EDITION": "image-mcp"}) as service,
        service.mcp("legacy") as client,
    ):
        assert client.server_info.name == "image-mcp"


async def test_what_to_do_about_a_missing_model_names_no_tool_this_edition_lacks(service: Service) -> None:
    async with service.mcp(path=PATH) as client:
        result = await client.call_tool("generate_image", {"prompt": "x"})
    assert text_of(result).startswith("model_unavailable: ")
    assert "list_models" not in text_of(result)


async def test_a_model_this_edition_does_not_document_is_unknown_with_those_there_are(supplied: Service) -> None:
    async with supplied.mcp(path=PATH) as client:
        (tool,) = (await client.list_tools()).tools
        result = await client.call_tool("generate_image", {"prompt": "x", "model": "limner:sketch"})
    assert tool.input_schema["properties"]["model"]["enum"] == list(MODELS)
    error = result.structured_content["error"]
    assert (error["code"], error["allowed"]) == ("unknown_model", list(MODELS))
    assert error["details"] == [{"path": "model", "message": "unknown model", "code": "unknown_model"}]
    assert all(model in text_of(result) for model in MODELS)
    assert await supplied.transaction_types() == ["grant"]
