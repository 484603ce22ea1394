"""Cancelling a call by a request of its own, as clients of the eras before 2026-07-28 do when their time is over.

What is cancelled is the waiting: the generation goes on, and the same call may adopt it. The wait ends at once in the
process where the cancel arrives; its name in the database tells every other one, and also that an answer already
written was not wanted any more.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

import orjson
from anyio import CancelScope


@dataclass(frozen=True, slots=True)
class CallName:
    """A request id is unique only within one client's session with one key."""

    caller_id: str
    session: str
    request_id: str | int

    @property
    def digest(self) -> str:
        """The same in every process."""
        return sha256(orjson.dumps([self.session, self.request_id])).hexdigest()


class Waiting:
    """The calls that wait in this process."""

    def __init__(self) -> None:
        self._scopes: dict[CallName, list[CancelScope]] = {}

    @contextmanager
    def cancellable(self, name: CallName) -> "Generator[CancelScope]":
        """What stands inside ends early when the call is cancelled; then the scope says `cancelled_caught`."""
        with CancelScope() as scope:
            self._scopes.setdefault(name, []).append(scope)
            try:
                yield scope
            finally:
                self._forget(name, scope)

    def cancel(self, name: CallName) -> None:
        """Nothing happens where it is not certain which call is meant."""
        scopes = self._scopes.get(name, [])
        if len(scopes) == 1:
            scopes[0].cancel()

    def _forget(self, name: CallName, scope: CancelScope) -> None:
        self._scopes[name].remove(scope)
        if not self._scopes[name]:
            del self._scopes[name]
