"""What was read from the database, remembered until the database changes."""

from collections.abc import Awaitable, Callable, Hashable
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from limner.db.base import Database
from limner.db.types import Clock

T = TypeVar("T")

LONGEST = timedelta(seconds=1)
"""Time passes in an unchanged database too: what expires in it counts no longer than this."""

MOST = 1000


class Remembered(Generic[T]):
    """Answers by what they were asked for, forgotten as soon as anything at all is committed, in whatever process.

    A revocation or a deletion therefore counts with the next request. A database that cannot tell whether it changed
    (PostgreSQL) is asked each time. What was not found is asked for again.
    """

    def __init__(self, database: Database, clock: Clock, *, most: int = MOST) -> None:
        self._database = database
        self._clock = clock
        self._most = most
        self._known: dict[Hashable, T] = {}
        self._version: int | None = None
        self._since = datetime.min.replace(tzinfo=UTC)

    async def get(self, what: Hashable, ask: Callable[[], Awaitable[T | None]]) -> T | None:
        known = self._still_known()
        answer = known.get(what)
        if answer is None and (answer := await ask()) is not None and len(known) < self._most:
            known[what] = answer  # if the database changed meanwhile, nobody looks here any more
        return answer

    def _still_known(self) -> dict[Hashable, T]:
        version, now = self._database.version(), self._clock()
        if version is None or version != self._version or not self._since <= now < self._since + LONGEST:
            self._known, self._version, self._since = {}, version, now
        return self._known
