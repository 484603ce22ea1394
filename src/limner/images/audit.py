"""The audit of everything: the ledger's own checks, and that every charged picture can be retrieved."""

from functools import partial

from limner.blobs.base import Blobs
from limner.credits import audit
from limner.credits.audit import Counts, Problem
from limner.db.base import Database, Row, Transaction

BATCH = 1000


async def run(database: Database, blobs: Blobs) -> tuple[Counts, list[Problem]]:
    """Reads one state of the database at a time; a generation that ends meanwhile is looked at as it then is."""
    counts = await database.read_slowly(audit.counts)
    found = await database.read_slowly(audit.problems)
    return counts, [*found, *await _missing_pictures(database, blobs)]


async def _missing_pictures(database: Database, blobs: Blobs) -> list[Problem]:
    missing: list[Problem] = []
    after = ""
    while rows := await database.read_slowly(partial(_pictures, after=after)):
        for row in rows:
            size = await blobs.size_bytes(row["blob_key"])
            if size != row["size_bytes"] and await _still_there(database, row["id"]):
                missing.append(
                    Problem(
                        "a charged picture can be retrieved",
                        row["id"],
                        f"{row['size_bytes']} bytes",
                        f"{size or 'no'} bytes",
                    )
                )
        after = rows[-1]["id"]
    return missing


def _pictures(tx: Transaction, after: str) -> list[Row]:
    return tx.all(
        """SELECT id, blob_key, size_bytes FROM generations
           WHERE status = 'succeeded' AND deleted_at IS NULL AND id > :after ORDER BY id LIMIT :limit""",
        after=after,
        limit=BATCH,
    )


async def _still_there(database: Database, generation_id: str) -> bool:
    """Not deleted since it was listed."""
    return await database.read(
        lambda tx: tx.scalar("SELECT deleted_at FROM generations WHERE id = :id", id=generation_id) is None
    )
