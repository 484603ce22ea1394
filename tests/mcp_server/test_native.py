"""What the native edition lists and answers, field by field, in both eras."""

from io import BytesIO
from pathlib import Path
from typing import Any

import mcp_types
import orjson
import pybase64
import pytest
from jsonschema import Draft202012Validator
from mcp.shared.exceptions import MCPError
from PIL import Image
from tests.mcp_server.results import pictures_of, text_of
from tests.service import SKETCH, Service

from limner.errors import ModerationBlocked
from limner.mcp_server.editions.native import INSTRUCTIONS

ERAS = ["auto", "legacy"]
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
FACTS = {
    "id",
    "status",
    "prompt",
    "modelId",
    "providerId",
    "servedBy",
    "aspectRatio",
    "style",
    "thinkingLevel",
    "seed",
    "mediaType",
    "width",
    "height",
    "sizeBytes",
    "sha256",
    "credits",
    "createdAt",
    "completedAt",
    "imageUrl",
    "imageUrlExpiresAt",
    "warnings",
    "replayed",
    "error",
}


def compact(data: Any) -> int:
    return len(orjson.dumps(data))


@pytest.mark.parametrize("era", ERAS)
async def test_the_tools_stand_in_their_order_and_within_their_budget(service: Service, era: str) -> None:
    async with service.mcp(era) as client:
        listed = (await client.list_tools()).model_dump(mode="json", by_alias=True, exclude_none=True)
    tools = listed["tools"]
    assert [tool["name"] for tool in tools] == TOOLS
    paid = [{name: tool[name] for name in ("name", "description", "inputSchema")} for tool in tools]
    assert compact(paid) <= 8_000
    assert compact(listed) <= 16_000
    assert len(INSTRUCTIONS) <= 1_200


async def test_each_tool_says_what_it_does_to_the_world(service: Service) -> None:
    async with service.mcp() as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    for tool in tools.values():
        assert tool.title
        assert tool.description
        assert tool.icons
        assert tool.output_schema is not None
        Draft202012Validator.check_schema(tool.output_schema)
        Draft202012Validator.check_schema(tool.input_schema)
        assert tool.annotations is not None
        spends = tool.name in ("generate_image", "edit_image")
        assert tool.annotations.open_world_hint is spends
        assert tool.annotations.read_only_hint is not (spends or tool.name == "create_upload")
    for name in ("generate_image", "edit_image", "get_image"):
        assert tools[name].meta == {"ui": {"resourceUri": "ui://limner/viewer.html"}}
    assert next(iter(tools["generate_image"].input_schema["properties"])) == "prompt"
    assert next(iter(tools["edit_image"].input_schema["properties"])) == "instruction"


async def test_a_key_without_a_scope_does_not_see_its_tools(service: Service) -> None:
    key = await service.make_key(scopes=frozenset({"images:read"}))
    async with service.mcp(key=key) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        refused = await client.call_tool("generate_image", {"prompt": "x"})
    assert names == ["get_image", "list_images", "list_models"]
    assert refused.is_error
    assert text_of(refused).startswith("insufficient_scope: ")


@pytest.mark.parametrize("era", ERAS)
async def test_a_picture_comes_with_its_facts_in_text_and_structure(service: Service, era: str) -> None:
    async with service.mcp(era) as client:
        await client.list_tools()  # from here on the client holds results against the output schema
        result = await client.call_tool(
            "generate_image", {"prompt": "a heron at dawn", "modelId": SKETCH, "seed": 3, "style": "ink"}
        )
        again = await client.call_tool("get_image", {"id": result.structured_content["id"]})
    facts = result.structured_content
    assert set(facts) == FACTS | {"others", "inline"}
    assert (facts["status"], facts["credits"], facts["others"]) == (
        "succeeded",
        {"charged": 1, "remaining": 99},
        [],
    )
    assert (facts["style"], facts["seed"], facts["error"], facts["replayed"]) == ("ink", 3, None, False)
    text = text_of(result)
    for said in (facts["id"], facts["imageUrl"], "1024x1024", "1 credit charged", "99 credits left"):
        assert said in text
    (picture,) = pictures_of(result)
    with Image.open(BytesIO(pybase64.b64decode(picture.data))) as opened:
        assert [*opened.size] == [facts["inline"]["width"], facts["inline"]["height"]]
    (link,) = [block for block in result.content if isinstance(block, mcp_types.ResourceLink)]
    assert (str(link.uri), link.mime_type, link.size) == (facts["imageUrl"], facts["mediaType"], facts["sizeBytes"])
    assert picture.data not in text + orjson.dumps(facts).decode()
    unchanging = FACTS - {"imageUrl", "imageUrlExpiresAt"}
    assert {name: again.structured_content[name] for name in unchanging} == {name: facts[name] for name in unchanging}


async def test_inline_chooses_preview_original_or_nothing(service: Service) -> None:
    async with service.mcp() as client:
        made = {
            inline: await client.call_tool(
                "generate_image", {"prompt": f"{inline} waves", "inline": inline, "resolution": "2K"}
            )
            for inline in ("auto", "full", "none")
        }
    (preview,) = pictures_of(made["auto"])
    assert len(preview.data) <= 200_000
    assert preview.mime_type in ("image/webp", "image/jpeg")
    assert made["auto"].structured_content["inline"]["original"] is False
    assert max(made["auto"].structured_content["inline"][side] for side in ("width", "height")) <= 1024
    (full,) = pictures_of(made["full"])
    assert len(pybase64.b64decode(full.data)) == made["full"].structured_content["sizeBytes"]
    assert pictures_of(made["none"]) == []
    assert "inline" not in made["none"].structured_content


async def test_eight_pictures_fit_one_result_and_are_charged_one_by_one(service: Service) -> None:
    async with service.mcp() as client:
        result = await client.call_tool("generate_image", {"prompt": "eight boats", "n": 8})
    facts = result.structured_content
    assert [len(facts["others"]), facts["credits"]["charged"]] == [7, 1]
    assert sum(len(picture.data) for picture in pictures_of(result)) <= 900_000
    assert len(pictures_of(result)) == 8
    assert "Together: 8 credits charged, 92 left." in text_of(result)


async def test_a_dry_run_tells_the_price_and_starts_nothing(service: Service) -> None:
    async with service.mcp() as client:
        await client.list_tools()
        quoted = await client.call_tool("generate_image", {"prompt": "x", "n": 3, "dryRun": True})
    assert quoted.structured_content == {"credits": {"wouldCharge": 3, "wouldRemain": 97}, "warnings": []}
    assert service.stage.seen == []
    assert await service.transaction_types() == ["grant"]


@pytest.mark.parametrize("era", ERAS)
async def test_failures_are_results_with_code_sentence_and_next_step(service: Service, era: str) -> None:
    service.stage.errors["refused"] = ModerationBlocked(extra={"stage": "input", "reason": "violence"})
    async with service.mcp(era) as client:
        await client.list_tools()
        refused = await client.call_tool("generate_image", {"prompt": "refused"})
        wrong = await client.call_tool("generate_image", {"prompt": "x", "n": 9, "aspct": "1:1"})
        unknown = await client.call_tool("generate_image", {"prompt": "x", "modelId": "no:model"})
        impossible = await client.call_tool("generate_image", {"prompt": "x", "modelId": SKETCH, "aspectRatio": "7:5"})
        nothing = await client.call_tool("edit_image", {"instruction": "x", "images": []})
    assert "images: List should have at least 1 item, not 0." in text_of(nothing)
    errors = [each.structured_content["error"] for each in (refused, wrong, unknown, impossible)]
    assert [error["code"] for error in errors] == [
        "moderation_blocked",
        "invalid_request",
        "unknown_model",
        "unsupported_option",
    ]
    assert {detail["path"] for detail in errors[1]["details"]} == {"n", "aspct"}
    assert errors[0]["generationId"] == refused.structured_content["id"]
    for each in (refused, wrong, unknown, impossible):
        error = each.structured_content["error"]
        assert each.is_error
        assert text_of(each).startswith(f"{error['code']}: {error['message']} {error['nextStep']}")
        assert error["creditsCharged"] == 0
        assert error["requestId"]
    assert await service.transaction_types() == ["grant"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_whose_wait_ends_first_says_running_though_it_stands_in_line(service: Service, era: str) -> None:
    service.stage.holding = True
    async with service.mcp(era) as client:
        handed = await client.call_tool("generate_image", {"prompt": "slow", "n": 8, "waitSeconds": 0})
    facts = handed.structured_content
    assert {each["status"] for each in (facts, *facts["others"])} == {"running"}
    assert facts["retryAfterSeconds"] > 0
    assert text_of(handed).startswith(f"running: image {facts['id']} is still being made, 1 credit is held.")
    service.stage.let_go()


async def test_an_id_that_none_can_have_is_invalid_and_one_that_none_has_is_not_found(service: Service) -> None:
    async with service.mcp() as client:
        odd = await client.call_tool("get_image", {"id": "seven"})
        unknown = await client.call_tool("get_image", {"id": "0190a5b2-0000-7000-8000-000000000000"})
    assert text_of(odd).startswith("invalid_request: id: must be a UUID.")
    assert odd.structured_content["error"]["details"][0]["path"] == "id"
    assert text_of(unknown).startswith("not_found: ")


@pytest.mark.parametrize("era", ERAS)
async def test_an_unknown_tool_prompt_or_resource_is_invalid_params(service: Service, era: str) -> None:
    async with service.mcp(era) as client:
        for ask in (
            lambda: client.call_tool("paint", {}),
            lambda: client.get_prompt("nothing", {}),
            lambda: client.read_resource("limner://nothing"),
            lambda: client.read_resource("limner://images/0190a5b2-0000-7000-8000-000000000000"),
        ):
            with pytest.raises(MCPError) as raised:
                await ask()
            assert raised.value.error.code == -32602


async def test_lists_and_the_account_have_their_documented_fields(service: Service) -> None:
    async with service.mcp() as client:
        await client.list_tools()
        made = (await client.call_tool("generate_image", {"prompt": "one"})).structured_content
        listed = (await client.call_tool("list_images", {"limit": 5})).structured_content
        usage = (await client.call_tool("list_usage", {})).structured_content
        account = (await client.call_tool("get_account", {})).structured_content
        models = (await client.call_tool("list_models", {})).structured_content
    assert {name: listed[name] for name in ("total", "limit", "offset")} == {"total": 1, "limit": 5, "offset": 0}
    assert listed["images"][0]["id"] == made["id"]
    assert [(line["type"], line["amount"]) for line in usage["transactions"]] == [("charge", -1), ("grant", 100)]
    assert usage["total"] == 2
    assert set(account) == {"userId", "email", "creditBalance", "creditsHeld", "cap"}
    assert (account["creditBalance"], account["creditsHeld"], account["cap"]) == (99, 0, None)
    assert models["default"] == SKETCH
    assert set(models["models"][0]) == {
        "id",
        "name",
        "description",
        "available",
        "reason",
        "status",
        "shutdownAt",
        "replacedBy",
        "credits",
        "parameters",
        "expectedSeconds",
    }


async def test_an_upload_is_sent_once_and_edited_by_its_id(service: Service, tmp_path: Path) -> None:
    picture = tmp_path / "it's a reference.png"
    Image.new("RGB", (64, 48), "teal").save(picture)
    async with service.mcp() as client:
        await client.list_tools()
        upload = (await client.call_tool("create_upload", {"mediaType": "image/png"})).structured_content
        async with service.client() as stranger:
            sent = await stranger.put(upload["uploadUrl"], content=picture.read_bytes())
            again = await stranger.put(upload["uploadUrl"], content=picture.read_bytes())
        edited = await client.call_tool("edit_image", {"instruction": "make it dusk", "images": [upload["id"]]})
        wrong = await client.call_tool("create_upload", {"mediaType": "image/gif"})
    assert set(upload) == {"id", "uploadUrl", "expiresAt", "maxBytes", "command"}
    assert upload["uploadUrl"] in upload["command"]
    assert (sent.status_code, again.status_code) == (200, 409)
    assert edited.structured_content["status"] == "succeeded"
    assert wrong.structured_content["error"]["code"] == "invalid_request"


async def test_prompts_resources_and_completion(service: Service) -> None:
    async with service.mcp() as client:
        prompts = (await client.list_prompts()).prompts
        written = await client.get_prompt("generate-image-detailed", {"subject": "a fox", "mood": "calm"})
        resources = {str(each.uri) for each in (await client.list_resources()).resources}
        (template,) = (await client.list_resource_templates()).resource_templates
        made = (await client.call_tool("generate_image", {"prompt": "one"})).structured_content
        image = (await client.read_resource(f"limner://images/{made['id']}")).contents
        account = (await client.read_resource("limner://account")).contents[0]
        theirs = (await client.read_resource("mcp://image-mcp/models")).contents[0]
        page = (await client.read_resource("ui://limner/viewer.html")).contents[0]
        ref = mcp_types.PromptReference(name="generate-image-detailed")
        ratios = (await client.complete(ref, {"name": "aspectRatio", "value": "16"})).completion.values
        models = (await client.complete(ref, {"name": "modelId", "value": "sk"})).completion.values
        moods = (await client.complete(ref, {"name": "mood", "value": "c"})).completion.values
    assert [(prompt.name, [each.name for each in prompt.arguments or []]) for prompt in prompts] == [
        ("generate-image", ["description"]),
        ("generate-image-detailed", ["subject", "style", "mood", "lighting"]),
    ]
    assert all(prompt.description and all(each.description for each in prompt.arguments or []) for prompt in prompts)
    assert isinstance(written.messages[0].content, mcp_types.TextContent)
    assert "a fox" in written.messages[0].content.text
    assert resources == {"limner://models", "limner://account", "mcp://image-mcp/models", "ui://limner/viewer.html"}
    assert template.uri_template == "limner://images/{id}"
    assert isinstance(image[0], mcp_types.TextResourceContents)
    assert orjson.loads(image[0].text)["sha256"] == made["sha256"]
    assert isinstance(image[1], mcp_types.BlobResourceContents)
    assert isinstance(account, mcp_types.TextResourceContents)
    assert orjson.loads(account.text)["creditBalance"] == 99
    assert isinstance(theirs, mcp_types.TextResourceContents)
    assert len(orjson.loads(theirs.text)["models"]) == 5
    assert page.mime_type == "text/html;profile=mcp-app"
    assert isinstance(page, mcp_types.TextResourceContents)
    assert len(page.text.encode()) < 20_000
    assert (ratios, models) == (["16:9", "9:16"], [SKETCH])
    assert moods[0] == "calm"


async def test_the_seed_a_picture_was_made_with_is_told_and_makes_it_again(service: Service) -> None:
    async with service.mcp() as client:
        first = (await client.call_tool("generate_image", {"prompt": "a lake"})).structured_content
        again = await client.call_tool("generate_image", {"prompt": "a lake", "seed": first["seed"]})
    assert 0 <= first["seed"] < 2**53
    assert (again.structured_content["id"] != first["id"], again.structured_content["sha256"]) == (
        True,
        first["sha256"],
    )
