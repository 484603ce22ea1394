"""Runs generations, many at a time, until it is told to stop: whoever is next in line when a call comes."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog

from limner import metrics
from limner.db.base import Transaction
from limner.db.types import new_id
from limner.images import line
from limner.images.attempt import Attempt
from limner.images.beginning import Started
from limner.images.generations import Generation
from limner.images.line import Seats
from limner.images.parts import Parts
from limner.queue.base import Hand, Queue

HAND_OVER_AFTER_SECONDS = 10.0
"""What is nearly done is finished here; what takes longer goes on elsewhere."""

HALT_SECONDS = 5.0
"""How long it takes at most to write down that something was handed over."""

RETRY_SECONDS = 1.0
"""Between two looks at a database that does not answer."""

T = TypeVar("T")

log = structlog.stdlib.get_logger(__name__)


class Runner:
    """`seats` says how many orders each provider takes from all processes together."""

    def __init__(self, parts: Parts, queue: Queue, *, deadline_seconds: float, seats: Seats) -> None:
        self._parts = parts
        self._queue = queue
        self._deadline = timedelta(seconds=deadline_seconds)
        self._seats = seats
        self._running: dict[asyncio.Task[None], Attempt] = {}
        self._claiming: set[asyncio.Task[Any]] = set()
        self._stopping = False

    async def write_down(
        self, provider_id: str, write: Callable[[Transaction], Started]
    ) -> tuple[Started, Generation | None]:
        """Commit what `write` begins; a hand that is free here takes the next in line in the same transaction.

        What it took is under way then, and returned too.
        """
        hand = None if self._stopping else self._queue.hand(provider_id)
        if hand is None:
            return await self._parts.database.write(write), None
        return await self._undisturbed(self._write_down_and_begin(provider_id, write, hand))

    async def run(self) -> None:
        """Until `stop_claiming`; cancel it, or let it come to that."""
        await self._queue.serve(self._answer)

    async def stop_claiming(self) -> None:
        """Take nothing more; what runs goes on."""
        self._stopping = True
        await self._queue.stop()

    async def stop(self, drain_seconds: float, pressed: asyncio.Event) -> None:
        """Let what runs finish; soon hand over what costs nothing to repeat, and give the rest `drain_seconds`.

        Once `pressed` is set nothing is waited for that takes longer than to write down how things stand.
        """
        await self.stop_claiming()
        if self._claiming:
            await asyncio.wait(self._claiming, timeout=HALT_SECONDS)
        await self._drain(min(drain_seconds, HAND_OVER_AFTER_SECONDS), pressed)
        await self._hand_over()
        await self._drain(drain_seconds - HAND_OVER_AFTER_SECONDS, pressed)
        if self._running:
            log.warning("stopping although suppliers are still at work", count=len(self._running))

    async def _hand_over(self) -> None:
        handed_over = {task: attempt for task, attempt in self._running.items() if attempt.hand_over()}
        if handed_over:
            await asyncio.wait(handed_over, timeout=HALT_SECONDS)
        for attempt in handed_over.values():
            await self._queue.call(attempt.provider_id)

    async def _drain(self, seconds: float, pressed: asyncio.Event) -> None:
        if not self._running or seconds <= 0:
            return
        drained = asyncio.create_task(asyncio.wait(list(self._running)))
        pressing = asyncio.create_task(pressed.wait())
        await asyncio.wait([drained, pressing], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        drained.cancel()
        pressing.cancel()

    async def _answer(self, provider_id: str) -> None:
        """One hand: run what waits for this provider, one after the other, until nothing does."""
        while not self._stopping:
            try:
                task = await self._begin_next(provider_id)
            except OSError as problem:
                log.warning("a runner waits for the database", error=str(problem))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if task is None:
                return
            await asyncio.wait([task])

    async def _begin_next(self, provider_id: str) -> "asyncio.Task[None] | None":
        return await self._undisturbed(self._claim_and_begin(provider_id))

    async def _undisturbed(self, claiming: Coroutine[Any, Any, T]) -> T:
        """Never cancelled halfway: what was claimed runs."""
        task = asyncio.create_task(claiming)
        self._claiming.add(task)
        task.add_done_callback(self._claiming.discard)
        return await asyncio.shield(task)

    async def _claim_and_begin(self, provider_id: str) -> "asyncio.Task[None] | None":
        """Looks before it takes: where nobody waits, as is usual after the last, nothing has to be written."""
        if not await self._parts.database.read(lambda tx: line.is_waiting(tx, provider_id)):
            return None
        claim = self._claim(provider_id)
        row = await self._parts.database.write(claim.take)
        return None if row is None else self._begin(row, claim.lease)

    async def _write_down_and_begin(
        self, provider_id: str, write: Callable[[Transaction], Started], hand: Hand
    ) -> tuple[Started, Generation | None]:
        claim = self._claim(provider_id)

        def both(tx: Transaction) -> tuple[Started, Generation | None]:
            started = write(tx)
            return started, None if started.replayed else claim.take(tx)

        try:
            started, row = await self._parts.database.write(both)
        except BaseException:
            hand.free()
            raise
        if row is None:
            hand.free()
        else:
            hand.hold(self._begin(row, claim.lease))
        return started, row

    def _claim(self, provider_id: str) -> "_Claim":
        now = self._parts.clock()
        until = now + timedelta(seconds=self._parts.lease_seconds)
        return _Claim(provider_id, new_id(), self._seats.get(provider_id), now, until, now + self._deadline)

    def _begin(self, row: Generation, lease: str) -> "asyncio.Task[None]":
        metrics.QUEUE_SECONDS.labels(row.provider_id).observe((self._parts.clock() - row.created_at).total_seconds())
        attempt = Attempt(self._parts, row, lease)
        task = asyncio.create_task(attempt.run())
        self._running[task] = attempt
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: "asyncio.Task[None]") -> None:
        del self._running[task]
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("a run could not be settled; its lease will run out", error=repr(problem))


@dataclass(frozen=True, slots=True)
class _Claim:
    """Whoever is next in line with a provider, under a lease of ours."""

    provider_id: str
    lease: str
    seats: int | None
    now: datetime
    until: datetime
    deadline_at: datetime

    def take(self, tx: Transaction) -> Generation | None:
        return line.take(
            tx,
            self.provider_id,
            self.lease,
            seats=self.seats,
            now=self.now,
            until=self.until,
            deadline_at=self.deadline_at,
        )
