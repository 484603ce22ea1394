"""Writes a SQLite file: the statements on the event loop, the flush to disk in a thread of its own.

A durable commit costs one flush, whoever shares it: up to 64 waiting functions run in one transaction, each under its
own savepoint, and their callers hear of success after COMMIT returned. The statements take microseconds, and in a
thread each of them would let go of the interpreter and wait for it again, which costs more than it does.
"""

import asyncio
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from limner.db.base import DatabaseUnavailable, Transaction
from limner.db.run import run
from limner.db.sqlite_connection import SqliteTransaction

T = TypeVar("T")

GROUP = 64

TURN_SECONDS = 0.002
"""After so long on the event loop others have their turn, and then the group goes on."""


@dataclass(frozen=True, slots=True)
class _Job:
    fn: Callable[[Transaction], Any]
    caller: asyncio.Future[Any]
    is_slow: bool


@dataclass(frozen=True, slots=True)
class _Outcome:
    result: Any = None
    failure: BaseException | None = None


class SqliteWriter:
    """Owns `connection`, which nothing else may use; belongs to the event loop that first writes.

    `busy_seconds` is how long another process that writes is waited for.
    """

    def __init__(self, connection: sqlite3.Connection, *, busy_seconds: float) -> None:
        self._connection = connection
        self._busy_milliseconds = round(busy_seconds * 1000)
        self._be_patient(0)
        self._waiting: deque[_Job] = deque()
        self._work: asyncio.Task[None] | None = None  # while anything waits
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="limner-writer")
        self._closed = False

    def submit(self, fn: Callable[[Transaction], T], *, slowly: bool = False) -> asyncio.Future[T]:
        """A future of the running loop that is done once `fn` is durable, or failed; `slowly`, it runs in the thread."""
        if self._closed:
            raise DatabaseUnavailable("the database is closed")
        loop = asyncio.get_running_loop()
        caller: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Job(fn, caller, slowly))
        if self._work is None:
            self._work = loop.create_task(self._commit_all())
        return caller

    async def close(self) -> None:
        """Finish what waits, then close the connection. May be called twice."""
        self._closed = True
        if self._work is not None:
            await asyncio.wait([self._work])
        await asyncio.to_thread(self._thread.shutdown)
        self._connection.close()

    async def _commit_all(self) -> None:
        """Group after group, until nothing waits."""
        try:
            while self._waiting:
                await self._commit_group()
        finally:
            self._work = None

    async def _commit_group(self) -> None:
        group: list[_Job] = []
        try:
            if self._waiting[0].is_slow:
                group.append(self._waiting.popleft())
                outcomes = await self._in_thread(lambda: self._run_alone(group[0].fn))
            else:
                await self._begin()
                outcomes = await self._run_group(group)
                await self._in_thread(self._commit)
        except Exception as error:  # whatever it is, callers must not wait for ever
            with suppress(sqlite3.Error):  # there may be nothing left to roll back
                self._connection.execute("ROLLBACK")
            group = group or self._all_waiting()
            outcomes = [_Outcome(failure=DatabaseUnavailable(f"nothing was committed: {error}"))] * len(group)
        _answer(group, outcomes)

    async def _begin(self) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            await self._in_thread(self._begin_patiently)

    def _begin_patiently(self) -> None:
        """Waits for another process that writes."""
        self._be_patient(self._busy_milliseconds)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        finally:
            self._be_patient(0)

    def _be_patient(self, milliseconds: int) -> None:
        self._connection.execute(f"PRAGMA busy_timeout = {milliseconds}")

    async def _run_group(self, group: list[_Job]) -> list[_Outcome]:
        """Whoever waits now or comes meanwhile, up to `GROUP`, is noted in `group` and run."""
        outcomes: list[_Outcome] = []
        until = time.perf_counter() + TURN_SECONDS
        while self._waiting and not self._waiting[0].is_slow and len(group) < GROUP:
            group.append(self._waiting.popleft())
            outcomes.append(self._run(group[-1].fn))
            if time.perf_counter() > until:
                await asyncio.sleep(0)
                until = time.perf_counter() + TURN_SECONDS
        return outcomes

    def _run_alone(self, fn: Callable[[Transaction], Any]) -> list[_Outcome]:
        self._begin_patiently()
        outcome = self._run(fn)
        self._commit()
        return [outcome]

    def _run(self, fn: Callable[[Transaction], Any]) -> _Outcome:
        self._connection.execute("SAVEPOINT one")
        try:
            outcome = _Outcome(run(fn, SqliteTransaction(self._connection)))
        except BaseException as error:  # whatever it is, it belongs to the caller
            if not self._connection.in_transaction:  # a full disk, a broken one: SQLite gave up the whole group
                raise DatabaseUnavailable(str(error)) from error
            self._connection.execute("ROLLBACK TO one")
            outcome = _Outcome(failure=error)
        self._connection.execute("RELEASE one")
        return outcome

    def _commit(self) -> None:
        self._connection.execute("COMMIT")

    def _in_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _all_waiting(self) -> list[_Job]:
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting


def _answer(group: Sequence[_Job], outcomes: Sequence[_Outcome]) -> None:
    for job, outcome in zip(group, outcomes, strict=True):
        if job.caller.done():  # cancelled; what it asked for is committed all the same
            continue
        if outcome.failure is None:
            job.caller.set_result(outcome.result)
        else:
            job.caller.set_exception(outcome.failure)
