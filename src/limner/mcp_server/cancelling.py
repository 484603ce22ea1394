"""Cancelling a call by a request of its own, as clients of the eras before 2026-07-28 do when their time is over.

It finds the call only in the process where it waits; elsewhere the closing of the connection does the same.
What is cancelled is the waiting: the generation goes on, and the same call may adopt it.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from anyio import CancelScope


@dataclass(frozen=True, slots=True)
class CallName:
    """A request id is unique only within one client's session with one key."""

    caller_id: str
    session: str
    request_id: str | int


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
