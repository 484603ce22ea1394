"""The scaled-out database: PostgreSQL through psycopg, a few threads with a connection each."""

import asyncio
from collections.abc import Callable
from typing import Literal, TypeVar

from limner.db.base import Transaction
from limner.db.postgres_connection import conninfo_of, read_now, read_one_moment, write
from limner.db.postgres_threads import PostgresThreads

T = TypeVar("T")

_SLOW_CONNECTIONS = 2


class PostgresDatabase:
    dialect: Literal["sqlite", "postgresql"] = "postgresql"

    def __init__(self, url: str, *, connections: int, busy_seconds: float) -> None:
        conninfo = conninfo_of(url)
        self._threads = PostgresThreads(conninfo, connections, lock_seconds=busy_seconds)
        self._slow = PostgresThreads(conninfo, _SLOW_CONNECTIONS, lock_seconds=busy_seconds)

    @classmethod
    async def open(cls, url: str, *, connections: int, busy_seconds: float) -> "PostgresDatabase":
        database = cls(url, connections=connections, busy_seconds=busy_seconds)
        try:
            await database.read(lambda tx: tx.scalar("SELECT 1"))
        except BaseException:
            await database.close()
            raise
        return database

    async def write(self, fn: Callable[[Transaction], T]) -> T:
        # Shielded: a transaction that waits for a thread runs also when its caller gave up, as on SQLite.
        return await asyncio.shield(self._threads.run(lambda connection: write(connection, fn)))

    async def read(self, fn: Callable[[Transaction], T]) -> T:
        return await self._threads.run(lambda connection: read_now(connection, fn))

    async def read_slowly(self, fn: Callable[[Transaction], T]) -> T:
        return await self._slow.run(lambda connection: read_one_moment(connection, fn))

    def version(self) -> int | None:
        return None

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.close)
        await asyncio.to_thread(self._slow.close)
