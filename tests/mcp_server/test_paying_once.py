"""Whatever happens to a call, its picture is kept, and asking for it again is not paid for twice."""

import asyncio
import os
import random
import re
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from tests.mcp_server.rawcalls import answer, call, cancelled, post
from tests.mcp_server.results import text_of
from tests.service import Service, until_answer

from limner.credits import ledger
from limner.db.base import Transaction
from limner.db.types import now
from limner.http.connections import WatchedHttp
from limner.images.recovery import Recovery
from limner.mcp_server.cancelling import CallName

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


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("era", ERAS)
async def test_five_hundred_calls_at_once_with_one_key_are_one_order(any_service: Service, era: str) -> None:
    lake = call("generate_image", {"prompt": "a lake", "idempotencyKey": "one", "inline": "none"}, era=era)
    told = [facts(each) for each in await asyncio.gather(*(post(any_service, lake) for _ in range(500)))]
    assert {each["id"] for each in told} == {told[0]["id"]}
    assert [each["replayed"] for each in told].count(False) == 1
    assert len(any_service.stage.seen) == 1
    assert await any_service.transaction_types() == ["grant", "charge"]


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


async def test_a_cancel_that_crosses_its_answer_leaves_the_picture_to_be_adopted(service: Service) -> None:
    lake = call("generate_image", {"prompt": "a lake"}, id_=7)
    first = facts(await post(service, lake))
    await post(service, cancelled(7))
    again = facts(await post(service, lake))
    assert (again["id"], again["replayed"]) == (first["id"], True)
    assert (await service.balance()).available == 99


async def test_a_cancel_that_reaches_another_process_is_heard_in_this_one(service: Service) -> None:
    service.stage.holding = True
    lake = call("generate_image", {"prompt": "a lake"}, id_=7)
    asking = asyncio.create_task(post(service, lake))
    await service.stage.arrival()
    await _cancel_elsewhere(service, lake, 7)
    again = asyncio.create_task(post(service, {**lake, "content": lake["content"].replace(b'"id":7', b'"id":8')}))
    service.stage.let_go()
    first, second = facts(await asking), facts(await again)
    assert (second["id"], second["replayed"]) == (first["id"], True)
    assert len(service.stage.seen) == 1


async def _cancel_elsewhere(service: Service, what: dict[str, Any], request_id: int) -> None:
    """What another process does with the notification: it knows the wait by its name alone."""
    session = service.http.headers["user-agent"]
    row = await service.services.database.read(lambda tx: tx.first("SELECT caller_id FROM calls"))
    assert row is not None
    await service.services.images.give_up(row["caller_id"], CallName("", session, request_id).digest)


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_takes_its_picture_and_closes_gets_a_new_one_next_time(service: Service, era: str) -> None:
    lake = call("generate_image", {"prompt": "a lake"}, era=era)
    ids: list[str] = []
    for _ in range(3):
        async with service.client(service.key) as once:
            response = await once.post("/api/mcp", content=lake["content"], headers=lake["headers"])
        assert facts(response)["replayed"] is False
        ids.append(facts(response)["id"])
    assert len(set(ids)) == 3


@pytest.mark.parametrize("mode", ["legacy", "auto"])
@pytest.mark.parametrize("hears_progress", [True, False])
async def test_the_official_client_gets_a_new_picture_each_time(
    service: Service, mode: str, hears_progress: bool
) -> None:
    async def hear(*_: Any) -> None: ...

    async with service.mcp(mode) as client:
        made = [
            await client.call_tool(
                "generate_image", {"prompt": "a lake"}, progress_callback=hear if hears_progress else None
            )
            for _ in range(3)
        ]
    assert [each.structured_content["replayed"] for each in made] == [False] * 3


@pytest.mark.parametrize("era", ERAS)
async def test_an_answer_written_after_its_caller_closed_is_not_delivered(
    service: Service, era: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's own news that the connection is lost comes later than the end of what the client sends."""
    closed, lost = asyncio.Event(), WatchedHttp.connection_lost
    withheld: list[tuple[WatchedHttp, Exception | None]] = []

    def withholding(protocol: WatchedHttp, problem: Exception | None) -> None:
        withheld.append((protocol, problem))
        closed.set()

    service.stage.holding = True
    lake = call("generate_image", {"prompt": "a lake"}, era=era)
    with monkeypatch.context() as patched:
        patched.setattr(WatchedHttp, "connection_lost", withholding)
        asking = asyncio.create_task(asyncio.to_thread(ask_until, service, lake, 0.3))
        await service.stage.arrival()
        assert await asking is None
        await closed.wait()
        service.stage.let_go()
        again = facts(await post(service, lake))
    for protocol, problem in withheld:
        lost(protocol, problem)
    assert again["replayed"] is True
    assert len(service.stage.seen) == 1


@pytest.mark.parametrize(("era", "hang_ups"), [(era, 12) for era in ERAS])
async def test_hang_ups_at_any_moment_lose_and_double_nothing(service: Service, era: str, hang_ups: int) -> None:
    await hang_up_at_any_moment(service, era, hang_ups)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("era", ERAS)
async def test_two_hundred_hang_ups_lose_and_double_nothing(any_service: Service, era: str) -> None:
    await hang_up_at_any_moment(any_service, era, int(os.environ.get("LIMNER_TEST_HANG_UPS", "60")))


async def hang_up_at_any_moment(service: Service, era: str, hang_ups: int, *, through_proxy: bool = False) -> None:
    """Ask, leave at some moment, ask again: one charge each. Moments are spread over what a call takes here and now.

    A proxy takes an answer whose caller has just left, and nobody tells the server: such a call counts as delivered.
    """
    await service.services.database.write(
        lambda tx: ledger.add(tx, service.account_id, hang_ups, "grant", ledger.Entry("For every hang-up"), now())
    )
    chance = random.Random(era)
    began = time.perf_counter()
    await post(service, call("generate_image", {"prompt": "how long", "inline": "full"}, era=era))
    longest = 1.2 * (time.perf_counter() - began)
    for turn in range(hang_ups):
        what = call("generate_image", {"prompt": f"lake {turn}", "inline": "full"}, era=era)
        taken = await asyncio.to_thread(ask_until, service, what, chance.uniform(0.001, longest))
        if taken is None:
            assert facts(await post(service, what))["status"] == "succeeded", f"turn {turn}"
    again = await service.services.database.read(repeated)
    assert through_proxy or again == []
    assert [repeat for repeat in again if not repeat["first_was_delivered"]] == []
    charged = (await service.transaction_types(2 * hang_ups + 10)).count("charge")
    assert charged == len(service.stage.seen) == hang_ups + 1 + len(again)
    assert await service.audit() == []


def repeated(tx: Transaction) -> list[dict[str, Any]]:
    """Calls that began although an identical one had begun before."""
    rows = tx.all(
        """SELECT again.id, first.delivered_at IS NOT NULL AND first.delivered_at <= again.created_at AS first_was_delivered
           FROM calls again JOIN calls first ON first.request_digest = again.request_digest AND first.id < again.id"""
    )
    return [{"id": row["id"], "first_was_delivered": bool(row["first_was_delivered"])} for row in rows]


def ask_until(service: Service, what: dict[str, Any], seconds: float) -> bytes | None:
    """The whole answer, or None after leaving. Whoever has read all of it keeps it."""
    url = urlsplit(service.url)
    assert url.hostname is not None
    assert url.port is not None
    until = time.monotonic() + seconds
    headers = {**what["headers"], "Host": url.netloc, "Authorization": f"Bearer {service.key}"}
    headers["Content-Length"] = str(len(what["content"]))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    read = b""
    with socket.create_connection((url.hostname, url.port)) as connection:
        connection.sendall(f"POST /api/mcp HTTP/1.1\r\n{head}\r\n".encode() + what["content"])
        while (left := until - time.monotonic()) > 0:
            connection.settimeout(left)
            try:
                read += connection.recv(65536)
            except TimeoutError:
                return None
            if _is_whole(read):
                return read
    return None


def _is_whole(read: bytes) -> bool:
    head, _, body = read.partition(b"\r\n\r\n")
    if (length := re.search(rb"content-length: (\d+)", head)) is not None:
        return len(body) == int(length[1])
    return body.endswith(b"\r\n0\r\n\r\n")
