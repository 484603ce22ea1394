"""Two tenants against every tool, resource, prompt and completion: what is another's reads like what never was."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.mcp_server.rawcalls import answer, call, post, request
from tests.service import Service, serving

from limner.accounts.principal import SCOPES
from limner.mcp_server.editions.native import INSTRUCTIONS

NEVER = "0190a5b2-7c1e-7000-8000-00000000000a"
PATHS = {"native": "/api/mcp", "getimages": "/getimages/api/mcp", "image-mcp": "/image-mcp/api/mcp"}
SECRET_WORDS = "a heron of the first account"
ERAS = ["legacy", "modern"]

NAMING: dict[str, list[tuple[str, str, Mapping[str, Any]]]] = {
    "image": [
        ("native", "get_image", {"id": "ID"}),
        ("native", "get_image", {"id": "ID", "waitSeconds": 5, "inline": "full", "ttlSeconds": 60}),
        ("native", "edit_image", {"instruction": "x", "images": ["ID"]}),
        ("native", "edit_image", {"instruction": "x", "images": ["ID"], "mask": "ID"}),
        ("native", "generate_image", {"prompt": "x", "references": ["ID"]}),
        ("getimages", "getimages_get_image", {"id": "ID"}),
        ("getimages", "getimages_get_image", {"id": "ID", "includeBytes": True}),
    ],
    "upload": [
        ("native", "edit_image", {"instruction": "x", "images": ["ID"]}),
        ("native", "generate_image", {"prompt": "x", "references": ["ID"]}),
        ("native", "get_image", {"id": "ID"}),
    ],
}
"""Every argument of every tool that can name a thing of an account."""

LISTING = [
    ("native", "list_images"),
    ("native", "list_usage"),
    ("native", "get_account"),
    ("native", "list_models"),
    ("getimages", "getimages_list_images"),
    ("getimages", "getimages_list_usage"),
    ("getimages", "getimages_get_account"),
]


@pytest.mark.timeout(200)
async def test_nothing_tells_another_accounts_things_from_things_that_never_were(
    tmp_path: Path, database_url: str
) -> None:
    async with serving(tmp_path, database_url) as service:
        theirs = await _belongings(service)
        _, other = await service.account("other@example.org", scopes=frozenset(SCOPES))
        for era in ERAS:
            for kind, calls in NAMING.items():
                for edition, tool, arguments in calls:
                    answers = [
                        await _told(service, other, PATHS[edition], _naming(tool, arguments, id_, era), id_)
                        for id_ in (theirs[kind], NEVER)
                    ]
                    assert answers[0] == answers[1], (era, tool, arguments)
                    assert "not_found" in answers[0], (era, tool, arguments)
            for uri in ("limner://images/ID", "limner://images/ID/../ID"):
                answers = [
                    await _told(
                        service,
                        other,
                        PATHS["native"],
                        _read(uri.replace("ID", id_), era),
                        id_,
                    )
                    for id_ in (theirs["image"], NEVER)
                ]
                assert answers[0] == answers[1], uri
                assert "-32602" in answers[0]
            await _assert_lists_tell_nothing(service, other, era, theirs)


async def test_a_strangers_call_never_adopts(service: Service) -> None:
    service.stage.holding = True
    lake = call("generate_image", {"prompt": "a lake"})
    asking = asyncio.create_task(post(service, lake))
    await service.stage.arrival()
    asking.cancel()
    await asyncio.wait([asking])
    service.stage.let_go()
    _, other = await service.account("other@example.org")
    for key in (other, await service.make_key()):
        made = answer(await post(service, lake, headers={"Authorization": f"Bearer {key}"}))["result"]
        assert made["structuredContent"]["replayed"] is False
    assert answer(await post(service, lake))["result"]["structuredContent"]["replayed"] is True


async def test_a_strangers_idempotency_key_is_another_key(service: Service) -> None:
    named = call("generate_image", {"prompt": "a lake", "idempotencyKey": "k"})
    first = answer(await post(service, named))["result"]["structuredContent"]
    _, other = await service.account("other@example.org")
    theirs = answer(await post(service, named, headers={"Authorization": f"Bearer {other}"}))["result"]
    assert (theirs["structuredContent"]["id"] != first["id"], theirs["structuredContent"]["replayed"]) == (True, False)


async def test_a_stranger_cannot_cancel_a_wait(service: Service) -> None:
    service.stage.holding = True
    asking = asyncio.create_task(post(service, call("generate_image", {"prompt": "a lake"}, id_=7)))
    await service.stage.arrival()
    _, other = await service.account("other@example.org")
    body = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
    what = {"headers": {"Accept": "application/json, text/event-stream"}, "content": orjson.dumps(body)}
    what["headers"]["Content-Type"] = "application/json"
    assert (await post(service, what, headers={"Authorization": f"Bearer {other}"})).status_code == 202
    service.stage.let_go()
    assert answer(await asking)["result"]["structuredContent"]["status"] == "succeeded"


async def _belongings(service: Service) -> dict[str, str]:
    """One of each thing of the first account that MCP can name."""
    made = answer(await post(service, call("generate_image", {"prompt": SECRET_WORDS})))["result"]
    upload = answer(await post(service, call("create_upload", {"mediaType": "image/png"})))["result"]
    prompt = {
        "name": "secret-style",
        "title": "Secret style",
        "kind": "style",
        "text": "in the manner of the first account",
    }
    saved = await service.http.post("/api/v1/prompts", json=prompt)
    assert saved.status_code in (200, 201), saved.text
    return {"image": made["structuredContent"]["id"], "upload": upload["structuredContent"]["id"]}


async def _assert_lists_tell_nothing(service: Service, other: str, era: str, theirs: Mapping[str, str]) -> None:
    hidden = [*theirs.values(), SECRET_WORDS, service.account_id, "owner@example.org", "secret-style", "first account"]
    asked = [(PATHS[edition], call(tool, {}, era=era)) for edition, tool in LISTING]
    for path in PATHS.values():
        asked += [(path, request(method, {}, era=era)) for method in ("tools/list", "prompts/list", "resources/list")]
    asked += [
        (PATHS["native"], request("resources/templates/list", {}, era=era)),
        (PATHS["native"], _read("limner://account", era)),
        (PATHS["native"], _read("limner://models", era)),
        (PATHS["native"], _complete({"type": "ref/resource", "uri": "limner://images/{id}"}, "id", era)),
        (PATHS["native"], _complete({"type": "ref/prompt", "name": "generate-image-detailed"}, "style", era)),
        (PATHS["native"], _complete({"type": "ref/prompt", "name": "secret-style"}, "description", era)),
        (PATHS["native"], request("prompts/get", {"name": "secret-style", "arguments": {"description": "x"}}, era=era)),
    ]
    for path, what in asked:
        told = (await post(service, what, path=path, headers={"Authorization": f"Bearer {other}"})).text
        told = told.replace(INSTRUCTIONS, "")
        assert not [each for each in hidden if each in told and each != "secret-style"], told[:500]
        if b"secret-style" not in what["content"]:
            assert "secret-style" not in told
    unknown = request("prompts/get", {"name": "never-kept", "arguments": {"description": "x"}}, era=era)
    theirs_prompt = request("prompts/get", {"name": "secret-style", "arguments": {"description": "x"}}, era=era)
    told = [
        (await _told(service, other, PATHS["native"], what, name))
        for what, name in ((unknown, "never-kept"), (theirs_prompt, "secret-style"))
    ]
    assert told[0] == told[1]


def _naming(tool: str, arguments: Mapping[str, Any], id_: str, era: str) -> dict[str, Any]:
    return call(tool, orjson.loads(orjson.dumps(arguments).replace(b'"ID"', orjson.dumps(id_))), era=era)


def _read(uri: str, era: str) -> dict[str, Any]:
    what = request("resources/read", {"uri": uri}, era=era)
    if era == "modern":
        what["headers"]["Mcp-Name"] = uri
    return what


def _complete(ref: Mapping[str, str], argument: str, era: str) -> dict[str, Any]:
    return request("completion/complete", {"ref": ref, "argument": {"name": argument, "value": ""}}, era=era)


async def _told(service: Service, key: str, path: str, what: dict[str, Any], id_: str) -> str:
    """The whole answer, without what names the thing or the request."""
    response = await post(service, what, path=path, headers={"Authorization": f"Bearer {key}"})
    told = answer(response)
    error = told.get("result", {}).get("structuredContent", {}).get("error", {})
    error["requestId"] = ""
    return f"{response.status_code} {orjson.dumps(told).decode()}".replace(id_, "ID")
