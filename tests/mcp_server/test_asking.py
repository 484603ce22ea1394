"""The owner is asked before a dear call where the client can be asked; elsewhere the call is refused, and nothing is held."""

from pathlib import Path
from typing import Any

import mcp_types
import pytest
from tests.mcp_server.rawcalls import answer, call, post, request
from tests.mcp_server.results import text_of
from tests.service import Service, serving

CAN_ASK = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}, "url": {}}}}
DEAR = {"prompt": "three lakes", "n": 3}


@pytest.fixture
async def careful(service: Service) -> str:
    """A key whose owner wants to be asked above two credits."""
    return await service.make_key(confirm_above_credits=2)


def elicited(seen: list[str], **content: Any) -> Any:
    async def elicit(context: object, params: Any) -> mcp_types.ElicitResult:
        seen.append(params.message)
        return mcp_types.ElicitResult(action="accept" if content else "decline", content=content or None)

    return elicit


async def test_a_dear_call_is_made_once_the_owner_agreed(service: Service, careful: str) -> None:
    seen: list[str] = []
    async with service.mcp(key=careful, elicitation_callback=elicited(seen, agree=True)) as client:
        made = await client.call_tool("generate_image", DEAR)
        cheap = await client.call_tool("generate_image", {"prompt": "one lake"})
    assert (made.structured_content["status"], cheap.structured_content["status"]) == ("succeeded", "succeeded")
    (question,) = seen
    assert "3 credits" in question


@pytest.mark.parametrize("content", [{}, {"agree": False}])
async def test_a_dear_call_the_owner_declines_is_not_made(
    service: Service, careful: str, content: dict[str, Any]
) -> None:
    seen: list[str] = []
    async with service.mcp(key=careful, elicitation_callback=elicited(seen, **content)) as client:
        refused = await client.call_tool("generate_image", DEAR)
    assert text_of(refused).startswith("confirmation_required: ")
    assert len(seen) == 1
    assert service.stage.seen == []


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_where_nobody_can_be_asked_the_call_is_refused_and_says_how_to_go_on(
    service: Service, careful: str, era: str
) -> None:
    async with service.mcp(era, key=careful) as client:
        refused = await client.call_tool("generate_image", DEAR)
    assert text_of(refused).startswith("confirmation_required: This call costs 3 credits")
    assert "dashboard" in text_of(refused)
    assert (await service.balance()).held == 0


async def test_an_agreement_is_good_for_its_own_call_only(service: Service, careful: str) -> None:
    key = {"Authorization": f"Bearer {careful}"}
    asked = answer(await post(service, _dear(DEAR), headers=key))["result"]
    agreed = {"requestState": asked["requestState"], "inputResponses": {"confirm": _yes()}}
    dearer = answer(await post(service, _dear(DEAR | {"n": 8}, **agreed), headers=key))["result"]
    forged = answer(await post(service, _dear(DEAR, **agreed | {"requestState": "9999999999.x"}), headers=key))[
        "result"
    ]
    others = answer(await post(service, _dear(DEAR, **agreed)))["result"]
    itself = answer(await post(service, _dear(DEAR, **agreed), headers=key))["result"]
    assert asked["resultType"] == "input_required"
    assert [each["structuredContent"]["error"]["code"] for each in (dearer, forged)] == ["confirmation_required"] * 2
    assert itself["structuredContent"]["status"] == others["structuredContent"]["status"] == "succeeded"


def _dear(arguments: dict[str, Any], **agreed: Any) -> dict[str, Any]:
    params = {"name": "generate_image", "arguments": arguments, "_meta": CAN_ASK, **agreed}
    return request("tools/call", params, era="modern")


def _yes() -> dict[str, Any]:
    return {"action": "accept", "content": {"agree": True}}


async def test_an_empty_account_is_led_to_where_credits_are_sold(tmp_path: Path, sqlite_url: str) -> None:
    env = {"LIMNER_STRIPE_SECRET_KEY": "sk_stripe", "LIMNER_STRIPE_WEBHOOK_SECRET": "whsec_x"}
    async with serving(tmp_path, sqlite_url, env=env, credits=0) as service:
        asked = answer(await post(service, _dear({"prompt": "x"})))["result"]
        declined = {"inputResponses": {"buy": {"action": "decline"}}}
        refused = answer(await post(service, _dear({"prompt": "x"}, **declined)))["result"]
        legacy = answer(await post(service, call("generate_image", {"prompt": "x"})))["result"]
    question = asked["inputRequests"]["buy"]["params"]
    assert (question["mode"], question["url"]) == ("url", f"{service.url}/dashboard/billing")
    for each in (refused, legacy):
        assert each["structuredContent"]["error"]["code"] == "insufficient_credits"
