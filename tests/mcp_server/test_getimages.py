"""The getimages edition, to the field, against the suppliers' peers."""

from pathlib import Path
from typing import Any

import pybase64
import pytest
from tests.mcp_server.results import pictures_of, text_of
from tests.providers.conftest import PeerOf
from tests.service import Service, serving

from limner.credits import ledger
from limner.db.types import now

PATH = "/getimages/api/mcp"
TOOLS = [
    "getimages_generate_image",
    "getimages_list_images",
    "getimages_get_image",
    "getimages_get_account",
    "getimages_list_usage",
]
PRO, FLASH, OLD = (
    "google:gemini-3-pro-image-preview",
    "google:gemini-3.1-flash-image-preview",
    "openai:gpt-image-1.5",
)
ENTRY = {
    "id",
    "prompt",
    "modelId",
    "providerId",
    "aspectRatio",
    "style",
    "thinkingLevel",
    "mediaType",
    "creditCost",
    "createdAt",
}


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_an_image_comes_with_its_bytes_and_exactly_the_documented_fields(supplied: Service, era: str) -> None:
    asked = {"prompt": "a lighthouse", "modelId": PRO, "aspectRatio": "21:9", "style": "ink", "thinkingLevel": "deep"}
    async with supplied.mcp(era, path=PATH) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == TOOLS
        assert client.server_info.name == "getimages"
        result = await client.call_tool("getimages_generate_image", asked)
    made = result.structured_content
    assert {name: made[name] for name in ("modelId", "providerId", "aspectRatio", "style", "thinkingLevel")} == {
        "modelId": PRO,
        "providerId": "google",
        "aspectRatio": "21:9",
        "style": "ink",
        "thinkingLevel": "deep",
    }
    assert set(made) - {"modelId", "providerId", "aspectRatio", "style", "thinkingLevel"} == {
        "id",
        "mediaType",
        "credits",
        "createdAt",
        "imageUrl",
    }
    assert made["credits"] == {"charged": 18, "remaining": 82}
    (picture,) = pictures_of(result)
    assert picture.mime_type == made["mediaType"]
    async with supplied.client() as stranger:
        assert (await stranger.get(made["imageUrl"])).content == pybase64.b64decode(picture.data)
    assert "18 credits charged, 82 remaining" in text_of(result)


async def test_images_account_and_usage_have_their_documented_fields(supplied: Service, peer_of: PeerOf) -> None:
    async with supplied.mcp(path=PATH) as client:
        await client.list_tools()
        made = (
            await client.call_tool("getimages_generate_image", {"prompt": "kept", "modelId": FLASH})
        ).structured_content
        peer_of("google").fail("refusal")
        refused = await client.call_tool("getimages_generate_image", {"prompt": "refused", "modelId": FLASH})
        listed = (await client.call_tool("getimages_list_images", {})).structured_content
        found = await client.call_tool("getimages_get_image", {"id": made["id"]})
        with_bytes = await client.call_tool("getimages_get_image", {"id": made["id"], "includeBytes": True})
        account = await client.call_tool("getimages_get_account", {})
        usage = (await client.call_tool("getimages_list_usage", {"limit": 1})).structured_content
    assert refused.is_error
    assert "declined the request: PROHIBITED_CONTENT. Rephrase the prompt" in text_of(refused)
    assert (listed["total"], listed["limit"], listed["offset"]) == (1, 20, 0)
    (entry,) = listed["images"]
    assert set(entry) == ENTRY
    assert (entry["id"], entry["creditCost"], entry["prompt"]) == (made["id"], 5, "kept")
    assert found.structured_content == {"image": entry, "imageUrl": found.structured_content["imageUrl"]}
    assert (pictures_of(found), len(pictures_of(with_bytes))) == ([], 1)
    assert account.structured_content == {
        "userId": account.structured_content["userId"],
        "email": "owner@example.org",
        "creditBalance": 95,
    }
    assert "95" in text_of(account)
    (line,) = usage["transactions"]
    assert set(line) == {"id", "amount", "type", "description", "referenceId", "createdAt"}
    assert (line["type"], line["amount"], line["referenceId"]) == ("deduction", -5, made["id"])
    assert (usage["total"], usage["limit"], usage["offset"]) == (2, 1, 0)


async def test_the_opening_balance_reads_as_an_addition(supplied: Service) -> None:
    async with supplied.mcp(path=PATH) as client:
        usage = (await client.call_tool("getimages_list_usage", {})).structured_content
    assert [(line["type"], line["amount"]) for line in usage["transactions"]] == [("addition", 100)]


async def test_every_kind_of_transaction_reads_as_one_of_the_three_documented_types(supplied: Service) -> None:
    booked = [("charge", -3), ("refund", 3), ("purchase", 500), ("purchase_refund", -500), ("adjustment", 2)]
    booked += [("adjustment", -2), ("chargeback", -7)]

    def book(tx: Any) -> None:
        for type_, amount in booked:
            ledger.add(tx, supplied.account_id, amount, type_, ledger.Entry(type_), now())

    await supplied.services.database.write(book)
    async with supplied.mcp(path=PATH) as client:
        usage = (await client.call_tool("getimages_list_usage", {})).structured_content
    assert [(line["description"], line["type"], line["amount"]) for line in reversed(usage["transactions"])] == [
        ("Opening balance", "addition", 100),
        ("charge", "deduction", -3),
        ("refund", "refund", 3),
        ("purchase", "addition", 500),
        ("purchase_refund", "deduction", -500),
        ("adjustment", "addition", 2),
        ("adjustment", "deduction", -2),
        ("chargeback", "deduction", -7),
    ]


async def test_a_ratio_without_an_exact_size_is_served_by_the_nearest_and_said_so(supplied: Service) -> None:
    async with supplied.mcp(path=PATH) as client:
        result = await client.call_tool(
            "getimages_generate_image", {"prompt": "wide", "modelId": OLD, "aspectRatio": "16:9"}
        )
    assert not result.is_error
    assert "no exact 16:9 size" in text_of(result)
    assert result.structured_content["credits"]["charged"] == 3


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"modelId": FLASH, "aspectRatio": "21:9"}, "unsupported_option"),
        ({"modelId": "openai:gpt-image-2", "thinkingLevel": "deep"}, "unsupported_option"),
        ({"modelId": "limner:sketch"}, "unknown_model"),
        ({"modelId": "openai:gpt-image-9"}, "unknown_model"),
        ({"modelId": 5}, "invalid_request"),
        ({"modelId": PRO, "aspectRatio": "5:4"}, "invalid_request"),
        ({"modelId": PRO, "prompt": ""}, "invalid_request"),
        ({"modelId": PRO, "prompt": "x" * 8001}, "invalid_request"),
        ({}, "invalid_request"),
    ],
)
async def test_what_the_edition_does_not_document_is_refused(
    supplied: Service, wrong: dict[str, str], code: str
) -> None:
    async with supplied.mcp(path=PATH) as client:
        result = await client.call_tool("getimages_generate_image", {"prompt": "x"} | wrong)
        odd_id = await client.call_tool("getimages_get_image", {"id": "seven"})
        no_page = await client.call_tool("getimages_list_images", {"limit": 101})
    assert text_of(result).startswith(f"{code}: ")
    assert (
        odd_id.structured_content["error"]["code"] == no_page.structured_content["error"]["code"] == "invalid_request"
    )
    assert await supplied.transaction_types() == ["grant"]


async def test_too_few_credits_and_a_refusal_are_tool_errors(supplied: Service, peer_of: PeerOf) -> None:
    _, key = await supplied.account("poor@example.org", credits=2)
    async with supplied.mcp(path=PATH, key=key) as client:
        poor = await client.call_tool("getimages_generate_image", {"prompt": "x", "modelId": PRO})
    peer_of("google").fail("refusal")
    async with supplied.mcp(path=PATH) as client:
        refused = await client.call_tool("getimages_generate_image", {"prompt": "x", "modelId": PRO})
    assert text_of(poor).startswith("insufficient_credits: ")
    assert text_of(refused).startswith("moderation_blocked: ")
    assert "Rephrase" in text_of(refused)
    assert (await supplied.balance()).available == 100


async def test_the_edition_can_stand_at_the_usual_path(tmp_path: Path, sqlite_url: str) -> None:
    async with serving(tmp_path, sqlite_url, env={"LIMNER_EDITION": "getimages"}) as service, service.mcp() as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == TOOLS
