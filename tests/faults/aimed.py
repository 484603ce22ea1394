"""A server that is killed with SIGKILL at one exact moment of a generation's life.

The moments are hung on from outside, in the process that dies: on the ledger's functions, the commits of either
database, the suppliers and the blob store. Nothing of the service knows of it.
"""

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.synchronize import Event
from typing import Any

from tests.service import listening

from limner import logs
from limner.app import running
from limner.blobs.disk import DiskBlobs
from limner.config import Config
from limner.credits import ledger
from limner.db.postgres_transaction import PostgresTransaction
from limner.db.sqlite_writer import SqliteWriter
from limner.providers.registry import Providers

MOMENTS = (
    "hold written, not committed",
    "hold at its commit",
    "hold committed",
    "about to order",
    "supplier answered",
    "while the bytes are stored",
    "bytes stored",
    "capture written, not committed",
    "capture at its commit",
    "capture committed",
    "release written, not committed",
    "release at its commit",
    "release committed",
)
"""Where the process kills itself; while the order lies at the supplier, the supplier's peer does it."""

AROUND_SECONDS = 0.004
"""A commit or a small file takes about this long: the blow falls before, in the middle of it, or after."""


class Aim:
    """Counts how often its moment comes, and strikes at the `turn`-th."""

    def __init__(self, moment: str | None, turn: int, seed: int) -> None:
        self._moment = moment
        self._left = turn
        self._dice = random.Random(seed)
        self._lock = threading.Lock()

    def reached(self, moment: str) -> None:
        if self._is_now(moment):
            os.kill(os.getpid(), signal.SIGKILL)

    def begins(self, moment: str) -> None:
        """Strikes while what begins now goes on."""
        if self._is_now(moment):
            threading.Thread(target=self._soon, daemon=True).start()

    def _is_now(self, moment: str) -> bool:
        with self._lock:
            self._left -= moment == self._moment
            return moment == self._moment and self._left == 0

    def _soon(self) -> None:
        time.sleep(self._dice.uniform(0, AROUND_SECONDS))  # the moment is what is being tried, and no one tells it
        os.kill(os.getpid(), signal.SIGKILL)


def serve(environ: Mapping[str, str], port: int, moment: str | None, turn: int, seed: int, ready: Event) -> None:
    """The whole server in this process, until its moment comes."""
    aim = Aim(moment, turn, seed)
    _watch_ledger(aim)
    _watch_blobs(aim)
    logs.set_up("error", "text")
    asyncio.run(_serve(environ, port, aim, ready))


async def _serve(environ: Mapping[str, str], port: int, aim: Aim, ready: Event) -> None:
    config = Config.from_env(environ, port=port)
    async with (
        running(config, providers=lambda settings: _watched(Providers(settings), aim)) as server,
        listening(server.app, port),
    ):
        ready.set()
        await asyncio.Event().wait()


def _watch_ledger(aim: Aim) -> None:
    """What a transaction did to the ledger, and when it commits."""
    did = _Done()

    def watched(name: str) -> None:
        original: Callable[..., Any] = getattr(ledger, name)

        def call(tx: Any, *arguments: Any, **named: Any) -> Any:
            result = original(tx, *arguments, **named)
            did.note(tx, name)
            aim.reached(f"{name} written, not committed")
            return result

        setattr(ledger, name, call)

    for name in ("hold", "capture", "release"):
        watched(name)

    def committing(names: set[str], commit: Callable[[], Any]) -> Any:
        for name in names:
            aim.begins(f"{name} at its commit")
        result = commit()
        for name in names:
            aim.reached(f"{name} committed")
        return result

    _watch_sqlite(lambda commit: committing(did.by_all(), commit))
    _watch_postgres(lambda tx, commit: committing(did.by(tx), commit))


class _Done:
    """By transaction: on SQLite one commit is that of all who waited together, on PostgreSQL of one."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[Any, set[str]]] = {}  # with the transaction, so that its number is no other's

    def note(self, tx: Any, name: str) -> None:
        self._names.setdefault(id(tx), (tx, set()))[1].add(name)

    def by(self, tx: Any) -> set[str]:
        return self._names.pop(id(tx), (tx, set()))[1]

    def by_all(self) -> set[str]:
        every = [names for _, names in self._names.values()]
        self._names.clear()
        return set().union(*every)


def _watch_sqlite(committing: Callable[[Callable[[], Any]], Any]) -> None:
    class Watched:
        """The writer's connection."""

        def __init__(self, connection: Any) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

        def execute(self, sql: str, *arguments: Any) -> Any:
            if sql == "COMMIT":
                return committing(lambda: self._connection.execute(sql))
            return self._connection.execute(sql, *arguments)

    begin = SqliteWriter.__init__
    SqliteWriter.__init__ = lambda self, connection, **named: begin(self, Watched(connection), **named)  # type: ignore[method-assign, arg-type]


def _watch_postgres(committing: Callable[[Any, Callable[[], Any]], Any]) -> None:
    commit = PostgresTransaction.commit
    PostgresTransaction.commit = lambda tx: committing(tx, lambda: commit(tx))  # type: ignore[method-assign]


def _watch_blobs(aim: Aim) -> None:
    put = DiskBlobs.put

    async def call(self: DiskBlobs, key: str, data: bytes, media_type: str) -> None:
        aim.begins("while the bytes are stored")
        await put(self, key, data, media_type)
        aim.reached("bytes stored")

    DiskBlobs.put = call  # type: ignore[method-assign]


def _watched(providers: Providers, aim: Aim) -> Providers:
    for provider in providers._providers.values():
        _watch_provider(provider, aim)
    return providers


def _watch_provider(provider: Any, aim: Aim) -> None:
    generate = provider.generate

    async def call(*arguments: Any, **named: Any) -> Any:
        aim.reached("about to order")
        image = await generate(*arguments, **named)
        aim.reached("supplier answered")
        return image

    provider.generate = call
