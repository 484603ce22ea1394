"""Puts right what a process left behind when it died: by lease, never by "I have just started".

Bytes complete under the id: charge and succeed. Not yet sent, free to repeat, or resumable by the
supplier's handle: run again. Sent and unknown: never pay twice blindly, so fail and release.
"""

import asyncio
from datetime import timedelta

import structlog

from limner import tracing
from limner.db.types import new_id
from limner.errors import ModelUnavailable, ServerBusy, ServiceError, UpstreamTimeout
from limner.images import generations, lists, transitions
from limner.images.attempt import Parts, blob_prefix, describe, forget_inputs, settle_failure, settle_success
from limner.images.generations import Generation
from limner.images.pictures import NotAPicture
from limner.providers.base import ProviderImage
from limner.queue.base import Event, Job, Queue

SWEEP_SECONDS = 5.0

log = structlog.stdlib.get_logger(__name__)


class Recovery:
    def __init__(self, parts: Parts, queue: Queue) -> None:
        self._parts = parts
        self._queue = queue

    async def run(self) -> None:
        """Forever; cancel it."""
        await self.requeue_all()
        while True:
            try:
                await self.sweep()
            except OSError as problem:
                log.warning("recovery waits for the database or the blob store", error=str(problem))
            await asyncio.sleep(SWEEP_SECONDS)

    async def requeue_all(self) -> None:
        """Hand over every queued row: those of before the start are in nobody's memory."""
        for row in await self._parts.database.read_slowly(lists.queued):
            await self._requeue(row["id"], row["account_id"], row["provider_id"])

    async def sweep(self) -> int:
        """Settle or requeue what is abandoned or overdue; how many."""
        now = self._parts.clock()
        overdue = await self._parts.database.read(lambda tx: lists.overdue(tx, now))
        abandoned = await self._parts.database.read(lambda tx: lists.abandoned(tx, now))
        for generation_id in overdue:
            await self._expire(generation_id)
        for generation_id in abandoned:
            await self._take_over(generation_id)
        return len(overdue) + len(abandoned)

    async def _requeue(self, generation_id: str, account_id: str, provider_id: str) -> None:
        """Back into the queue, unless the operator took its supplier away meanwhile: nobody would ever take it."""
        try:
            self._parts.suppliers[provider_id]
        except ModelUnavailable as error:
            await self._fail_queued(generation_id, error)
        else:
            await self._queue.put([Job(generation_id, account_id, provider_id)])

    async def _expire(self, generation_id: str) -> None:
        error = ServerBusy("The generation waited too long in the queue.", retry_after_seconds=60)
        await self._fail_queued(generation_id, error)

    async def _fail_queued(self, generation_id: str, error: ServiceError) -> None:
        error.generation_id = generation_id
        row = await self._parts.database.read(lambda tx: generations.find(tx, generation_id))
        if row is not None and await settle_failure(self._parts.database, row, None, error, self._parts.clock):
            await self._ended(row)

    async def _take_over(self, generation_id: str) -> None:
        lease = new_id()
        now = self._parts.clock()
        until = now + timedelta(seconds=self._parts.lease_seconds)
        row = await self._parts.database.write(
            lambda tx: transitions.take_over(tx, generation_id, lease, now=now, until=until)
        )
        if row is not None:
            with tracing.running(generation_id, row.origin):
                log.info("recovering a generation", sent=row.sent_at is not None)
                await self._settle(row, lease)

    async def _settle(self, row: Generation, lease: str) -> None:
        if await self._succeed_from_blob(row, lease):
            await self._ended(row)
        elif self._may_run_again(row):
            if await self._parts.database.write(lambda tx: transitions.requeue(tx, row.id, lease)):
                await self._requeue(row.id, row.account_id, row.provider_id)
        else:
            error = UpstreamTimeout(
                "The server stopped while the provider was working, so the picture was lost.", generation_id=row.id
            )
            if await settle_failure(self._parts.database, row, lease, error, self._parts.clock):
                await self._ended(row)

    async def _succeed_from_blob(self, row: Generation, lease: str) -> bool:
        async for blob in self._parts.blobs.keys(blob_prefix(row.id)):
            data = await self._parts.blobs.get(blob.key)
            image = ProviderImage(data, served_by=row.options["upstreamId"])
            try:
                outcome = await asyncio.to_thread(describe, row.id, lease, image, self._parts.credentials)
            except NotAPicture:
                continue
            await self._parts.blobs.put(outcome.blob_key, data, outcome.media_type)
            if await settle_success(self._parts.database, row, lease, outcome, self._parts.clock):
                await self._parts.blobs.delete(blob.key)
            return True
        return False

    def _may_run_again(self, row: Generation) -> bool:
        if row.sent_at is None or row.provider_handle is not None:
            return True
        try:
            return self._parts.suppliers[row.provider_id].safe_to_repeat
        except ModelUnavailable:
            return False

    async def _ended(self, row: Generation) -> None:
        self._parts.events.publish(Event("ended", row.id))
        await forget_inputs(self._parts, row)
