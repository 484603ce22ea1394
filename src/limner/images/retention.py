"""Forgets pictures that are older than their account wants to keep them."""

from datetime import datetime, timedelta
from functools import partial

import structlog

from limner.blobs.base import Blobs
from limner.db.base import Database, Row, Transaction
from limner.db.types import Clock
from limner.images import generations, lists
from limner.images.generations import Generation

BATCH = 100

log = structlog.stdlib.get_logger(__name__)


class Retention:
    """Deletes as a person would: prompt and bytes at once, the ledger's line stays."""

    def __init__(self, *, database: Database, blobs: Blobs, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    async def sweep(self) -> int:
        """How many were forgotten."""
        forgotten = 0
        for account_id, before in await self._database.read_slowly(self._accounts):
            while rows := await self._database.read_slowly(partial(_old, account_id=account_id, before=before)):
                for row in rows:
                    await self._forget(row)
                forgotten += len(rows)
        if forgotten:
            log.info("old pictures forgotten", count=forgotten)
        return forgotten

    def _accounts(self, tx: Transaction) -> list[tuple[str, datetime]]:
        rows: list[Row] = tx.all("SELECT id, retention_days FROM accounts WHERE retention_days IS NOT NULL")
        now = self._clock()
        return [(row["id"], now - timedelta(days=row["retention_days"])) for row in rows]

    async def _forget(self, row: Generation) -> None:
        await self._database.write(lambda tx: generations.bury(tx, row, self._clock()))
        async for blob in self._blobs.keys(f"images/{row.id}/"):
            await self._blobs.delete(blob.key)


def _old(tx: Transaction, *, account_id: str, before: datetime) -> list[Generation]:
    return lists.ended_before(tx, account_id, before, limit=BATCH)
