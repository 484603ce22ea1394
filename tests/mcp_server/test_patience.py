"""How long a call waits for its picture: by who calls, by edition, and what is said and adopted when that is over."""

import asyncio
from typing import Any

import pytest
from tests.mcp_server.rawcalls import answer, call, post, request
from tests.providers.conftest import PeerOf
from tests.service import Service

CODEX = {"name": "codex-mcp-client", "version": "0.169"}
OTHER = {"name": "tests", "version": "1"}
WITH_PROGRESS = {"_meta": {"progressToken": "p"}}

EDITIONS = {
    "/getimages/api/mcp": (
        "getimages_generate_image",
        {"prompt": "a lake", "modelId": "google:gemini-3-pro-image-preview"},
        "google",
    ),
    "/image-mcp/api/mcp": ("generate_image", {"prompt": "a lake"}, "openrouter"),
}


def impatient(service: Service, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every wait ends at once; how long each would have been."""
    waits: list[float] = []
    wait = service.services.images.wait

    async def end_at_once(started: Any, seconds: float, *more: Any, **options: Any) -> Any:
        waits.append(seconds)
        return await wait(started, 0, *more, **options)

    monkeypatch.setattr(service.services.images, "wait", end_at_once)
    return waits


async def headers_of(service: Service, told_by: str, client: dict[str, str], path: str = "/api/mcp") -> dict[str, str]:
    """What a later request of a legacy client has of its `initialize`."""
    if told_by == "user agent":
        return {"User-Agent": f"{client['name']}/{client['version']}"}
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}
    opened = await post(service, request("initialize", hello), path=path)
    return {"Mcp-Session-Id": opened.headers["mcp-session-id"], "User-Agent": "node"}


@pytest.mark.parametrize("told_by", ["clientInfo", "session", "user agent"])
@pytest.mark.parametrize(("client", "seconds"), [(CODEX, 280), (OTHER, 780)])
async def test_a_call_waits_as_long_as_its_client_listens(
    service: Service, monkeypatch: pytest.MonkeyPatch, told_by: str, client: dict[str, str], seconds: int
) -> None:
    service.stage.holding = True
    lake = {"prompt": "a lake"}
    if told_by == "clientInfo":
        era, headers = "modern", {}
        meta = {"_meta": {**WITH_PROGRESS["_meta"], "io.modelcontextprotocol/clientInfo": client}}
    else:
        era, headers, meta = "legacy", await headers_of(service, told_by, client), WITH_PROGRESS
    waits = impatient(service, monkeypatch)
    with_progress = await post(service, call("generate_image", lake, more=meta, era=era), headers=headers)
    silent_meta = {"_meta": {name: value for name, value in meta["_meta"].items() if name != "progressToken"}}
    await post(service, call("generate_image", lake, more=silent_meta, era=era), headers=headers)
    asked = call("generate_image", lake | {"waitSeconds": 3}, more=meta, era=era)
    await post(service, asked, headers=headers)
    assert waits == [seconds, 40, 3]
    assert "running" in with_progress.text
    service.stage.let_go()


@pytest.mark.parametrize("path", EDITIONS)
@pytest.mark.parametrize("told_by", ["session", "user agent"])
async def test_a_compatible_edition_waits_long_whoever_asks_and_its_time_out_names_the_picture(
    supplied: Service, peer_of: PeerOf, monkeypatch: pytest.MonkeyPatch, path: str, told_by: str
) -> None:
    tool, arguments, supplier = EDITIONS[path]
    peer_of(supplier).fail("slow")
    headers = await headers_of(supplied, told_by, CODEX, path)
    with monkeypatch.context() as patch:
        waits = impatient(supplied, patch)
        timed_out = answer(await post(supplied, call(tool, arguments), path=path, headers=headers))["result"]
    error, text = timed_out["structuredContent"]["error"], timed_out["content"][0]["text"]
    assert (waits, timed_out["isError"], error["creditsCharged"]) == ([780], True, 0)
    assert error["generationId"] in text
    assert "does not start or pay for another" in text
    peer_of(supplier).release()
    again = answer(await post(supplied, call(tool, arguments), path=path, headers=headers))["result"]
    assert not again.get("isError")
    assert [image["id"] for image in (await supplied.http.get("/api/v1/images")).json()["images"]] == [
        error["generationId"]
    ]
    assert await supplied.transaction_types() == ["grant", "charge"]
    assert len(peer_of(supplier).orders) == 1


@pytest.mark.parametrize("path", EDITIONS)
@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_a_call_to_a_compatible_edition_repeated_after_a_hang_up_adopts_its_picture(
    supplied: Service, peer_of: PeerOf, path: str, era: str
) -> None:
    tool, arguments, supplier = EDITIONS[path]
    lake = call(tool, arguments, era=era)
    peer_of(supplier).fail("slow")
    asking = asyncio.create_task(post(supplied, lake, path=path))
    await peer_of(supplier).asked()
    asking.cancel()
    await asyncio.wait([asking])
    peer_of(supplier).release()
    again = answer(await post(supplied, lake, path=path))["result"]
    assert not again.get("isError")
    assert len(peer_of(supplier).orders) == 1
    third = answer(await post(supplied, lake, path=path))["result"]
    assert third["structuredContent"] != again["structuredContent"]
    assert len(peer_of(supplier).orders) == 2
    assert await supplied.transaction_types() == ["grant", "charge", "charge"]
