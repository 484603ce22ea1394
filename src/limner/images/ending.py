"""Ending a generation on request: cancelling what nobody was paid for, deleting what is there."""

from typing import Any

from limner.blobs.base import Blobs
from limner.db.base import Database
from limner.db.types import Clock
from limner.errors import NotCancellable
from limner.images import generations, settling, transitions
from limner.images.generations import Generation
from limner.queue.base import Event, Events


class Ending:
    def __init__(self, *, database: Database, events: Events, blobs: Blobs, clock: Clock) -> None:
        self._database = database
        self._events = events
        self._blobs = blobs
        self._clock = clock

    async def cancel(self, row: Generation) -> None:
        """Nothing to do for a cancelled one; NotCancellable when it is too late."""
        if row.status == "cancelled":
            return
        if row.has_ended:
            raise NotCancellable(
                f"That generation has already {row.status}.",
                next_step="There is nothing left to stop; delete the picture if you do not want it.",
                generation_id=row.id,
            )
        if await self._database.write(lambda tx: settling.cancel(tx, row.id, None, self._clock())):
            self._events.publish(Event("ended", row.id))
        else:
            await self._cancel_running(row)

    async def bury(self, row: Generation) -> None:
        """Remove an ended one's picture and prompt at once; the ledger's line stays."""
        await self._database.write(lambda tx: generations.bury(tx, row, self._clock()))
        async for blob in self._blobs.keys(f"images/{row.id}/"):
            await self._blobs.delete(blob.key)

    async def _cancel_running(self, row: Generation) -> None:
        """Ask the runner; it stops only where that costs nobody anything."""
        with self._events.watch([row.id]) as watching:
            await self._database.write(lambda tx: transitions.ask_to_cancel(tx, row.id, self._clock()))
            self._events.publish(Event("cancel", row.id))
            await _end_or_refusal(watching)
        now_stands = await self._database.read(lambda tx: generations.find(tx, row.id))
        if now_stands is None or now_stands.status != "cancelled":
            raise NotCancellable(generation_id=row.id)


async def _end_or_refusal(watching: Any) -> None:
    """Until the runner answered the request to cancel, one way or the other; it does so within a lease renewal."""
    while (event := await watching.next(20.0)) is not None:
        if event.kind == "ended" or (event.kind == "running" and event.phase == "not_cancellable"):
            return
