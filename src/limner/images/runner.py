"""Takes generations from the queue and runs them, many at a time, until it is told to stop."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import structlog

from limner import metrics
from limner.db.types import new_id
from limner.images import transitions
from limner.images.attempt import Attempt, Parts
from limner.queue.base import Job, Queue

log = structlog.stdlib.get_logger(__name__)


class Runner:
    """`places` says how many orders each provider takes at once; so many are claimed, the others stay in the queue."""

    def __init__(self, parts: Parts, queue: Queue, *, deadline_seconds: float, places: Mapping[str, int]) -> None:
        self._parts = parts
        self._queue = queue
        self._deadline = timedelta(seconds=deadline_seconds)
        self._places = places
        self._running: dict[asyncio.Task[None], Attempt | None] = {}
        self._stopping = False

    async def run(self) -> None:
        """Forever; cancel it, or call `stop`."""
        await asyncio.gather(*(self._serve(name) for name, places in self._places.items() for _ in range(places)))

    async def stop(self, drain_seconds: float) -> None:
        """Take nothing more; give what runs `drain_seconds` to finish, then hand over what costs nothing to repeat."""
        self._stopping = True
        if self._running:
            await asyncio.wait(self._running, timeout=drain_seconds)
        for attempt in list(self._running.values()):
            if attempt is not None:
                await attempt.hand_over()
        if self._running:
            await asyncio.wait(self._running, timeout=5.0)

    async def _serve(self, provider_id: str) -> None:
        """One place with a provider: the next job when the last one has ended."""
        while not self._stopping:
            job = await self._queue.take(provider_id)
            task = asyncio.create_task(self._run(job))
            self._running[task] = None
            task.add_done_callback(self._finished)
            await asyncio.wait([task])

    def _finished(self, task: "asyncio.Task[None]") -> None:
        del self._running[task]
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("a run could not be settled; its lease will run out", error=repr(problem))

    async def _run(self, job: Job) -> None:
        lease = new_id()
        now = self._parts.clock()
        row = await self._parts.database.write(
            lambda tx: transitions.claim(
                tx,
                job.generation_id,
                lease,
                now=now,
                until=now + timedelta(seconds=self._parts.lease_seconds),
                deadline_at=now + self._deadline,
            )
        )
        if row is None:
            return
        metrics.QUEUE_SECONDS.labels(row.provider_id).observe(max((now - row.created_at).total_seconds(), 0))
        attempt = Attempt(self._parts, row, lease)
        current = asyncio.current_task()
        assert current is not None
        self._running[current] = attempt
        await attempt.run()
