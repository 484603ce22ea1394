"""The one thread that writes a SQLite file; transactions that wait together are committed together.

A durable commit costs one flush to disk, whoever shares it: up to 64 waiting functions run in one
transaction, each under its own savepoint, and their callers hear of success after COMMIT returned.
"""

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

from limner.db.base import DatabaseUnavailable, Transaction
from limner.db.run import run
from limner.db.sqlite_connection import SqliteTransaction

T = TypeVar("T")

GROUP = 64


@dataclass(frozen=True, slots=True)
class _Job:
    fn: Callable[[Transaction], Any]
    caller: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Outcome:
    result: Any = None
    failure: BaseException | None = None


class SqliteWriter:
    """Owns `connection`, which nothing else may use."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._closing = Lock()
        self._closed = False
        self._thread = Thread(target=self._work, name="limner-writer", daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[[Transaction], T]) -> asyncio.Future[T]:
        """A future of the running loop that is done once `fn` is durable, or failed."""
        caller: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        with self._closing:  # nothing may queue up behind the end
            if self._closed:
                raise DatabaseUnavailable("the database is closed")
            self._jobs.put(_Job(fn, caller))
        return caller

    def close(self) -> None:
        """Finish what waits, then close the connection. May be called twice, from any thread."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while group := self._next_group():
            _deliver(group, self._commit(group))
        self._connection.close()

    def _next_group(self) -> list[_Job]:
        """Whatever waits, at least one and at most `GROUP`; empty at the end."""
        group: list[_Job] = []
        try:
            job = self._jobs.get()
            while job is not None:
                group.append(job)
                if len(group) == GROUP:
                    return group
                job = self._jobs.get_nowait()
            if group:
                self._jobs.put(None)  # the end was found behind the last group
        except Empty:
            pass
        return group

    def _commit(self, group: Sequence[_Job]) -> Sequence[_Outcome]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._run(job.fn) for job in group]
            self._connection.execute("COMMIT")
        except Exception as error:  # top of the thread: were it to end here, callers would wait for ever
            with suppress(sqlite3.Error):  # there may be nothing left to roll back
                self._connection.execute("ROLLBACK")
            return [_Outcome(failure=DatabaseUnavailable(f"nothing was committed: {error}")) for _ in group]
        return outcomes

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


def _deliver(group: Sequence[_Job], outcomes: Sequence[_Outcome]) -> None:
    """Wake each event loop once, however many of its callers are served."""
    answers: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], _Outcome]]] = defaultdict(list)
    for job, outcome in zip(group, outcomes, strict=True):
        answers[job.caller.get_loop()].append((job.caller, outcome))
    for loop, served in answers.items():
        try:
            loop.call_soon_threadsafe(_answer, served)
        except RuntimeError:  # the loop is closed: nobody waits any more
            continue


def _answer(served: Sequence[tuple[asyncio.Future[Any], _Outcome]]) -> None:
    for caller, outcome in served:
        if caller.done():  # cancelled; what it asked for is committed all the same
            continue
        if outcome.failure is None:
            caller.set_result(outcome.result)
        else:
            caller.set_exception(outcome.failure)
