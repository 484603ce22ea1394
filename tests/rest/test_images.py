"""Making, getting, listing and ending pictures over REST, through the front door."""

import asyncio
import threading
from io import BytesIO
from typing import Any

import httpx2
import pybase64
import pytest
from PIL import Image
from tests.service import SKETCH, Service

from limner.credits import ledger
from limner.errors import ModerationBlocked, UpstreamTimeout
from limner.images import lists


async def test_a_prompt_becomes_a_picture_behind_a_link_that_needs_no_key(any_service: Service) -> None:
    answer = (await any_service.generate(prompt="apricot dunes", aspectRatio="16:9", outputFormat="webp")).json()
    image = answer["image"]
    assert image["status"] == "succeeded"
    assert answer["credits"] == {"charged": 1, "remaining": 99}
    async with any_service.client() as stranger:
        picture = await stranger.get(image["imageUrl"])
    assert picture.headers["content-type"] == image["mediaType"] == "image/webp"
    assert len(picture.content) == image["sizeBytes"]
    with Image.open(BytesIO(picture.content)) as opened:
        assert opened.size == (image["width"], image["height"]) == (1408, 792)


async def test_bytes_come_along_unless_declined(service: Service) -> None:
    with_bytes = (await service.http.post("/api/v1/images/generate", json={"prompt": "a boat"})).json()["image"]
    again = (await service.http.get(f"/api/v1/images/{with_bytes['id']}")).json()["image"]
    without = (await service.http.get(f"/api/v1/images/{with_bytes['id']}?format=metadata")).json()["image"]
    assert pybase64.b64decode(with_bytes["b64_json"]) == pybase64.b64decode(again["b64_json"])
    assert "b64_json" not in without


async def test_several_pictures_are_charged_one_by_one(service: Service) -> None:
    answer = (await service.generate(n=3)).json()
    assert len(answer["image"]["others"]) == 2
    assert answer["credits"] == {"charged": 3, "remaining": 97}
    assert len({answer["image"]["id"], *(other["id"] for other in answer["image"]["others"])}) == 3


async def test_a_refused_prompt_leaves_the_ledger_untouched(any_service: Service) -> None:
    any_service.stage.errors["refused"] = ModerationBlocked(extra={"stage": "input", "reason": "violence"})
    answer = await any_service.generate(prompt="refused")
    error = answer.json()["error"]
    assert answer.status_code == 422
    assert (error["code"], error["stage"], error["creditsCharged"]) == ("moderation_blocked", "input", 0)
    assert (await any_service.http.get(f"/api/v1/images/{error['generationId']}")).json()["image"]["status"] == "failed"
    assert await any_service.transaction_types() == ["grant"]
    assert (await any_service.balance()).held == 0
    assert await any_service.audit() == []


async def test_too_few_credits_make_no_picture_and_say_what_is_missing(service: Service) -> None:
    answer = await service.generate(n=8)
    assert answer.status_code == 200
    _, key = await service.account("poor@example.org", credits=2)
    async with service.client(key) as poor:
        refused = await poor.post("/api/v1/images/generate", json={"prompt": "x", "n": 3})
        listed = (await poor.get("/api/v1/images")).json()
    assert refused.status_code == 402
    assert refused.json()["error"]["code"] == "insufficient_credits"
    assert (refused.json()["error"]["needed"], refused.json()["error"]["available"]) == (3, 2)
    assert refused.json()["error"]["buyUrl"] == f"{service.url}/dashboard/billing"
    assert listed == {"images": [], "total": 0, "limit": 20, "offset": 0, "nextCursor": None}


async def test_an_answer_at_once_holds_the_credits_and_names_the_picture(service: Service) -> None:
    service.stage.holding = True
    answer = await service.http.post(
        "/api/v1/images/generate", json={"prompt": "slow", "n": 2}, headers={"Prefer": "respond-async"}
    )
    image = answer.json()["image"]
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/v1/images/{image['id']}"
    assert {each["status"] for each in (image, *image["others"])} == {"running"}
    assert answer.json()["credits"] == {"charged": 0, "remaining": 98}
    service.stage.let_go()
    done = (await service.http.get(f"/api/v1/images/{image['id']}?wait=30&format=metadata")).json()["image"]
    assert done["status"] == "succeeded"


async def test_a_hang_up_loses_nothing_and_the_same_call_does_not_pay_twice(any_service: Service) -> None:
    any_service.stage.holding = True
    with pytest.raises(httpx2.ReadTimeout):
        await any_service.http.post("/api/v1/images/generate", json={"prompt": "patience"}, timeout=0.5)
    await any_service.stage.arrival()
    any_service.stage.let_go()
    again = (await any_service.generate(prompt="patience")).json()
    assert again["image"]["replayed"] is True
    assert again["credits"] == {"charged": 1, "remaining": 99}
    assert len(any_service.stage.seen) == 1
    third = (await any_service.generate(prompt="patience")).json()
    assert third["image"]["replayed"] is False


async def test_one_idempotency_key_is_one_picture_however_often_it_is_sent(any_service: Service) -> None:
    answers = await asyncio.gather(*(any_service.generate(idempotencyKey="once") for _ in range(50)))
    assert {answer.json()["image"]["id"] for answer in answers} == {answers[0].json()["image"]["id"]}
    assert sum(not answer.json()["image"]["replayed"] for answer in answers) == 1
    assert len(any_service.stage.seen) == 1
    assert (await any_service.balance()).available == 99


async def test_an_idempotency_key_with_other_arguments_is_a_conflict(service: Service) -> None:
    await service.generate(idempotencyKey="once")
    other = await service.generate(idempotencyKey="once", prompt="something else")
    same_but_for_the_answer = await service.generate(idempotencyKey="once", waitSeconds=5, inline="none")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_conflict")
    assert same_but_for_the_answer.json()["image"]["replayed"] is True


async def test_a_key_whose_generation_failed_starts_a_new_attempt(service: Service) -> None:
    service.stage.errors["flaky"] = UpstreamTimeout()
    first = await service.generate(prompt="flaky", idempotencyKey="try")
    del service.stage.errors["flaky"]
    second = await service.generate(prompt="flaky", idempotencyKey="try")
    assert (first.status_code, first.json()["error"]["code"]) == (504, "upstream_timeout")
    assert (second.status_code, second.json()["image"]["replayed"]) == (200, False)


async def test_a_key_outlives_its_deleted_picture(service: Service) -> None:
    image = (await service.generate(idempotencyKey="gone")).json()["image"]
    deleted = await service.http.delete(f"/api/v1/images/{image['id']}")
    again = await service.generate(idempotencyKey="gone")
    async with service.client() as stranger:
        link = await stranger.get(image["imageUrl"])
    assert (deleted.status_code, again.status_code, link.status_code) == (204, 404, 404)
    assert (await service.http.get(f"/api/v1/images/{image['id']}")).status_code == 404
    assert await service.transaction_types() == ["grant", "charge"]
    assert await service.audit() == []


async def test_what_is_cancelled_in_the_queue_or_where_that_is_free_is_not_charged(any_service: Service) -> None:
    any_service.stage.holding = True
    started = (await any_service.generate(waitSeconds=0)).json()["image"]
    await any_service.stage.arrival()
    cancelled = await any_service.http.post(f"/api/v1/images/{started['id']}/cancel")
    assert (cancelled.status_code, cancelled.json()["image"]["status"]) == (200, "cancelled")
    assert (await any_service.balance()).available == 100
    assert await any_service.audit() == []


async def test_a_finished_picture_cannot_be_cancelled(service: Service) -> None:
    image = (await service.generate()).json()["image"]
    answer = await service.http.post(f"/api/v1/images/{image['id']}/cancel")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_cancellable")


async def test_a_dry_run_tells_the_price_and_starts_nothing(service: Service) -> None:
    answer = await service.generate(n=4, dryRun=True, idempotencyKey="dry")
    assert answer.json() == {"credits": {"wouldCharge": 4, "wouldRemain": 96}, "warnings": []}
    assert (await service.http.get("/api/v1/images")).json()["total"] == 0
    assert (await service.generate(idempotencyKey="dry")).json()["image"]["replayed"] is False


async def test_lists_go_on_by_offset_and_by_cursor_and_filter(service: Service) -> None:
    ids = [(await service.generate(prompt=f"picture {number}")).json()["image"]["id"] for number in range(5)]
    first = (await service.http.get("/api/v1/images?limit=2")).json()
    rest = (await service.http.get(f"/api/v1/images?limit=3&cursor={first['nextCursor']}")).json()
    assert [image["id"] for image in first["images"] + rest["images"]] == ids[::-1]
    assert first["total"] == 5
    found = (await service.http.get("/api/v1/images?q=PICTURE 3")).json()
    assert [image["id"] for image in found["images"]] == [ids[3]]
    assert found["total"] is None
    succeeded = (await service.http.get(f"/api/v1/images?modelId={SKETCH}&status=succeeded")).json()
    assert (succeeded["images"][0]["id"], succeeded["total"]) == (ids[4], None)
    assert (await service.http.get("/api/v1/images?status=succeeded")).json()["total"] == 5
    assert (await service.http.get("/api/v1/images?status=failed")).json()["total"] is None


async def test_a_total_is_never_that_of_another_question(service: Service) -> None:
    image = (await service.generate(prompt="the one")).json()["image"]
    await service.generate(prompt="another")
    for asked in (f"sha256={image['sha256']}", f"sha256={image['sha256']}&status=succeeded", "q=one&status=succeeded"):
        answer = (await service.http.get(f"/api/v1/images?{asked}")).json()
        assert ([each["id"] for each in answer["images"]], answer["total"]) == ([image["id"]], None)


@pytest.mark.parametrize(
    "path",
    [
        "images?q=nothing",
        "images?status=failed&modelId=x",
        "images?offset=5000",
        "usage?to=2020-01-01",
        "usage?from=2020-01-01&limit=1&offset=2",
        "usage?keyId=x&modelId=y",
        "usage?offset=5000",
    ],
)
async def test_a_list_that_may_take_long_is_read_beside_the_event_loop(
    service: Service, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    threads: list[str] = []

    def watched(read: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            threads.append(threading.current_thread().name)
            return read(*arguments, **named)

        return call

    monkeypatch.setattr(lists, "of_account", watched(lists.of_account))
    monkeypatch.setattr(ledger, "transactions", watched(ledger.transactions))
    for asked in (path.partition("?")[0], path):
        assert (await service.http.get(f"/api/v1/{asked}")).status_code == 200
    usual, long = threads
    assert usual == threading.main_thread().name != long


async def test_another_accounts_picture_reads_like_one_that_never_was(service: Service) -> None:
    image = (await service.generate()).json()["image"]
    _, key = await service.account("other@example.org")
    unknown = "0190a5b2-0000-7000-8000-000000000000"
    async with service.client(key) as other:
        for method, suffix in (("GET", ""), ("DELETE", ""), ("POST", "/cancel")):
            theirs = await other.request(method, f"/api/v1/images/{image['id']}{suffix}")
            nobodys = await other.request(method, f"/api/v1/images/{unknown}{suffix}")
            assert theirs.status_code == nobodys.status_code == 404
            assert _without_ids(theirs) == _without_ids(nobodys)


def _without_ids(answer: httpx2.Response) -> dict[str, object]:
    return {name: value for name, value in answer.json()["error"].items() if name != "requestId"}


@pytest.mark.parametrize("path", ["/api/v1/images", "/api/v1/usage"])
async def test_a_cursor_that_is_none_is_refused_and_a_true_one_goes_on(service: Service, path: str) -> None:
    await service.generate(prompt="a pier")
    refused = await service.http.get(path, params={"cursor": "zzz"})
    assert (refused.status_code, refused.json()["error"]["details"][0]["path"]) == (400, "cursor")
    cursor = (await service.http.get(path, params={"limit": 1})).json()["nextCursor"]
    assert (await service.http.get(path, params={"cursor": cursor})).status_code == 200


async def test_a_wrong_body_is_told_in_words_of_the_request(service: Service) -> None:
    async def told(content: bytes) -> dict[str, str]:
        answer = await service.http.post("/api/v1/images/generate", content=content)
        assert answer.status_code == 400
        return {each["path"]: each["message"] for each in answer.json()["error"]["details"]}

    assert await told(b'{"prompt": "x", "colour": 1}') == {"colour": "unknown field"}
    assert await told(b"{}") == {"prompt": "is needed"}
    assert await told(b"[]") == {"(body)": "must be an object"}
    assert "is not valid JSON" in (await told(b"{"))["(body)"]
