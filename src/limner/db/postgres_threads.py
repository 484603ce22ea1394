"""A few threads with a PostgreSQL connection each, for what may take long."""

import asyncio
import select
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from limner.db.base import DatabaseUnavailable
from limner.db.postgres_connection import ATTEMPTS, TryAgain, connect
from limner.db.postgres_pipeline import Pipeline

T = TypeVar("T")


class PostgresThreads:
    def __init__(self, conninfo: str, connections: int, *, lock_seconds: float) -> None:
        self._conninfo = conninfo
        self._lock_seconds = lock_seconds
        self._executor = ThreadPoolExecutor(connections, thread_name_prefix="limner-postgres")
        self._local = threading.local()
        self._all: list[Pipeline] = []
        self._closed = False

    def run(self, work: Callable[[Pipeline], T]) -> asyncio.Future[T]:
        if self._closed:
            raise DatabaseUnavailable("the database is closed")
        return asyncio.get_running_loop().run_in_executor(self._executor, self._until_settled, work)

    def close(self) -> None:
        self._closed = True
        self._executor.shutdown()
        for pipeline in self._all:
            pipeline.close()
        self._all.clear()

    def _until_settled(self, work: Callable[[Pipeline], T]) -> T:
        """Run `work` again where PostgreSQL undid it: a deadlock, or a connection lost before its commit."""
        for _ in range(ATTEMPTS - 1):
            try:
                return work(self._own())
            except TryAgain:
                continue
        return work(self._own())

    def _own(self) -> Pipeline:
        pipeline: Pipeline | None = getattr(self._local, "pipeline", None)
        if pipeline is not None and not pipeline.closed:
            return pipeline
        if pipeline is not None:
            self._all.remove(pipeline)
            self._local.pipeline = None
        connection = connect(self._conninfo, lock_seconds=self._lock_seconds)
        pipeline = Pipeline(connection, _Polled(connection.fileno()))
        self._local.pipeline = pipeline
        self._all.append(pipeline)
        return pipeline


class _Polled:
    """A socket that its thread waits for."""

    def __init__(self, socket: int) -> None:
        self._reading, self._both = select.poll(), select.poll()
        self._reading.register(socket, select.POLLIN)
        self._both.register(socket, select.POLLIN | select.POLLOUT)

    def until_ready(self, *, to_write: bool = False) -> None:
        (self._both if to_write else self._reading).poll()

    def end(self) -> None:
        pass
