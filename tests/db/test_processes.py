"""Several processes on one database: the command line writes beside the server, and every write counts once."""

import asyncio
import sys

from limner.db.base import Database

BUMP = """
import asyncio, sys
from limner.db.engine import open_database

async def main():
    database = await open_database(sys.argv[1])
    for _ in range(100):
        await database.write(lambda tx: tx.execute("UPDATE rate_limits SET full_at = full_at + 1"))
    await database.close()

asyncio.run(main())
"""


async def test_two_processes_write_and_nothing_is_lost(database: Database, database_url: str) -> None:
    await database.write(lambda tx: tx.execute("INSERT INTO rate_limits VALUES ('shared', 0)"))
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", BUMP, database_url)
    bumps = 0
    while other.returncode is None:
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(database.write(lambda tx: tx.execute("UPDATE rate_limits SET full_at = full_at + 1")))
        bumps += 5
    assert other.returncode == 0
    assert await database.read(lambda tx: tx.scalar("SELECT full_at FROM rate_limits")) == 100 + bumps
