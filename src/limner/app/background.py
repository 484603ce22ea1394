"""What a process does besides answering: regular tasks, and contexts that outlive a call."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import chain, repeat
from typing import Any

import structlog

from limner.accounts import connections, consents, identities, oauth_clients, sessions, sign_in
from limner.app.outside import DISCOVERY_PATIENCE_SECONDS
from limner.app.services import Services
from limner.catalog.entries import load
from limner.db.base import Transaction

DISCOVERY_SECONDS = 3600.0
log = structlog.stdlib.get_logger(__name__)


async def repeatedly(work: Callable[[], Coroutine[Any, Any, object]], seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except OSError as problem:
            log.warning("a regular task waits for the database", error=str(problem))


async def rediscover(services: Services) -> None:
    """What suppliers offer changes while a server runs; one that was too slow at the start is asked again soon."""
    for pause_seconds in chain([DISCOVERY_PATIENCE_SECONDS * 10], repeat(DISCOVERY_SECONDS)):
        await asyncio.sleep(pause_seconds)
        discovered = await services.providers.discover()
        services.catalog.replace(load(services.config.catalog_path, discovered))


async def sweep_expired(services: Services) -> None:
    """Forget what has run out and nobody can use any more."""

    def sweep(tx: Transaction) -> None:
        for each in (connections, oauth_clients, consents, sessions, sign_in, identities):
            each.sweep(tx, services.clock())

    await services.database.write_slowly(sweep)


@asynccontextmanager
async def in_background(work: Sequence[Coroutine[Any, Any, None]]) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(each) for each in work]
    for task in tasks:
        task.add_done_callback(_log_end)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def in_its_own_task(context: AbstractAsyncContextManager[None]) -> AsyncGenerator[None]:
    """Enter and leave a context in one task, as the SDK's task groups demand, whoever's tasks we are called in."""
    entered, leave = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with context:
            entered.set()
            await leave.wait()

    task = asyncio.create_task(hold())
    task.add_done_callback(lambda _: entered.set())  # a context that cannot be entered must not be waited for
    await entered.wait()
    try:
        yield
    finally:
        leave.set()
        await task


def _log_end(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.error("a background task ended", exc_info=problem)
