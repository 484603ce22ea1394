"""kill -9 at each exact moment between asking and having: charged if and only if it can be fetched, nothing held."""

import asyncio
import multiprocessing
import os
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.faults.aimed import MOMENTS, serve
from tests.faults.test_kill import audit_is_clean, make_account, until_nothing_is_held
from tests.peers.openai import OpenAIPeer
from tests.service import SKETCH, free_port
from tests.subprocesses import ENVIRONMENT

KILLS = int(os.environ.get("LIMNER_TEST_AIMED_KILLS", "28"))
"""The full size is 200: LIMNER_TEST_AIMED_KILLS=200."""

AT_THE_SUPPLIER = "the order lies at the supplier"
BACKLOG_SECONDS = 600
"""What never had its turn is drawn at the end; that is work, and no hold that a crash left behind."""

OFTEN = (
    "hold written, not committed",
    "about to order",
    "supplier answered",
    "bytes stored",
    "capture written, not committed",
)
"""These come for each generation by itself; commits may be shared."""

PAID_MODEL = "openai:gpt-image-2"


@dataclass
class Siege:
    """A database that servers come and die over."""

    environ: dict[str, str]
    key: str
    peer: OpenAIPeer
    port: int = field(default_factory=free_port)
    delivered: list[str] = field(default_factory=list)
    """The pictures that callers were told they have."""

    async def round(self, number: int, moment: str, turn: int) -> None:
        """One server, four callers, one death."""
        last = moment == AT_THE_SUPPLIER
        self.peer.reset()
        self.peer.fail(*(["slow", "slow"] if last else ["", "refusal"]))
        process = await self.start(None if last else moment, turn, seed=number)
        try:
            await self._until_dead(number, moment, process)
        finally:
            process.kill()

    async def _until_dead(self, number: int, moment: str, process: ForkServerProcess) -> None:
        models = [SKETCH, PAID_MODEL, SKETCH, PAID_MODEL]
        calls = [asyncio.create_task(self.generate(model, f"{number}.{at}")) for at, model in enumerate(models)]
        if moment == AT_THE_SUPPLIER:
            await self.peer.asked()
            process.kill()
            self.peer.release()
        await asyncio.to_thread(process.join, 40)
        assert process.exitcode == -9, f"never came to: {moment}"
        await asyncio.gather(*calls)

    async def start(self, moment: str | None, turn: int = 1, seed: int = 0) -> ForkServerProcess:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.faults.aimed"])
        ready = context.Event()
        process = context.Process(target=serve, args=(self.environ, self.port, moment, turn, seed, ready))
        process.start()
        assert await asyncio.to_thread(ready.wait, 60), "the server did not start"
        return process

    async def generate(self, model: str, prompt: str) -> None:
        body = {"prompt": prompt, "modelId": model, "includeBytes": False}
        if model == SKETCH:
            body["quality"] = "draft"
        async with self.client() as http:
            with suppress(httpx2.TransportError):
                answer = await http.post("/api/v1/images/generate", json=body)
                if answer.status_code == 200:
                    self.delivered.append(answer.json()["image"]["id"])

    def client(self) -> httpx2.AsyncClient:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=30)

    async def images(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        async with self.client() as http:
            cursor: str | None = ""
            while cursor is not None:
                page = (await http.get("/api/v1/images", params={"limit": 100, "cursor": cursor})).json()
                found += page["images"]
                cursor = page["nextCursor"]
        return found

    async def charges(self) -> dict[str, int]:
        async with self.client() as http:
            csv = (await http.get("/api/v1/usage?format=csv")).text.splitlines()
        columns = csv[0].split(",")
        lines = [dict(zip(columns, line.split(","), strict=True)) for line in csv[1:]]
        return {line["referenceId"]: -int(line["amount"]) for line in lines if line["type"] == "charge"}


@pytest.mark.slow
@pytest.mark.timeout(max(600, KILLS * 20))
async def test_killed_at_every_moment_what_is_charged_can_be_fetched_and_nothing_else_is(
    tmp_path: Path, database_url: str
) -> None:
    account_id, key = await make_account(database_url)
    dice = random.Random(20261126 + KILLS)
    with OpenAIPeer() as peer:
        environ = ENVIRONMENT | {
            "LIMNER_DATA_DIR": str(tmp_path),
            "LIMNER_DATABASE_URL": database_url,
            "LIMNER_RATE_LIMIT": "0",
            "LIMNER_OPENAI_API_KEY": "sk-peer",
            "LIMNER_OPENAI_BASE_URL": peer.base_url,
        }
        siege = Siege(environ, key, peer)
        orders: Counter[str] = Counter()
        moments = (*MOMENTS, AT_THE_SUPPLIER)
        for number in range(KILLS):
            moment = moments[number % len(moments)]
            turn = dice.randint(1, 3) if moment in OFTEN else 1
            await siege.round(number, moment, turn)
            orders.update(order.body["prompt"] for order in peer.orders)
        peer.reset()
        process = await siege.start(None)
        try:
            await until_nothing_is_held(database_url, account_id, seconds=BACKLOG_SECONDS)
            await all_is_as_it_should_be(siege)
            orders.update(order.body["prompt"] for order in peer.orders)
        finally:
            process.kill()
            await asyncio.to_thread(process.join, 40)
    assert max(orders.values()) == 1, "a supplier was paid twice"
    await audit_is_clean(tmp_path, database_url)


async def all_is_as_it_should_be(siege: Siege) -> None:
    images, charges = await siege.images(), await siege.charges()
    succeeded = {image["id"]: image for image in images if image["status"] == "succeeded"}
    assert succeeded, "nothing succeeded at all: the test shows nothing"
    assert {image["status"] for image in images} <= {"succeeded", "failed"}
    assert charges == {id_: image["credits"]["charged"] for id_, image in succeeded.items()}
    assert set(siege.delivered) <= set(succeeded)
    async with httpx2.AsyncClient(timeout=30) as anybody:
        for image in succeeded.values():
            answer = await anybody.get(image["imageUrl"])
            assert (answer.status_code, len(answer.content)) == (200, image["sizeBytes"])
    print(f"{len(images)} generations, {len(succeeded)} succeeded, {len(siege.delivered)} delivered before a death")
