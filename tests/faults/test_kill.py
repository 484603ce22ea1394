"""kill -9 at random moments: after a restart the ledger is right, nothing is held, and what was charged can be fetched."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx2
import pytest
from tests.service import free_port
from tests.subprocesses import ENVIRONMENT

from limner.accounts import accounts, keys
from limner.accounts.keys import NewKey
from limner.blobs.open import open_blobs
from limner.credits import ledger
from limner.db.base import Transaction
from limner.db.engine import open_database
from limner.db.types import now
from limner.images import audit

AT_ONCE = 6


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kills", [50])
async def test_killed_at_random_moments_every_charge_has_its_picture(
    tmp_path: Path, database_url: str, kills: int
) -> None:
    environ = ENVIRONMENT | {
        "LIMNER_DATA_DIR": str(tmp_path),
        "LIMNER_DATABASE_URL": database_url,
        "LIMNER_RATE_LIMIT": "0",
        "LIMNER_LOG_LEVEL": "error",
    }
    account_id, key = await make_account(database_url)
    dice = random.Random(20261121)
    port = free_port()
    for round_ in range(kills):
        async with server(environ, port) as process:
            calls = [asyncio.create_task(generate(port, key, f"wave {round_}.{call}")) for call in range(AT_ONCE)]
            await asyncio.sleep(dice.uniform(0.0, 0.8))  # the moment of the kill is what is being tried
            process.kill()
            await asyncio.gather(*calls)
    async with server(environ, port):
        await until_nothing_is_held(database_url, account_id)
        await every_success_can_be_fetched(port, key)
    await audit_is_clean(tmp_path, database_url)


@asynccontextmanager
async def server(environ: dict[str, str], port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    command = [sys.executable, "-m", "limner", "serve", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(*command, env=environ)
    try:
        await ready(port, process)
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def ready(port: int, process: asyncio.subprocess.Process) -> None:
    async with httpx2.AsyncClient() as http, asyncio.timeout(60):
        while process.returncode is None:
            with suppress(httpx2.TransportError):
                if (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.02)  # another process starts: there is no event to wait for
    raise AssertionError("the server did not start")


async def generate(port: int, key: str, prompt: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as http:
        with suppress(httpx2.TransportError):
            await http.post(
                "/api/v1/images/generate", json={"prompt": prompt, "quality": "draft", "includeBytes": False, "n": 2}
            )


async def until_nothing_is_held(database_url: str, account_id: str, *, seconds: int = 60) -> None:
    database = await open_database(database_url)
    try:
        async with asyncio.timeout(seconds):
            while (await database.read(lambda tx: ledger.balance(tx, account_id))).held:  # noqa: ASYNC110 — another process writes
                await asyncio.sleep(0.1)
    finally:
        await database.close()


async def every_success_can_be_fetched(port: int, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as http:
        page = (await http.get("/api/v1/images?status=succeeded&limit=100")).json()
        assert page["images"], "nothing succeeded at all: the test shows nothing"
        for image in page["images"]:
            assert (await http.get(image["imageUrl"], headers={"Authorization": ""})).status_code == 200


async def audit_is_clean(data_dir: Path, database_url: str) -> None:
    database, blobs = await open_database(database_url), open_blobs(f"file://{data_dir / 'blobs'}")
    try:
        counts, problems = await audit.run(database, blobs)
        assert problems == []
        assert counts.open_holds == 0
        print(f"{counts.generations} generations, {counts.transactions} transactions")
    finally:
        await database.close()


async def make_account(database_url: str) -> tuple[str, str]:
    def make(tx: Transaction) -> tuple[str, str]:
        account_id, _ = accounts.create(tx, "owner@example.org", now(), verified=True)
        ledger.add(tx, account_id, 100_000, "grant", ledger.Entry("Opening balance"), now())
        return account_id, keys.create(tx, account_id, NewKey(), now())[1]

    database = await open_database(database_url)
    try:
        return await database.write(make)
    finally:
        await database.close()
