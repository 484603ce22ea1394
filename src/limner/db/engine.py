"""Opens the database a URL names."""

from limner.db.base import Database
from limner.db.url import sqlite_path


async def open_database(url: str, *, connections: int = 8, busy_seconds: float = 10) -> Database:
    """The database at `url`: `sqlite:///srv/limner.db`, `postgresql://…` or `postgresql:///name?host=/socket/dir`.

    `connections` is how many PostgreSQL transactions run at once; `busy_seconds` how long a write
    waits for another process. ValueError for a URL we cannot use, OSError when nothing answers there.
    """
    path = sqlite_path(url)
    if path is not None:
        from limner.db.sqlite import SqliteDatabase  # only the supplier in use is loaded

        return await SqliteDatabase.open(path, busy_seconds=busy_seconds)
    from limner.db.postgres import PostgresDatabase

    return await PostgresDatabase.open(url, connections=connections, busy_seconds=busy_seconds)
