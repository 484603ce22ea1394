"""An original of any size reaches every client that asks for it, or the client is told where it is."""

from base64 import b64decode
from typing import Any

import pytest
from tests.mcp_server.rawcalls import answer, call, post
from tests.service import Service

from limner.mcp_server import delivery
from limner.mcp_server.results import TOO_LARGE

LARGE = {"prompt": "a lake", "resolution": "2K", "outputFormat": "png", "inline": "full"}


@pytest.mark.parametrize("mode", ["legacy", "auto"])
@pytest.mark.parametrize("resolution", ["2K", "4K"])
@pytest.mark.timeout(200)
async def test_the_official_client_gets_a_large_original(service: Service, mode: str, resolution: str) -> None:
    made = await service.generate(prompt="a lake", resolution=resolution, outputFormat="png")
    image_id = made.json()["image"]["id"]
    async with service.mcp(mode) as client:
        got = await client.call_tool("get_image", {"id": image_id, "inline": "full"})
    facts = got.structured_content
    assert facts["sizeBytes"] > 1_000_000
    assert (facts["inline"]["original"], facts["warnings"]) == (True, [])
    assert len(b64decode(got.content[1].data)) == facts["sizeBytes"]


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_while_progress_streams_it_gets_a_preview_and_is_told_so(service: Service, mode: str) -> None:
    async def hear(*_: Any) -> None: ...

    async with service.mcp(mode) as client:
        made = await client.call_tool("generate_image", LARGE, progress_callback=hear)
        facts = made.structured_content
        assert (facts["inline"]["original"], facts["warnings"]) == (False, [TOO_LARGE])
        assert TOO_LARGE in made.content[0].text
        whole = await client.call_tool("get_image", {"id": facts["id"], "inline": "full"})
    assert len(b64decode(whole.content[1].data)) == facts["sizeBytes"]


async def test_other_clients_get_the_original_in_a_stream_too(service: Service) -> None:
    headers = {"User-Agent": "node"}
    watched = call("generate_image", LARGE, more={"_meta": {"progressToken": 1}})
    response = await post(service, watched, headers=headers)
    facts = answer(response)["result"]["structuredContent"]
    assert response.headers["content-type"].startswith("text/event-stream")
    assert (facts["inline"]["original"], facts["sizeBytes"] > 1_000_000) == (True, True)


@pytest.mark.parametrize("spare_bytes", [-1, 0, 1, 15, 25, 26, 27, 40])
async def test_an_answer_about_as_long_as_an_event_may_be_arrives_whole(
    service: Service, monkeypatch: pytest.MonkeyPatch, spare_bytes: int
) -> None:
    """The frame round it makes an event a little longer than the answer in it."""
    image_id = (await service.generate(prompt="a lake", outputFormat="jpeg")).json()["image"]["id"]
    shown = call("get_image", {"id": image_id, "inline": "full"})
    event = await post(service, shown)
    (told,) = [line for line in event.text.splitlines() if line.startswith("data: ")]
    monkeypatch.setattr(delivery, "MOST_EVENT_BYTES", len(told.removeprefix("data: ")) + spare_bytes)
    again = await post(service, shown)
    assert answer(again)["result"]["content"][1] == answer(event)["result"]["content"][1]
    assert len(again.headers.get_list("content-length")) == 1
