"""The embedded database: one SQLite file in WAL mode, one writer, readers that never wait for it."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TypeVar

from limner.db.base import DatabaseUnavailable, Transaction
from limner.db.run import run
from limner.db.sqlite_connection import SqliteTransaction, connect_reader, connect_writer
from limner.db.sqlite_writer import SqliteWriter

T = TypeVar("T")


class SqliteDatabase:
    dialect: Literal["sqlite", "postgresql"] = "sqlite"

    def __init__(self, path: Path, *, busy_seconds: float) -> None:
        self._writer = SqliteWriter(connect_writer(path, busy_seconds=busy_seconds), busy_seconds=busy_seconds)
        self._readers = _Readers(path, busy_seconds)
        self._version: int | None = None
        self._slow = ThreadPoolExecutor(2, thread_name_prefix="limner-reader")

    @classmethod
    async def open(cls, path: Path, *, busy_seconds: float) -> "SqliteDatabase":
        return await asyncio.to_thread(cls, path, busy_seconds=busy_seconds)

    async def write(self, fn: Callable[[Transaction], T]) -> T:
        return await self._writer.submit(fn)

    async def write_slowly(self, fn: Callable[[Transaction], T]) -> T:
        return await self._writer.submit(fn, slowly=True)

    async def read(self, fn: Callable[[Transaction], T]) -> T:
        return run(fn, SqliteTransaction(self._readers.own()))

    async def read_slowly(self, fn: Callable[[Transaction], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._slow, self._read_one_moment, fn)

    def version(self) -> int | None:
        """One look serves all whose turn it is: who finds it made stood in line before it was, and sees what it saw."""
        if self._version is None:
            self._version = self._readers.own().execute("PRAGMA data_version").fetchone()[0]
            asyncio.get_running_loop().call_soon(self._look_again)  # behind them, and before whoever comes later
        return self._version

    async def close(self) -> None:
        await asyncio.to_thread(self._close_readers)
        await self._writer.close()  # last, so that its connection empties the WAL into the file

    def _look_again(self) -> None:
        self._version = None

    def _read_one_moment(self, fn: Callable[[Transaction], T]) -> T:
        connection = self._readers.own()
        connection.execute("BEGIN")
        try:
            return run(fn, SqliteTransaction(connection))
        finally:
            connection.execute("ROLLBACK")

    def _close_readers(self) -> None:
        self._slow.shutdown()
        self._readers.close()


class _Readers:
    """A reading connection for each thread that asks."""

    def __init__(self, path: Path, busy_seconds: float) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._closed = False

    def own(self) -> sqlite3.Connection:
        if self._closed:
            raise DatabaseUnavailable("the database is closed")
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect_reader(self._path, busy_seconds=self._busy_seconds)
            self._all.append(connection)
        return connection

    def close(self) -> None:
        self._closed = True
        for connection in self._all:
            connection.close()
