"""What happens while a page is open, as server-sent events: changes of the account, and pictures on their way.

Changes are seen by reading one row a second, so that it does not matter which process made them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from typing import Any

import orjson
import pybase64
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from limner.db.base import Database, Transaction
from limner.errors import NotFound
from limner.http.sessions import SessionCookies
from limner.images.service import Images
from limner.queue.base import Event
from limner.web.door import PageDoor
from limner.web.pages import Pages
from limner.web.visitors import Visitor

TICK_SECONDS = 1.0
TICKS_PER_CHECK = 15
"""How often a stream says that it lives, and looks whether its session still does."""

MOST_WATCHED = 8
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}


class Live:
    """`stopping` is true once the process was told to end: streams do not hold it up."""

    def __init__(
        self,
        database: Database,
        images: Images,
        cookies: SessionCookies,
        pages: Pages,
        stopping: Callable[[], bool],
    ) -> None:
        self._database = database
        self._images = images
        self._cookies = cookies
        self._pages = pages
        self._stopping = stopping

    def routes(self, door: PageDoor) -> list[Route]:
        return [
            door.dashboard("/dashboard/events", self._account),
            door.dashboard("/dashboard/events/images", self._pictures),
            door.dashboard("/dashboard/balance", self._balance),
        ]

    async def _account(self, request: Request, visitor: Visitor) -> Response:
        return _stream(self._changes(request, visitor.signed_in.account_id))

    async def _pictures(self, request: Request, visitor: Visitor) -> Response:
        ids = request.query_params.getlist("id")[:MOST_WATCHED]
        for each in ids:
            await self._images.get(visitor.principal, each)  # NotFound for another account's
        return _stream(self._progress(visitor, ids))

    async def _balance(self, request: Request, visitor: Visitor) -> Response:
        return self._pages.render("partials/balance.html", visitor)

    async def _changes(self, request: Request, account_id: str) -> AsyncIterator[bytes]:
        seen = await self._state(account_id)
        yield b"retry: 2000\n\n"
        ticks = 0
        while not self._stopping():
            await asyncio.sleep(TICK_SECONDS)
            ticks += 1
            if ticks % TICKS_PER_CHECK == 0:
                if await self._cookies.session(request.scope) is None:
                    return
                yield b": here\n\n"
            state = await self._state(account_id)
            if state[:-1] != seen[:-1]:
                yield _event("changed", {})
            if state[-1] != seen[-1]:
                yield _event("called", {})
            seen = state

    async def _state(self, account_id: str) -> tuple[Any, ...]:
        """The totals that move with every hold, charge, picture and deletion; last, when a key and a connection were last used."""

        def read(tx: Transaction) -> tuple[Any, ...]:
            row = tx.first("SELECT * FROM balances WHERE account_id = :id", id=account_id)
            used = tuple(
                tx.scalar(f"SELECT max(last_used_at) FROM {table} WHERE account_id = :id", id=account_id)  # noqa: S608
                for table in ("api_keys", "connections")
            )
            if row is None:
                return (used,)
            names = ("ledger_balance", "held", "transactions_total", "generations_total", "images_total")
            return (*(row[name] for name in names), used)

        return await self._database.read(read)

    async def _progress(self, visitor: Visitor, ids: list[str]) -> AsyncIterator[bytes]:
        """Until every picture has ended."""
        with ExitStack() as stack:
            watching = stack.enter_context(self._images.watch(*ids))
            waiting = set(ids)
            for each in ids:
                if (event := await self._images.state(each)) is not None:
                    yield _progress_event(event)
            while waiting and not self._stopping():
                event = await watching.next(TICK_SECONDS)
                if event is not None and event.kind != "ended":
                    yield _progress_event(event)
                for each in await self._ended(visitor, waiting):
                    waiting.discard(each)
                    yield _event("ended", {"id": each})

    async def _ended(self, visitor: Visitor, ids: set[str]) -> list[str]:
        return [each for each in sorted(ids) if await self._has_ended(visitor, each)]

    async def _has_ended(self, visitor: Visitor, generation_id: str) -> bool:
        try:
            return (await self._images.get(visitor.principal, generation_id)).has_ended
        except NotFound:
            return True


def _stream(events: AsyncIterator[bytes]) -> Response:
    return StreamingResponse(events, headers=HEADERS, media_type="text/event-stream")


def _progress_event(event: Event) -> bytes:
    data: dict[str, Any] = {"id": event.generation_id, "phase": event.phase or event.kind, "place": event.place}
    if event.fraction is not None:
        data["percent"] = round(event.fraction * 100)
    if event.partial is not None:
        encoded = pybase64.b64encode_as_string(event.partial)
        data["partial"] = f"data:{event.partial_media_type or 'image/png'};base64,{encoded}"
    return _event("progress", data)


def _event(name: str, data: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), orjson.dumps(data))
