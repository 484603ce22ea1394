"""The queue and the events of many processes on one PostgreSQL."""

import asyncio
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import structlog

from limner.queue.base import Event, Fleet, Hand, Watching, Work
from limner.queue.embedded import EmbeddedEvents
from limner.queue.engine import Engine

BREATH_SECONDS = 0.05
"""Between two sendings: what happened meanwhile goes together, and of a generation's progress only the newest."""

UNSENT_MOST = 5000
"""What a database that is away may leave unsent; the oldest news are the least worth."""

log = structlog.stdlib.get_logger(__name__)


class Parcels(Protocol):
    """Where an unfinished picture lies while its news travels: a blob store."""

    async def put(self, key: str, data: bytes, media_type: str) -> None: ...
    async def get(self, key: str) -> bytes: ...


class FleetQueue:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stopped = asyncio.Event()

    def hand(self, provider_id: str) -> Hand | None:
        """The engine alone knows which are free."""
        return None

    async def call(self, provider_id: str, count: int = 1) -> None:
        try:
            await self._engine.call(provider_id, count)
        except OSError as problem:
            log.warning("a call for hands was lost; recovery will make it again", error=str(problem))

    async def serve(self, work: Work) -> None:
        if not self._stopped.is_set():
            self._engine.answer(work)
        await self._stopped.wait()

    async def stop(self) -> None:
        self._stopped.set()
        self._engine.rest()

    async def fleet(self) -> Fleet:
        return await self._engine.fleet()

    async def close(self) -> None:
        self._stopped.set()


class FleetEvents:
    """Watchers here are told at once; those of other processes by the engine, unfinished pictures by way of the blobs."""

    def __init__(self, engine: Engine, parcels: Parcels, process_id: str) -> None:
        self._engine = engine
        self._parcels = parcels
        self._process_id = process_id
        self._here = EmbeddedEvents()
        self._unsent: dict[Any, Mapping[str, Any]] = {}
        self._numbered = 0
        self._has_news = asyncio.Event()
        self._carrying: set[asyncio.Task[None]] = set()
        self._sending = asyncio.create_task(self._send())
        engine.listen(self._hear)

    def publish(self, event: Event) -> None:
        self._here.publish(event)
        if event.partial is None:
            self._note(event, None)
        else:
            self._carry(self._dispatch(event))

    @contextmanager
    def watch(self, generation_ids: Sequence[str]) -> Generator[Watching]:
        with self._here.watch(generation_ids) as watching:
            yield watching

    def latest(self, generation_id: str) -> Event | None:
        return self._here.latest(generation_id)

    async def close(self) -> None:
        """Sends what is left to tell."""
        self._sending.cancel()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(self._sending, *self._carrying, return_exceptions=True)
        await self._send_all()

    def _note(self, event: Event, key: str | None) -> None:
        self._numbered += 1
        name = (event.generation_id, "running") if event.kind == "running" else self._numbered
        self._unsent.pop(name, None)
        self._unsent[name] = _news(event, key, self._process_id)
        if len(self._unsent) > UNSENT_MOST:
            del self._unsent[next(iter(self._unsent))]
        self._has_news.set()

    async def _send(self) -> None:
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            await self._send_all()
            await asyncio.sleep(BREATH_SECONDS)

    async def _send_all(self) -> None:
        news, self._unsent = list(self._unsent.values()), {}
        if news:
            try:
                await self._engine.send(news)
            except OSError as problem:
                log.warning("news were lost; who waits looks again", count=len(news), error=str(problem))

    def _hear(self, news: Mapping[str, Any]) -> None:
        if news["from"] == self._process_id:
            return
        event = _event(news)
        if event.kind != "partial":
            self._here.publish(event)
        elif self._here.is_watched(event.generation_id):
            self._carry(self._fetch(event, news["blob"]))

    async def _dispatch(self, event: Event) -> None:
        """The sweep of orphans deletes it an hour after its generation ended."""
        assert event.partial is not None
        self._numbered += 1
        key = f"images/{event.generation_id}/partial/{self._process_id}-{self._numbered}"
        await self._parcels.put(key, event.partial, event.partial_media_type or "image/png")
        self._note(event, key)

    async def _fetch(self, event: Event, key: str) -> None:
        data = await self._parcels.get(key)
        self._here.publish(
            Event("partial", event.generation_id, event.phase, event.fraction, None, data, event.partial_media_type)
        )

    def _carry(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._carrying.add(task)
        task.add_done_callback(self._carried)

    def _carried(self, task: "asyncio.Task[None]") -> None:
        self._carrying.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.warning("an unfinished picture was lost on its way", error=repr(problem))


def _news(event: Event, key: str | None, process_id: str) -> dict[str, Any]:
    """Well under PostgreSQL's 8,000 bytes."""
    return {
        "from": process_id,
        "kind": event.kind,
        "id": event.generation_id,
        "phase": event.phase and event.phase[:500],
        "fraction": event.fraction,
        "place": event.place,
        "blob": key,
        "type": event.partial_media_type,
    }


def _event(news: Mapping[str, Any]) -> Event:
    return Event(
        news["kind"], news["id"], news["phase"], news["fraction"], news["place"], partial_media_type=news["type"]
    )
