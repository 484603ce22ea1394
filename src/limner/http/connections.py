"""What the server can see of a client's connection: whether our last bytes arrived, and how it ended.

HTTP acknowledges nothing, but TCP does. A client that closes with bytes unread resets the connection; one that read
everything closes it in order, or keeps it and asks again.
"""

import asyncio
import contextlib
import fcntl
import struct
import termios
from typing import Any, Literal, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from limner.http.writing import JoinedWrites

GRACE_SECONDS = 0.25
"""How long a client that left is given to show it, once everything has arrived at its machine."""

LOOK_SECONDS = 0.02
"""Nobody tells us of an acknowledgement: we look."""

LONGEST_SECONDS = 60.0
"""After that a network has had its chances to deliver the rest."""

End = Literal["in order", "broken"]


class Connection:
    """`requests` counts what the client has asked on this connection; `end` is None while it is open."""

    def __init__(self, transport: JoinedWrites) -> None:
        self._transport = transport
        self._news: asyncio.Event | None = None  # made when somebody asks: thousands of connections wait at once
        self.requests = 0
        self.end: End | None = None

    def heard_request(self) -> "Exchange":
        self.requests += 1
        self._tell()
        return Exchange(self, self.requests)

    def heard_close(self, *, is_answered: bool) -> None:
        """The client sends no more: in order only if it had been answered, and had everything by then."""
        self._end("in order" if is_answered and self.unacknowledged_bytes() == 0 else "broken")

    def heard_end(self, problem: Exception | None) -> None:
        """Without a problem it was we who closed, having sent everything."""
        self._end("in order" if problem is None else "broken")

    async def news(self, seconds: float) -> None:
        """Until the client asks or the connection ends, at most that long."""
        self._news = asyncio.Event()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    def unacknowledged_bytes(self) -> int:
        """What is still to be sent, or was sent and not acknowledged; of the latter nothing where no system says."""
        waiting = self._transport.get_write_buffer_size()
        try:
            told = fcntl.ioctl(self._transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
        except (OSError, AttributeError, ValueError):  # ValueError: closed meanwhile
            return waiting
        return waiting + struct.unpack("i", told)[0]

    def _end(self, how: End) -> None:
        self.end = self.end or how
        self._tell()

    def _tell(self) -> None:
        if self._news is not None:
            self._news.set()


class Exchange:
    """One request on a connection and its answer."""

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection = connection
        self._number = number

    @property
    def has_left(self) -> bool:
        return self._connection.end is not None

    async def is_taken(self) -> bool:
        """Whether the client took the answer just written, as far as its connection tells.

        It did when it asks on, closes in order with nothing unacknowledged, or stays with everything acknowledged.
        """
        return await self._stays() or self._asked_on or self._connection.end == "in order"

    async def _stays(self) -> bool:
        looks, quiet = 0, 0
        while self._connection.end is None and not self._asked_on and looks * LOOK_SECONDS < LONGEST_SECONDS:
            if quiet * LOOK_SECONDS >= GRACE_SECONDS:
                return True
            looks, quiet = looks + 1, quiet + (1 if self._connection.unacknowledged_bytes() == 0 else 0)
            await self._connection.news(LOOK_SECONDS)
        return False

    @property
    def _asked_on(self) -> bool:
        return self._connection.requests > self._number


class WatchedHttp(HttpToolsProtocol):
    """uvicorn's protocol, with each request's exchange in its scope."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        joined = JoinedWrites(transport)
        self.transport = cast("asyncio.Transport", joined)
        self._connection = Connection(joined)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)["limner.exchange"] = self._connection.heard_request()

    def eof_received(self) -> None:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        self._connection.heard_close(is_answered=cycle is None or cycle.response_complete)
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.heard_end(exc)
        super().connection_lost(exc)


async def is_taken(scope: Scope) -> bool:
    """Whether the client took the answer just written; under a server that does not watch, what was sent counts."""
    exchange: Exchange | None = scope.get("limner.exchange")
    return exchange is None or await exchange.is_taken()


def has_left(scope: Scope) -> bool:
    """Whether the client has closed its connection, as far as we have heard."""
    exchange: Exchange | None = scope.get("limner.exchange")
    return exchange is not None and exchange.has_left
