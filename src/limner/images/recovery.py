"""Puts right what a process left behind when it died: by lease, never by "I have just started".

Bytes complete under the id: charge and succeed. Not yet sent, free to repeat, or resumable by the
supplier's handle: run again, a few times. Sent and unknown: never pay twice blindly, so fail and release.
"""

import asyncio
from datetime import datetime, timedelta

import structlog

from limner import tracing
from limner.db.base import Transaction
from limner.db.types import new_id
from limner.errors import Internal, ModelUnavailable, ServerBusy, ServiceError, UpstreamTimeout
from limner.images import calls, generations, line, lists, transitions
from limner.images.generations import Generation
from limner.images.line import Seats
from limner.images.parts import Parts
from limner.images.pictures import NotAPicture
from limner.images.settling import blob_prefix, describe, forget_inputs, settle_failure, settle_success
from limner.providers.base import ProviderImage
from limner.queue.base import Event, Fleet, Queue

SWEEP_SECONDS = 5.0

GRACE_SECONDS = 45
"""How long work waits for a supplier that no living process has: those that have it may just be starting again."""

MOST_RUNS = 5
"""A picture whose server died so often under it may be what it dies of."""

log = structlog.stdlib.get_logger(__name__)


class Recovery:
    def __init__(self, parts: Parts, queue: Queue, seats: Seats) -> None:
        self._parts = parts
        self._queue = queue
        self._seats = seats
        self._nobodys_since: dict[str, datetime] = {}

    async def run(self) -> None:
        """Forever; cancel it."""
        while True:
            try:
                await self.sweep()
            except OSError as problem:
                log.warning("recovery waits for the database or the blob store", error=str(problem))
            await asyncio.sleep(SWEEP_SECONDS)

    async def sweep(self) -> int:
        """Settle or requeue what is abandoned or overdue; how many."""
        fleet = await self._queue.fleet()
        await self._break_off_gone(fleet)
        settled = await self._settle_all(fleet)
        await self._call_for_waiting(fleet)
        return settled

    async def _settle_all(self, fleet: Fleet) -> int:
        now = self._parts.clock()
        overdue = await self._parts.database.read(lambda tx: lists.overdue(tx, now))
        abandoned = await self._parts.database.read(lambda tx: lists.abandoned(tx, now))
        for generation_id in overdue:
            await self._expire(generation_id)
        ours = [each for each, provider_id in abandoned.items() if not self._is_for_others(provider_id, fleet)]
        for generation_id in ours:
            await self._take_over(generation_id)
        return len(overdue) + len(ours)

    def _is_for_others(self, provider_id: str, fleet: Fleet) -> bool:
        """Only who has this supplier knows whether its work may be repeated; one of those that live has it."""
        return provider_id in fleet.providers and not self._has(provider_id)

    def _has(self, provider_id: str) -> bool:
        try:
            self._parts.suppliers[provider_id]
        except ModelUnavailable:
            return False
        return True

    async def _break_off_gone(self, fleet: Fleet) -> None:
        """Every wait of a process that is gone broke off: an identical call may adopt what it waited for."""
        waiters = await self._parts.database.read(calls.waiters)
        gone = set(waiters) - fleet.processes

        def break_off(tx: Transaction) -> None:
            for waiter in sorted(gone):
                calls.break_off_all(tx, waiter, self._parts.clock())

        if gone:
            await self._parts.database.write_slowly(break_off)

    async def _call_for_waiting(self, fleet: Fleet) -> None:
        """A call may be lost with its process; and what nobody can run any more is not left waiting for long."""
        waiting = await self._parts.database.read(line.waiting)
        nobodys = {each for each in waiting if each not in fleet.providers and not self._has(each)}
        now = self._parts.clock()
        self._nobodys_since = {each: self._nobodys_since.get(each, now) for each in nobodys}
        for provider_id, count in waiting.items():
            try:
                self._parts.suppliers[provider_id]
            except ModelUnavailable as error:
                if now - self._nobodys_since.get(provider_id, now) >= timedelta(seconds=GRACE_SECONDS):
                    await self._fail_all(provider_id, error)
                continue
            seats = self._seats.get(provider_id)
            if await self._parts.database.read(lambda tx, p=provider_id, s=seats: line.has_room(tx, p, s)):
                await self._queue.call(provider_id, count)

    async def _fail_all(self, provider_id: str, error: ModelUnavailable) -> None:
        """The operator took this supplier away: nobody would ever take its orders."""
        for generation_id in await self._parts.database.read(lambda tx: lists.waiting_for(tx, provider_id)):
            await self._fail_queued(generation_id, error)

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
            await self._parts.database.write(lambda tx: transitions.requeue(tx, row.id, lease))
        elif await settle_failure(self._parts.database, row, lease, _lost(row), self._parts.clock):
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
        if row.attempts >= MOST_RUNS:
            return False
        if row.sent_at is None or row.provider_handle is not None:
            return True
        return self._has(row.provider_id) and self._parts.suppliers[row.provider_id].safe_to_repeat

    async def _ended(self, row: Generation) -> None:
        self._parts.events.publish(Event("ended", row.id))
        await forget_inputs(self._parts, row)


def _lost(row: Generation) -> ServiceError:
    if row.attempts >= MOST_RUNS:
        return Internal(
            f"The server stopped {row.attempts} times while it made this picture, so it was given up.",
            next_step="Ask for a smaller or simpler picture; tell the operator if it happens again.",
            generation_id=row.id,
        )
    return UpstreamTimeout(
        "The server stopped while the provider was working, so the picture was lost.", generation_id=row.id
    )
