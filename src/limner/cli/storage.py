"""The server's own database, for commands that work on it beside a running server."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from limner import logs
from limner.config import Config
from limner.db import migrate
from limner.db.base import Database, Transaction
from limner.db.engine import open_database

T = TypeVar("T")

ACTOR = "command line"
"""Who the audit log says it was."""


def write(fn: Callable[[Transaction], T]) -> T:
    """Run `fn` in one transaction on the configured database and return what it returned."""
    return asyncio.run(_in_database(lambda database: database.write(fn)))


def read(fn: Callable[[Transaction], T]) -> T:
    return asyncio.run(_in_database(lambda database: database.read_slowly(fn)))


def bring_up_to_date(config: Config) -> bool:
    """Make or upgrade the database; true where there was something to do."""
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return migrate.migrate(config.database_url)


@asynccontextmanager
async def opened(config: Config) -> AsyncGenerator[Database]:
    """The configured database, with every table; what it logs goes where a server's log goes, never among results."""
    logs.set_up(config.log_level, config.log)
    await asyncio.to_thread(bring_up_to_date, config)
    database = await open_database(config.database_url, connections=2)
    try:
        yield database
    finally:
        await database.close()


async def _in_database(work: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    async with opened(Config.from_env()) as database:
        return await work(database)
