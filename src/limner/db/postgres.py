"""The scaled-out database: PostgreSQL through psycopg, a few connections on the event loop, and threads for what may take long."""

import asyncio
from collections.abc import Callable
from typing import Literal, TypeVar

from limner.db.base import Transaction
from limner.db.postgres_connection import conninfo_of
from limner.db.postgres_pool import PostgresPool
from limner.db.postgres_threads import PostgresThreads
from limner.db.postgres_transaction import read_now, read_one_moment, write

T = TypeVar("T")

_SLOW_CONNECTIONS = 2


class PostgresDatabase:
    dialect: Literal["sqlite", "postgresql"] = "postgresql"

    def __init__(self, url: str, *, connections: int, busy_seconds: float) -> None:
        conninfo = conninfo_of(url)
        self._pool = PostgresPool(conninfo, connections, lock_seconds=busy_seconds)
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
        # Shielded: a transaction that waits for a connection runs also when its caller gave up, as on SQLite.
        return await asyncio.shield(self._pool.run(lambda pipeline: write(pipeline, fn)))

    async def write_slowly(self, fn: Callable[[Transaction], T]) -> T:
        return await self.write(fn)  # whose statements hold nobody up

    async def read(self, fn: Callable[[Transaction], T]) -> T:
        return await self._pool.run(lambda pipeline: read_now(pipeline, fn))

    async def read_slowly(self, fn: Callable[[Transaction], T]) -> T:
        return await self._slow.run(lambda pipeline: read_one_moment(pipeline, fn))

    def version(self) -> int | None:
        return None

    async def close(self) -> None:
        await self._pool.close()
        await asyncio.to_thread(self._slow.close)
