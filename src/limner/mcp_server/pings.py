"""One clock for all who wait: whoever heard nothing for a while is told that we live."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from itertools import cycle

from limner.mcp_server.reply import Reply

PING_SECONDS = 15.0
"""Every so often a caller who waits in silence is told that we live."""

TURNS = 150
"""The clock ticks so often in that time, and at each tick looks after its share: thousands are not told at once."""


class Pings:
    """Belongs to one event loop; its clock stands still while nobody waits."""

    def __init__(self) -> None:
        self._waiting: list[set[Reply]] = [set() for _ in range(TURNS)]
        self._turns = cycle(self._waiting)  # whose turn it is
        self._seats = cycle(self._waiting)  # where who comes next belongs
        self._count = 0
        self._is_ticking = False
        self._telling: set[asyncio.Task[None]] = set()

    @contextmanager
    def of(self, reply: Reply) -> Generator[None]:
        """Meanwhile `reply` is kept alive."""
        seat = next(self._seats)
        seat.add(reply)
        self._count += 1
        if not self._is_ticking:
            self._wind()
        try:
            yield
        finally:
            seat.discard(reply)
            self._count -= 1

    def _wind(self) -> None:
        self._is_ticking = True
        asyncio.get_running_loop().call_later(PING_SECONDS / TURNS, self._tick)

    def _tick(self) -> None:
        self._is_ticking = False
        for reply in next(self._turns):
            if reply.was_silent():
                telling = asyncio.get_running_loop().create_task(reply.keep_alive())
                self._telling.add(telling)
                telling.add_done_callback(self._telling.discard)
        if self._count:
            self._wind()
