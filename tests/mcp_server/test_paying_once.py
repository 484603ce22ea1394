"""Whatever happens to a call, its picture is kept, and asking for it again is not paid for twice."""

import asyncio
import random
from typing import Any

import httpx2
import pytest
from tests.mcp_server.rawcalls import answer, call, cancelled, post
from tests.mcp_server.results import text_of
from tests.service import Service, until_answer

from limner.images.recovery import Recovery

ERAS = ["legacy", "modern"]


async def hang_up(service: Service, what: dict[str, Any], **options: Any) -> None:
    """Call, and go away once the supplier is at work."""
    service.stage.holding = True
    asking = asyncio.create_task(post(service, what, **options))
    await service.stage.arrival()
    asking.cancel()
    await asyncio.wait([asking])


def facts(response: httpx2.Response) -> dict[str, Any]:
    return answer(response)["result"]["structuredContent"]


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_repeated_after_a_hang_up_adopts_its_picture(any_service: Service, era: str) -> None:
    lake = call("generate_image", {"prompt": "a lake"}, era=era)
    await hang_up(any_service, lake)
    any_service.stage.let_go()
    again = facts(await post(any_service, lake))
    third = facts(await post(any_service, lake))
    assert (again["replayed"], again["credits"]) == (True, {"charged": 1, "remaining": 99})
    assert (third["replayed"], third["id"] != again["id"]) == (False, True)
    assert len(any_service.stage.seen) == 2


async def test_a_cancel_by_a_request_of_its_own_ends_the_waiting_only(service: Service) -> None:
    service.stage.holding = True
    lake = call("generate_image", {"prompt": "a lake"}, id_=7)
    asking = asyncio.create_task(post(service, lake))
    await service.stage.arrival()
    await until_answer(lambda: _cancelled_in_vain(service, asking, 8))
    assert (await post(service, cancelled(7))).status_code == 202
    ended = facts(await asking)
    assert ended["status"] == "running"
    service.stage.let_go()
    again = facts(await post(service, lake))
    assert (again["id"], again["replayed"], again["status"]) == (ended["id"], True, "succeeded")
    assert (await service.balance()).available == 99


async def _cancelled_in_vain(service: Service, asking: "asyncio.Task[Any]", other_id: int) -> bool:
    """A cancel of another call changes nothing."""
    return (await post(service, cancelled(other_id))).status_code == 202 and not asking.done()


async def test_the_official_client_that_times_out_gets_its_picture_by_asking_again(service: Service) -> None:
    service.stage.holding = True
    async with service.mcp("legacy") as client:
        with pytest.raises(Exception, match=r"[Tt]imed out"):
            await client.call_tool("generate_image", {"prompt": "slow"}, read_timeout_seconds=0.3)
        service.stage.let_go()
        again = await client.call_tool("generate_image", {"prompt": "slow"})
    assert again.structured_content["replayed"] is True
    assert len(service.stage.seen) == 1


@pytest.mark.parametrize("era", ERAS)
async def test_a_wait_that_ends_first_says_how_to_go_on(service: Service, era: str) -> None:
    service.stage.holding = True
    mode = "legacy" if era == "legacy" else "auto"
    async with service.mcp(mode) as client:
        await client.list_tools()
        running = await client.call_tool("generate_image", {"prompt": "slow", "waitSeconds": 1})
        service.stage.let_go()
        again = await client.call_tool("generate_image", {"prompt": "slow", "waitSeconds": 20})
    told = running.structured_content
    assert (told["status"], told["retryAfterSeconds"] > 0, running.is_error) == ("running", True, False)
    for said in (told["id"], "get_image", "does not pay twice"):
        assert said in text_of(running)
    assert (again.structured_content["id"], again.structured_content["replayed"]) == (told["id"], True)


async def test_one_call_adopts_at_a_time(service: Service) -> None:
    lake = call("generate_image", {"prompt": "a lake"})
    await hang_up(service, lake)
    repeats = [asyncio.create_task(post(service, lake)) for _ in range(3)]
    await until_answer(lambda: _are_begun(service, 3))
    service.stage.let_go()
    outcomes = [facts(each) for each in await asyncio.gather(*repeats)]
    assert sorted(each["replayed"] for each in outcomes) == [False, False, True]
    assert len({each["id"] for each in outcomes}) == 3


async def _are_begun(service: Service, calls: int) -> bool:
    count = await service.services.database.read(lambda tx: tx.scalar("SELECT count(*) FROM calls"))
    return count == calls and await _is_waited_for_again(service)


async def _is_waited_for_again(service: Service) -> bool:
    left = "SELECT count(*) FROM calls WHERE broke_off_at IS NOT NULL"
    return await service.services.database.read(lambda tx: tx.scalar(left)) == 0


async def test_an_adopter_that_leaves_too_passes_it_on(service: Service) -> None:
    lake = call("generate_image", {"prompt": "a lake"})
    await hang_up(service, lake)
    adopting = asyncio.create_task(post(service, lake))
    await until_answer(lambda: _is_waited_for_again(service))
    adopting.cancel()
    await asyncio.wait([adopting])
    service.stage.let_go()
    assert facts(await post(service, lake))["replayed"] is True
    assert len(service.stage.seen) == 1


@pytest.mark.parametrize("door", ["get_image", "rest"])
async def test_what_was_delivered_by_any_door_is_not_adopted(service: Service, door: str) -> None:
    lake = call("generate_image", {"prompt": "a lake"})
    await hang_up(service, lake)
    service.stage.let_go()
    (image,) = (await service.http.get("/api/v1/images")).json()["images"]
    if door == "rest":
        await service.http.get(f"/api/v1/images/{image['id']}?wait=20")
    else:
        await post(service, call("get_image", {"id": image["id"], "waitSeconds": 20}))
    assert facts(await post(service, lake))["replayed"] is False


async def test_a_call_that_never_meant_to_wait_is_not_adopted(service: Service) -> None:
    service.stage.holding = True
    at_once = call("generate_image", {"prompt": "a lake", "waitSeconds": 0})
    first, second = facts(await post(service, at_once)), facts(await post(service, at_once))
    service.stage.let_go()
    third = facts(await post(service, call("generate_image", {"prompt": "a lake"})))
    assert len({first["id"], second["id"], third["id"]}) == 3
    assert not any(each["replayed"] for each in (first, second, third))


async def test_waits_of_a_process_that_died_are_adopted(service: Service) -> None:
    lake = call("generate_image", {"prompt": "a lake"})
    await hang_up(service, lake)
    service.stage.let_go()
    await service.services.database.write(
        lambda tx: tx.execute("UPDATE calls SET waiter = 'dead', broke_off_at = NULL")
    )
    await Recovery(service.services.parts, service.services.queue, service.services.providers.seats).sweep()
    assert facts(await post(service, lake))["replayed"] is True


@pytest.mark.parametrize(("era", "hang_ups"), [(era, 12) for era in ERAS])
async def test_hang_ups_at_any_moment_lose_and_double_nothing(service: Service, era: str, hang_ups: int) -> None:
    await hang_up_at_any_moment(service, era, hang_ups)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("era", ERAS)
async def test_two_hundred_hang_ups_lose_and_double_nothing(any_service: Service, era: str) -> None:
    await hang_up_at_any_moment(any_service, era, 90)


async def hang_up_at_any_moment(service: Service, era: str, hang_ups: int) -> None:
    """Ask, leave at some moment, ask again: one charge each, unless the first answer had left in full by then."""
    chance = random.Random(era)
    for turn in range(hang_ups):
        what = call("generate_image", {"prompt": f"lake {turn}", "inline": "full"}, era=era)
        try:
            await post(service, what, timeout=chance.uniform(0.001, 0.25))
        except httpx2.TimeoutException:
            assert facts(await post(service, what))["status"] == "succeeded", f"turn {turn}"
    too_late = await _repeats_of_answers_that_had_left(service)
    assert (await service.transaction_types()).count("charge") == len(service.stage.seen) == hang_ups + too_late
    assert too_late <= hang_ups // 10 + 1
    assert await service.audit() == []


async def _repeats_of_answers_that_had_left(service: Service) -> int:
    """What nobody can tell apart: the answer is in the caller's socket, and the caller leaves without reading it."""
    sql = """SELECT count(*) FROM calls later WHERE EXISTS (
                 SELECT 1 FROM calls first WHERE first.request_digest = later.request_digest
                 AND first.id < later.id AND first.delivered_at IS NOT NULL)"""
    return await service.services.database.read(lambda tx: tx.scalar(sql))
