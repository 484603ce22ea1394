"""Whether a database can be written now; reads alone would be answered by a full disk, or a standby."""

from limner.db.base import Database
from limner.db.types import now


async def check(database: Database) -> None:
    """OSError where it cannot. What is written differs each time: SQLite does not write what stands there already."""
    await database.write(
        lambda tx: tx.execute(
            """INSERT INTO rate_limits (bucket, full_at) VALUES ('~check', :now)
               ON CONFLICT (bucket) DO UPDATE SET full_at = excluded.full_at""",
            now=now(),
        )
    )
