"""What a process does that makes pictures: the queue it takes them from, the runner, and putting right what others left."""

from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from limner.blobs.base import Blobs
from limner.config import Config
from limner.images.recovery import Recovery
from limner.providers.registry import Providers
from limner.queue.base import Events, Queue
from limner.queue.embedded import EmbeddedEvents, EmbeddedQueue

if TYPE_CHECKING:
    from limner.app.services import Services

LAST_WAIT_SECONDS = 10.0
"""How long a request still waits for its picture once the process was told to end; then it hears how to come back."""


async def open_queue(
    config: Config, providers: Providers, blobs: Blobs, process_id: str, stack: AsyncExitStack
) -> tuple[Queue, Events]:
    """In memory for the one process on SQLite; an engine over PostgreSQL for any number of them."""
    hands: Mapping[str, int] = providers.hands if config.runs_generations else {}
    if config.is_sqlite:
        return EmbeddedQueue(process_id, hands), EmbeddedEvents()
    from limner.db.postgres_connection import conninfo_of
    from limner.queue.engine import Engine  # only what is used is loaded
    from limner.queue.fleet import FleetEvents, FleetQueue

    engine = await Engine.open(conninfo_of(config.database_url), process_id, hands)
    stack.push_async_callback(engine.close)
    events = FleetEvents(engine, blobs, process_id)
    stack.push_async_callback(events.close)
    return FleetQueue(engine), events


def running_generations(services: "Services") -> list[Coroutine[Any, Any, None]]:
    """Every process puts right what another left behind; who claims stops that the moment it is told to end."""
    runner = services.runner

    async def stop_claiming() -> None:
        await services.state.told.wait()
        await runner.stop_claiming()

    return [runner.run(), stop_claiming(), Recovery(services.parts, services.queue, services.providers.seats).run()]


async def end_waits_soon(services: "Services") -> None:
    await services.state.told.wait()
    services.images.end_soon(LAST_WAIT_SECONDS)
