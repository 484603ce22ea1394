"""Servers and workers as processes on PostgreSQL and S3: killed at random, told to end in the middle of long calls.

LIMNER_TEST_GENERATIONS sets how many generations the first test asks for (2000 for the full proof).
"""

import asyncio
import itertools
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response
from tests.faults.fleet import Fleet, Member, fleet
from tests.peers.bfl import BFLPeer
from tests.peers.openai import OpenAIPeer
from tests.peers.peer import json

from limner.accounts import accounts, keys
from limner.accounts.keys import NewKey
from limner.blobs.open import open_blobs
from limner.credits import ledger
from limner.db.base import Database, Transaction
from limner.db.engine import open_database
from limner.db.types import now
from limner.images import audit

GENERATIONS = int(os.environ.get("LIMNER_TEST_GENERATIONS", "60"))
ACCOUNTS = 20
KILLS = max(8, GENERATIONS // 10)
MODELS = ("limner:sketch", "openai:gpt-image-2")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600 + GENERATIONS)]


class PendingBFL(BFLPeer):
    """Takes orders and is at work on them until it may be done."""

    may_be_done = False

    async def result(self, request: Request) -> Response:
        if not self.may_be_done:
            return json({"id": request.query_params["id"], "status": "Pending", "result": None, "progress": 0.1})
        return await super().result(request)


class SlowPeer(OpenAIPeer):
    """Draws for a while, as real suppliers do."""

    seconds = 0.3

    async def common_fault(self, fault: str) -> None:
        await asyncio.sleep(self.seconds)  # long enough to be killed in the middle of


@pytest.fixture
async def database(postgresql_url: str) -> AsyncIterator[Database]:
    database = await open_database(postgresql_url)
    yield database
    await database.close()


@pytest.fixture
def environ(postgresql_url: str, s3_env: dict[str, str]) -> dict[str, str]:
    return {"LIMNER_DATABASE_URL": postgresql_url} | s3_env


async def test_two_servers_and_two_workers_killed_at_random_lose_and_overcharge_nothing(
    tmp_path: Path, environ: dict[str, str], database: Database
) -> None:
    callers = [await make_account(database, f"user{number}@example.org") for number in range(ACCOUNTS)]
    began, killed = time.monotonic(), list[str]()
    with SlowPeer() as peer:
        environ |= {"LIMNER_OPENAI_BASE_URL": peer.base_url, "LIMNER_OPENAI_API_KEY": "sk-peer"}
        async with fleet(environ, servers=2, workers=2, data_dir=f"{tmp_path}") as members:
            killing = asyncio.create_task(kill_at_random(members, random.Random(20261126), killed))
            await asyncio.gather(*(ask(members, key, number) for number, key in enumerate(callers)))
            await until_all_ended(database, 400 + GENERATIONS)
            killing.cancel()
            await asyncio.wait([killing])
            await until_nothing_is_held(database)
    statuses = await database.read(lambda tx: [row["status"] for row in tx.all("SELECT status FROM generations")])
    waits = await database.read(longest_waits)
    outcomes = Counter(statuses)
    print(f"{dict(outcomes)}, {len(killed)} kills in {time.monotonic() - began:.0f} s, {len(peer.orders)} orders")
    print(f"longest wait of an account: {min(waits):.1f} to {max(waits):.1f} s")
    assert outcomes.total() == GENERATIONS // ACCOUNTS * ACCOUNTS
    assert set(outcomes) <= {"succeeded", "failed"}
    assert outcomes["succeeded"] > outcomes.total() / 2
    assert killed, "nobody was killed: the test shows nothing"
    assert len({order.body["prompt"] for order in peer.orders}) == len(peer.orders), "something was ordered twice"
    await audit_is_clean(database, environ)


async def test_a_server_that_is_told_to_end_in_the_middle_of_fifty_long_calls_loses_none(
    tmp_path: Path, environ: dict[str, str], database: Database
) -> None:
    """Sixteen are at the supplier, who cannot be asked again; the others wait. All succeed, each ordered once."""
    key = await make_account(database, "owner@example.org")
    with SlowPeer() as peer:
        peer.seconds = 6
        environ |= {"LIMNER_OPENAI_BASE_URL": peer.base_url, "LIMNER_OPENAI_API_KEY": "sk-peer"}
        async with fleet(environ, servers=2, workers=0, data_dir=f"{tmp_path}") as members:
            leaving, staying = members.servers
            calls = [asyncio.create_task(generate(leaving, key, f"long {number}", wait=60)) for number in range(50)]
            await until_running(database, 16)
            told = time.monotonic()
            ending = asyncio.create_task(leaving.end(patience_seconds=150))
            unready_seconds = await until_not_ready(leaving) - told
            answers = await asyncio.gather(*calls)
            assert await ending == 0
            print(f"not ready after {unready_seconds:.2f} s, ended after {time.monotonic() - told:.1f} s")
            await until_all_ended(database, 120)
            await until_nothing_is_held(database)
            said = Counter(answer["image"]["status"] for answer in answers if answer is not None)
            print(f"answered while ending: {dict(said)}, cut off: {answers.count(None)}")
            for answer in answers:
                assert answer is not None
                again = await get(staying, key, answer["image"]["id"])
                assert again["status"] == "succeeded"
    assert len(peer.orders) == 50
    await audit_is_clean(database, environ)


async def test_another_process_collects_by_its_handle_what_a_killed_one_ordered(
    tmp_path: Path, environ: dict[str, str], database: Database
) -> None:
    """A worker without that supplier stands by all the time, and leaves it alone."""
    key = await make_account(database, "owner@example.org")
    with PendingBFL() as peer:
        supplied = {"LIMNER_BFL_BASE_URL": peer.base_url, "LIMNER_BFL_API_KEY": "bfl-peer"}
        async with fleet(environ, servers=1, workers=1, data_dir=f"{tmp_path}", server_env=supplied) as members:
            (first,) = members.servers
            successor = Member(
                first.command, dict(first.environ) | {"LIMNER_DATA_DIR": f"{tmp_path}/successor"}, first.port
            )
            begun = await generate(first, key, "a lake", model="bfl:flux-2-pro", quality=None)
            assert begun is not None
            await until(database, "SELECT count(*) FROM generations WHERE provider_handle IS NOT NULL", 1, 60)
            await first.kill()
            members.servers.append(successor)
            await successor.start()
            await successor.until_ready()
            peer.may_be_done = True
            await until_all_ended(database, 120)
            await until_nothing_is_held(database)
            done = await get(successor, key, begun["image"]["id"])
    assert done["status"] == "succeeded"
    assert len(peer.orders) == 1
    await audit_is_clean(database, environ)


async def kill_at_random(members: Fleet, dice: random.Random, killed: list[str]) -> None:
    """Every few seconds one of those that have come up while another stands, so that a slow machine gets on with its work."""
    rising: dict[asyncio.Task[None], Member] = {}
    while len(killed) < KILLS:
        await asyncio.sleep(dice.uniform(2, 5))  # the moment of the kill is what is being tried
        rising = {task: member for task, member in rising.items() if not task.done()}
        standing = [member for member in members.members if member not in rising.values()]
        if len(standing) >= 2:
            victim = dice.choice(standing)
            await victim.kill()
            killed.append(victim.command[0])
            await victim.start()
            rising[asyncio.create_task(victim.until_ready())] = victim


async def ask(members: Fleet, key: str, number: int) -> None:
    """One account: each picture once, by the other server where one does not answer."""
    for count in range(GENERATIONS // ACCOUNTS):
        prompt = f"account {number}, picture {count}"
        for turn in itertools.count(number):
            if await generate(members.servers[turn % 2], key, prompt, model=MODELS[count % 2]) is not None:
                break
            await asyncio.sleep(0.2)  # a killed server comes back: there is no event to wait for


async def generate(
    server: Member,
    key: str,
    prompt: str,
    *,
    model: str = "openai:gpt-image-2",
    wait: int = 0,
    quality: str | None = "draft",
) -> dict[str, object] | None:
    """None where the server was not there or went away; the key makes it safe to ask again."""
    body = {"prompt": prompt, "quality": quality, "modelId": model, "includeBytes": False, "waitSeconds": wait}
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": prompt}
    async with httpx2.AsyncClient(base_url=server.url, headers=headers, timeout=90) as http:
        with suppress(httpx2.TransportError):
            answer = await http.post("/api/v1/images/generate", json=body)
            if answer.status_code in (200, 202):
                return answer.json()
            assert answer.status_code in (500, 503), answer.text
    return None


async def get(server: Member, key: str, image_id: object) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(base_url=server.url, headers=headers, timeout=60) as http:
        return (await http.get(f"/api/v1/images/{image_id}?format=metadata")).json()["image"]


async def until_not_ready(server: Member) -> float:
    async with httpx2.AsyncClient(base_url=server.url) as http, asyncio.timeout(10):
        while (await http.get("/readyz")).status_code == 200:  # noqa: ASYNC110 — another process is told
            await asyncio.sleep(0.02)
    return time.monotonic()


async def until_running(database: Database, count: int) -> None:
    await until(database, "SELECT count(*) FROM generations WHERE status = 'running'", count, 60)


async def until_all_ended(database: Database, patience_seconds: float) -> None:
    unended = "SELECT count(*) FROM generations WHERE status IN ('queued', 'running')"
    await until(database, unended, 0, patience_seconds)


async def until_nothing_is_held(database: Database) -> None:
    """Within the minute the contract gives."""
    await until(database, "SELECT sum(held) FROM balances", 0, 60)


async def until(database: Database, question: str, answer: int, patience_seconds: float) -> None:
    async with asyncio.timeout(patience_seconds):
        while await database.read(lambda tx: tx.scalar(question)) != answer:  # noqa: ASYNC110 — others write
            await asyncio.sleep(0.1)


def longest_waits(tx: Transaction) -> list[float]:
    rows = tx.all("SELECT max(completed_at - created_at) AS wait FROM generations GROUP BY account_id")
    return [row["wait"] / 1000 for row in rows]


async def audit_is_clean(database: Database, environ: dict[str, str]) -> None:
    blobs = open_blobs(environ["LIMNER_BLOBS_URL"], endpoint=environ["LIMNER_BLOBS_ENDPOINT"])
    try:
        counts, problems = await audit.run(database, blobs)
    finally:
        await blobs.close()
    assert problems == []
    assert counts.open_holds == 0


async def make_account(database: Database, email: str) -> str:
    def make(tx: Transaction) -> str:
        account_id, _ = accounts.create(tx, email, now(), verified=True)
        ledger.add(tx, account_id, 100_000, "grant", ledger.Entry("Opening balance"), now())
        return keys.create(tx, account_id, NewKey(), now())[1]

    return await database.write(make)
