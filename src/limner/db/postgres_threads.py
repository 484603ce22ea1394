"""A few threads with a PostgreSQL connection each: one hop from the event loop serves a whole transaction."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from limner.db.base import DatabaseUnavailable
from limner.db.postgres_connection import Connection, TryAgain, connect

T = TypeVar("T")

_ATTEMPTS = 10


class PostgresThreads:
    def __init__(self, conninfo: str, connections: int, *, lock_seconds: float) -> None:
        self._conninfo = conninfo
        self._lock_seconds = lock_seconds
        self._executor = ThreadPoolExecutor(connections, thread_name_prefix="limner-postgres")
        self._local = threading.local()
        self._all: list[Connection] = []
        self._closed = False

    def run(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        if self._closed:
            raise DatabaseUnavailable("the database is closed")
        return asyncio.get_running_loop().run_in_executor(self._executor, self._until_settled, work)

    def close(self) -> None:
        self._closed = True
        self._executor.shutdown()
        for connection in self._all:
            connection.close()
        self._all.clear()

    def _until_settled(self, work: Callable[[Connection], T]) -> T:
        """Run `work` again where PostgreSQL undid it: a deadlock, or a connection lost before its commit."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return work(self._own())
            except TryAgain:
                continue
        return work(self._own())

    def _own(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is not None and not connection.closed:
            return connection
        if connection is not None:
            self._all.remove(connection)
            self._local.connection = None
        connection = connect(self._conninfo, lock_seconds=self._lock_seconds)
        self._local.connection = connection
        self._all.append(connection)
        return connection
