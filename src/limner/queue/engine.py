# pyright: basic
# The engine comes without type information.
"""One process's part in the fleet: a Chancy worker over PostgreSQL (docs/decisions/0009-queue-engine.md).

It hands out calls to free hands, says every few seconds that this process lives, and listens on the one
connection by which all processes hear of each other.
"""

import asyncio
import logging
import random
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from chancy import Chancy, Job, Queue, QueuedJob, Reference, Worker
from chancy.executors.base import Executor
from chancy.hub import Event as HubEvent
from chancy.plugins.pruner import Pruner
from chancy.plugins.recovery import Recovery
from psycopg import AsyncConnection, Error, sql
from psycopg.rows import dict_row
from psycopg_pool import PoolTimeout

from limner.queue.base import Fleet, Work

PREFIX = "queue_"
NEWS = "limner"
"""The name of our own news among the engine's."""

PROVIDER_TAG = "provider="
"""Said by a worker as soon as it is announced; what queues it serves it learns only after that."""

HEARTBEAT_SECONDS = 4
GONE_AFTER_SECONDS = 15
POLL_SECONDS = 5
"""How long a call waits at most where the news of it was lost."""

MOST_CALLS = 32
"""So many unanswered calls for one provider wake enough hands: each looks until nothing waits."""

KEPT_SECONDS = 3600
"""How long an answered call stays in the engine's table, for whoever wants to see what happened."""

KEEP_HOUSE_SECONDS = 10.0
START_SECONDS = 30
END_SECONDS = 5
CONNECTIONS = 4
SCHEMA_LOCK = 0x6C696D6E6573

log = logging.getLogger(__name__)


class Engine:
    """`hands` says how many calls for each provider this process answers at once; none where others do that."""

    def __init__(self, conninfo: str, process_id: str, hands: Mapping[str, int]) -> None:
        self._conninfo = conninfo
        self._hands = hands
        self._chancy = Chancy(
            conninfo, prefix=PREFIX, max_connection_pool_size=CONNECTIONS, log=log, no_default_plugins=True
        )
        tags = {f"{PROVIDER_TAG}{name}" for name in hands}
        self._worker = _Worker(
            self._chancy,
            worker_id=process_id,
            heartbeat_poll_interval=HEARTBEAT_SECONDS,
            heartbeat_timeout=GONE_AFTER_SECONDS,
            tags=tags,
            register_signal_handlers=False,
            backoff_max=5.0,
        )
        self._pruner = Pruner(Pruner.Rules.Age() > KEPT_SECONDS)
        self._keeping_house: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, conninfo: str, process_id: str, hands: Mapping[str, int]) -> "Engine":
        """OSError when the database does not answer."""
        log.setLevel(logging.ERROR)  # it tells of every call
        engine = cls(conninfo, process_id, hands)
        try:
            async with asyncio.timeout(START_SECONDS):
                await engine._make_tables()
                await engine._start()
        except (Error, PoolTimeout, TimeoutError) as problem:
            await engine.close()
            raise OSError(f"the queue in PostgreSQL cannot be opened: {problem}") from problem
        return engine

    def listen(self, heard: Callable[[Mapping[str, Any]], None]) -> None:
        """Tell `heard` whatever any process, this one included, sends from now on."""

        def hear(event: HubEvent) -> None:
            try:
                heard(event.body)
            except Exception:  # one message must not end the listening to all others
                log.exception("news that could not be understood")

        self._worker.hub.on(NEWS, hear)

    async def send(self, news: Sequence[Mapping[str, Any]]) -> None:
        """In one statement; OSError where the database does not answer."""
        try:
            async with (
                self._chancy.pool.connection(timeout=END_SECONDS) as connection,
                connection.cursor(row_factory=dict_row) as cursor,
            ):
                await self._chancy.notify_many(cursor, [(NEWS, dict(each)) for each in news])
        except (Error, PoolTimeout) as problem:
            raise OSError(f"{problem}") from problem

    async def call(self, provider_id: str, count: int) -> None:
        """OSError where the database does not answer."""
        try:
            async with (
                self._chancy.pool.connection(timeout=END_SECONDS) as connection,
                connection.cursor(row_factory=dict_row) as cursor,
            ):
                missing = min(count, MOST_CALLS - await self._unanswered(cursor, provider_id))
                if missing > 0:
                    await self._chancy.push_many_ex(cursor, [Job(func="work", queue=provider_id)] * missing)
        except (Error, PoolTimeout) as problem:
            raise OSError(f"{problem}") from problem

    def answer(self, work: Work) -> None:
        """Call `work` with the provider's id for every call this process gets, until `rest`."""
        self._worker.work = work
        for provider_id in self._hands:
            self._worker.queue_wake_events[provider_id].set()

    def rest(self) -> None:
        self._worker.work = None

    async def fleet(self) -> Fleet:
        """OSError where the database does not answer."""
        try:
            workers = await self._chancy.get_all_workers()
        except (Error, PoolTimeout) as problem:
            raise OSError(f"{problem}") from problem
        living = [each for each in workers if each["expires_at"] > datetime.now(tz=UTC)]
        return Fleet(
            processes=frozenset({self._worker.worker_id, *(each["worker_id"] for each in living)}),
            providers=frozenset({*self._hands, *(name for each in living for name in _providers(each["tags"]))}),
        )

    async def close(self) -> None:
        if self._keeping_house is not None:
            self._keeping_house.cancel()
        with suppress(Error, PoolTimeout):
            await self._worker.stop(timeout=END_SECONDS)
            await self._sign_off()
        await self._chancy.pool.close()

    async def _make_tables(self) -> None:
        """One process at a time, whichever starts first."""
        async with await AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
            await connection.execute("SELECT pg_advisory_lock(%s)", [SCHEMA_LOCK])
            if not await self._chancy.is_up_to_date():
                await self._chancy.migrate()

    async def _start(self) -> None:
        await self._chancy.declare(
            Queue("default", tags=set())
        )  # nobody's: the engine would have every worker serve it
        for provider_id, count in self._hands.items():
            await self._chancy.declare(_queue(provider_id, count), upsert=True)
        async with self._chancy.pool.connection() as connection:
            await self._worker.announce_worker(connection)
        await self._worker.start()
        self._keeping_house = asyncio.create_task(self._keep_house())

    async def _keep_house(self) -> None:
        """Calls of processes that died are made again, and old ones forgotten; every process does it, and it harms nobody."""
        while True:
            await asyncio.sleep(KEEP_HOUSE_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 — spreading, not secrecy
            with suppress(Error, PoolTimeout):
                async with (
                    self._chancy.pool.connection() as connection,
                    connection.cursor(row_factory=dict_row) as cursor,
                ):
                    await Recovery.recover(self._worker, self._chancy, cursor)
                    await self._pruner.prune(self._chancy, cursor)

    async def _unanswered(self, cursor: Any, provider_id: str) -> int:
        await cursor.execute(
            sql.SQL("SELECT count(*) AS count FROM {} WHERE queue = %s AND state IN ('pending', 'retrying')").format(
                sql.Identifier(f"{PREFIX}jobs")
            ),
            [provider_id],
        )
        return (await cursor.fetchone())["count"]

    async def _sign_off(self) -> None:
        """Who ends orderly is known to be gone at once."""
        async with self._chancy.pool.connection(timeout=END_SECONDS) as connection:
            await connection.execute(
                sql.SQL("DELETE FROM {} WHERE worker_id = %s").format(sql.Identifier(f"{PREFIX}workers")),
                [self._worker.worker_id],
            )


class Hands(Executor):
    """The hands of one provider in one process. The engine finds this class by its name, which its queues carry."""

    capabilities = Executor.Capability.ASYNC_JOBS

    def __init__(self, worker: "_Worker", queue: Queue) -> None:
        super().__init__(worker, queue)
        self._here = worker
        self._at_work: dict[asyncio.Task[None], QueuedJob] = {}

    def __len__(self) -> int:
        """While the process rests every hand counts as taken, so that calls go to others."""
        if self._here.work is None and not self._here.shutdown_event.is_set():
            return self.get_default_concurrency()
        return len(self._at_work)

    async def push(self, job: QueuedJob) -> None:
        task = asyncio.create_task(self._answer(job))
        self._at_work[task] = job
        task.add_done_callback(self._at_work.pop)
        task.add_done_callback(lambda _: self._here.queue_wake_events[self.queue.name].set())

    async def _answer(self, job: QueuedJob) -> None:
        problem: Exception | None = None
        try:
            if self._here.work is not None:
                await self._here.work(self.queue.name)
        except Exception as failure:  # however it went, the job has to be given back
            problem = failure
            log.exception("a call could not be answered")
        await self.on_job_completed(job=job, exc=problem)

    async def stop(self) -> None:
        for task in self._at_work:
            task.cancel()
        if self._at_work:
            await asyncio.wait(self._at_work)

    async def cancel(self, ref: Reference) -> None:
        pass  # generations are cancelled by their rows, never by their call

    def get_running_jobs(self) -> list[QueuedJob]:
        return list(self._at_work.values())

    def get_default_concurrency(self) -> int:
        return self.queue.concurrency or 1


class _Worker(Worker):
    work: Work | None = None


def _providers(tags: Sequence[str]) -> list[str]:
    return [tag.removeprefix(PROVIDER_TAG) for tag in tags if tag.startswith(PROVIDER_TAG)]


def _queue(provider_id: str, count: int) -> Queue:
    return Queue(
        provider_id,
        concurrency=count,
        tags={f"{PROVIDER_TAG}{re.escape(provider_id)}$"},
        executor=f"{Hands.__module__}.{Hands.__name__}",
        polling_interval=POLL_SECONDS,
    )
