"""Takes generations from the queue and runs them, many at a time, until it is told to stop."""

import asyncio
from datetime import timedelta

import structlog

from limner.db.types import new_id
from limner.images import generations
from limner.images.attempt import Attempt, Parts
from limner.queue.base import Job, Queue

log = structlog.stdlib.get_logger(__name__)


class Runner:
    """`at_once` bounds what is running here; each supplier's own limit stands inside of that."""

    def __init__(self, parts: Parts, queue: Queue, *, deadline_seconds: float, at_once: int = 256) -> None:
        self._parts = parts
        self._queue = queue
        self._deadline = timedelta(seconds=deadline_seconds)
        self._places = asyncio.Semaphore(at_once)
        self._running: dict[asyncio.Task[None], Attempt | None] = {}
        self._stopping = False

    async def run(self) -> None:
        """Forever; cancel it, or call `stop`."""
        while not self._stopping:
            await self._places.acquire()
            try:
                job = await self._queue.take()
            except BaseException:
                self._places.release()
                raise
            self._spawn(job)

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

    def _spawn(self, job: Job) -> None:
        task = asyncio.create_task(self._run(job))
        self._running[task] = None
        task.add_done_callback(self._finished)

    def _finished(self, task: "asyncio.Task[None]") -> None:
        del self._running[task]
        self._places.release()
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("a run could not be settled; its lease will run out", error=repr(problem))

    async def _run(self, job: Job) -> None:
        lease = new_id()
        now = self._parts.clock()
        row = await self._parts.database.write(
            lambda tx: generations.claim(
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
        attempt = Attempt(self._parts, row, lease)
        current = asyncio.current_task()
        assert current is not None
        self._running[current] = attempt
        await attempt.run()
