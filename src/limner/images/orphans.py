"""Bytes nobody points at: left by a run that lost its lease, a call that was refused, a process that died."""

from datetime import timedelta

import structlog

from limner.blobs.base import Blobs
from limner.db.base import Database, Transaction
from limner.db.types import Clock
from limner.images import generations

SPARED_FOR = timedelta(hours=1)
"""What is younger may belong to a transaction that has not ended."""

log = structlog.stdlib.get_logger(__name__)


class Orphans:
    def __init__(self, database: Database, blobs: Blobs, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    async def sweep(self) -> int:
        """Delete them; how many there were."""
        swept = 0
        for prefix, wanted in (("images/", _is_picture), ("inputs/", _is_input)):
            async for blob in self._blobs.keys(prefix):
                if blob.modified_at > self._clock() - SPARED_FOR:
                    continue
                if not await self._database.read(lambda tx, key=blob.key, wanted=wanted: wanted(tx, key)):
                    await self._blobs.delete(blob.key)
                    swept += 1
        if swept:
            log.info("deleted bytes nobody pointed at", count=swept)
        return swept


def _is_picture(tx: Transaction, key: str) -> bool:
    """An original or variant of a picture that is there, or the work of a run that may still settle."""
    row = generations.find(tx, key.split("/")[1])
    if row is None or row.deleted_at is not None:
        return False
    if not row.has_ended:
        return True
    return row.status == "succeeded" and (key == row.blob_key or "/variants/" in key)


def _is_input(tx: Transaction, key: str) -> bool:
    """The copy of an input whose call still runs."""
    return any(not row.has_ended for row in generations.of_call(tx, key.split("/")[1]))
