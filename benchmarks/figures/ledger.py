"""3. Hold and capture, each durable by itself: our database beside the plain loop (SQLite) and pgbench (PostgreSQL)."""

import asyncio
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from benchmarks.measure import Row
from benchmarks.postgres import PGBENCH, postgresql
from benchmarks.sizes import Size
from limner.accounts import accounts
from limner.credits import ledger
from limner.db.base import Database, Transaction
from limner.db.engine import open_database
from limner.db.migrate import migrate
from limner.db.sqlite_connection import SqliteTransaction, connect_writer
from limner.db.types import new_id, now
from limner.db.url import sqlite_url

TITLE = "Hold and capture credits"
AT_ONCE = 64
CLIENTS = 8

Step = Callable[[Transaction], object]


def measure(size: Size) -> list[Row]:
    return [*_on_sqlite(size), *_on_postgresql(size)]


def _on_sqlite(size: Size) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="limner-bench-") as directory:
        path = Path(directory) / "limner.db"
        migrate(sqlite_url(path))
        ours, loop = [], []
        account_ids = asyncio.run(_with_database(sqlite_url(path), lambda database: _accounts(database, size)))
        for _ in range(size.rounds):
            loop.append(_plain_loop(path, account_ids, size.ledger_steps // 4))
            ours.append(_steps(sqlite_url(path), account_ids, size.ledger_steps))
    return [
        Row("SQLite, many accounts", median(ours), "steps/s", median(loop), "one transaction per step", 2.0, "least")
    ]


def _on_postgresql(size: Size) -> list[Row]:
    rows: list[Row] = []
    with postgresql() as url:
        account_ids = asyncio.run(_with_database(url, lambda database: _accounts(database, size)))
        for name, chosen, target in (("many accounts", account_ids, 0.4), ("one hot account", account_ids[:1], 0.7)):
            ours, pgbench = [], []
            for _ in range(size.rounds):
                pgbench.append(_pgbench(url, chosen, seconds=max(1, size.ledger_steps // 10_000)))
                ours.append(_steps(url, chosen, size.ledger_steps // 4))
            rows.append(
                Row(f"PostgreSQL, {name}", median(ours), "steps/s", median(pgbench), "pgbench", target, "least")
            )
    return rows


def _steps(url: str, account_ids: list[str], count: int) -> float:
    """Steps per second through our database, many callers at once, each waiting for its own commit.

    As pgbench tells them: without the time it takes to connect.
    """

    async def after_a_start(database: Database) -> float:
        await _timed(database, account_ids, 4 * AT_ONCE)
        return await _timed(database, account_ids, count)

    return uvloop.run(_with_database(url, after_a_start))


async def _timed(database: Database, account_ids: list[str], count: int) -> float:
    pairs = iter([account_ids[n % len(account_ids)] for n in range(count // 2)])

    async def caller() -> None:
        for account_id in pairs:
            for step in _hold_and_capture(account_id):
                await database.write(step)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return count // 2 * 2 / (time.perf_counter() - began)


def _plain_loop(path: Path, account_ids: list[str], count: int) -> float:
    """The same statements, one durable transaction each, with nothing shared."""
    connection = connect_writer(path, busy_seconds=10)
    began = time.perf_counter()
    for n in range(count // 2):
        for step in _hold_and_capture(account_ids[n % len(account_ids)]):
            connection.execute("BEGIN IMMEDIATE")
            step(SqliteTransaction(connection))
            connection.execute("COMMIT")
    seconds = time.perf_counter() - began
    connection.close()
    return count // 2 * 2 / seconds


def _hold_and_capture(account_id: str) -> tuple[Step, Step]:
    generation_id = new_id()

    def hold(tx: Transaction) -> None:
        ledger.hold(tx, account_id, 1, generation_ids=[generation_id], cap_owner_ids=[], now=now())

    def capture(tx: Transaction) -> None:
        assert ledger.capture(tx, generation_id, ledger.Entry("Image", reference_id=generation_id), now()) == 1

    return hold, capture


PGBENCH_STEP = """\\set n random(1, :accounts)
WITH taken AS (UPDATE balances SET held = held + 1 WHERE account_id = (SELECT id FROM bench_accounts WHERE n = :n)
               AND ledger_balance - held >= 1 RETURNING account_id)
INSERT INTO holds (generation_id, account_id, credits, state, opened_at)
SELECT gen_random_uuid()::text, account_id, 1, 'open', 0 FROM taken;
"""


def _pgbench(url: str, account_ids: list[str], seconds: int) -> float:
    """The least a hold can be: one statement, one round trip, one commit."""
    asyncio.run(_with_database(url, lambda database: database.write(lambda tx: _note_accounts(tx, account_ids))))
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(PGBENCH_STEP)
        script.flush()
        command = [PGBENCH, "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(seconds)]
        command += ["-D", f"accounts={len(account_ids)}", "-f", script.name, url]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([0-9.]+)", told)
    assert found is not None, told
    return float(found[1])


def _note_accounts(tx: Transaction, account_ids: list[str]) -> None:
    tx.execute("DROP TABLE IF EXISTS bench_accounts")
    tx.execute("CREATE TABLE bench_accounts (n integer PRIMARY KEY, id text NOT NULL)")
    for n, account_id in enumerate(account_ids, 1):
        tx.execute("INSERT INTO bench_accounts VALUES (:n, :id)", n=n, id=account_id)


async def _accounts(database: Database, size: Size) -> list[str]:
    def make(tx: Transaction) -> list[str]:
        made = [accounts.create(tx, f"a{n}@example.org", now(), verified=True)[0] for n in range(size.ledger_accounts)]
        for account_id in made:
            ledger.add(tx, account_id, 10**9, "grant", ledger.Entry("Opening balance"), now())
        return made

    return await database.write(make)


async def _with_database(url: str, work: Callable[[Database], Coroutine[Any, Any, Any]]) -> Any:
    database = await open_database(url, connections=CLIENTS)
    try:
        return await work(database)
    finally:
        await database.close()
