"""The connections of one process: each runs one transaction at a time, all of them on the event loop.

A transaction function is plain code that cannot await. It runs in a greenlet of its own, which waits for PostgreSQL by
switching back to the loop: no thread stands by for it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from greenlet import GreenletExit, getcurrent, greenlet

from limner.db.base import DatabaseUnavailable
from limner.db.postgres_connection import ATTEMPTS, Connection, TryAgain, connect
from limner.db.postgres_pipeline import Pipeline

T = TypeVar("T")


class PostgresPool:
    """At most `connections`, opened as they are needed. Belongs to the event loop that first uses it."""

    def __init__(self, conninfo: str, connections: int, *, lock_seconds: float) -> None:
        self._conninfo = conninfo
        self._most = connections
        self._lock_seconds = lock_seconds
        self._jobs: deque[_Job] = deque()
        self._idle: list[Pipeline] = []
        self._busy = 0
        self._opening: set[asyncio.Task[None]] = set()
        self._quiet = asyncio.Event()
        self._closed = False

    def run(self, work: Callable[[Pipeline], T]) -> asyncio.Future[T]:
        if self._closed:
            raise DatabaseUnavailable("the database is closed")
        caller: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.append(_Job(work, caller))
        self._serve()
        return caller

    async def close(self) -> None:
        """Finish what waits, then close every connection."""
        self._closed = True
        while self._jobs or self._busy or self._opening:
            self._quiet.clear()
            await self._quiet.wait()
        while self._idle:
            self._idle.pop().close()

    def _serve(self) -> None:
        """Give the next job a connection that is free, or open one more."""
        while self._idle:
            pipeline = self._idle.pop()
            if not pipeline.closed:
                self._start(pipeline)
                return
        if self._busy + len(self._opening) < self._most:
            opening = asyncio.get_running_loop().create_task(self._open())
            self._opening.add(opening)
            opening.add_done_callback(self._opened)

    async def _open(self) -> None:
        try:
            connection = await asyncio.to_thread(connect, self._conninfo, lock_seconds=self._lock_seconds)
        except Exception as error:  # whatever it is, nobody shall wait for ever
            if self._jobs and not self._busy:  # else those that are open serve it
                self._jobs.popleft().fail(error)
                if self._jobs:
                    asyncio.get_running_loop().call_soon(self._serve)
            return
        self._start(pipeline_on_loop(connection))

    def _opened(self, opening: asyncio.Task[None]) -> None:
        self._opening.discard(opening)
        self._quiet.set()

    def _start(self, pipeline: Pipeline) -> None:
        self._busy += 1
        greenlet(self._work_through).switch(pipeline)

    def _work_through(self, pipeline: Pipeline) -> None:
        while self._jobs and not pipeline.closed:
            self._run(self._jobs.popleft(), pipeline)
        self._busy -= 1
        self._quiet.set()
        if not pipeline.closed:
            self._idle.append(pipeline)
        elif self._jobs:
            asyncio.get_running_loop().call_soon(self._serve)

    def _run(self, job: "_Job", pipeline: Pipeline) -> None:
        """Again where PostgreSQL undid it: a deadlock, or a connection lost before its commit."""
        job.attempts_left -= 1
        try:
            result = job.work(pipeline)
        except GreenletExit:  # the loop is gone, and everybody who could hear of it
            raise
        except TryAgain as error:
            if job.attempts_left:
                self._jobs.appendleft(job)
            else:
                job.fail(error)
        except BaseException as error:  # whatever it is, it belongs to the caller
            job.fail(error)
        else:
            job.succeed(result)


@dataclass(slots=True)
class _Job:
    work: Callable[[Pipeline], Any]
    caller: asyncio.Future[Any]
    attempts_left: int = ATTEMPTS

    def succeed(self, result: Any) -> None:
        if not self.caller.done():
            self.caller.set_result(result)

    def fail(self, error: BaseException) -> None:
        if not self.caller.done():
            self.caller.set_exception(error)


def pipeline_on_loop(connection: Connection) -> Pipeline:
    watched = _Watched(connection.fileno())
    pipeline = Pipeline(connection, watched)
    watched.on_unasked = pipeline.notice
    return pipeline


class _Watched:
    """A socket that the event loop watches: the greenlet that waits for it is switched to."""

    def __init__(self, socket: int) -> None:
        self.on_unasked: Callable[[], None] = lambda: None
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._waiter: greenlet | None = None
        self._loop.add_reader(socket, self._ready)

    def until_ready(self, *, to_write: bool = False) -> None:
        self._waiter = getcurrent()
        assert self._waiter.parent is not None, "transactions run in greenlets of the pool"
        if to_write:
            self._loop.add_writer(self._socket, self._ready)
        try:
            self._waiter.parent.switch()
        finally:
            self._waiter = None
            if to_write:
                self._loop.remove_writer(self._socket)

    def end(self) -> None:
        self._loop.remove_reader(self._socket)

    def _ready(self) -> None:
        if self._waiter is None:
            self.on_unasked()
        else:
            self._waiter.switch()
