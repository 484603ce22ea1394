"""Notices callers who hang up while we work for them."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

T = TypeVar("T")


async def while_connected(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns; cancels it and raises ClientDisconnect when the caller goes away first.

    The body must have been read: what comes next on the connection is its end.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(departure(request.receive))
    try:
        await asyncio.wait([working, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.cancel()
            await asyncio.wait([working])
            raise ClientDisconnect
        return working.result()
    finally:
        leaving.cancel()
        working.cancel()


async def departure(receive: Receive) -> None:
    """Until the caller hangs up. The body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def is_gone(receive: Receive) -> bool:
    """Whether the caller has hung up already. The body must have been read, and the answer not be complete."""
    hearing = asyncio.ensure_future(receive())
    await asyncio.wait([hearing], timeout=0)
    if hearing.done():
        return hearing.result()["type"] == "http.disconnect"
    hearing.cancel()
    return False
