"""A circuit breaker: after a run of failures a supplier is left alone for a while, then tried with one request."""

import math
from collections.abc import Callable, Generator
from contextlib import contextmanager

from limner.errors import ServiceError, UpstreamTimeout, UpstreamUnavailable
from limner.providers.base import Unbilled

FAILURES_THAT_OPEN = 10
OPEN_SECONDS = 30.0


class Breaker:
    """Closed: everything passes. Open: nothing does. Half open: one probe decides.

    Only `UpstreamUnavailable` counts as a failure; a refused prompt or a missing picture shows that the supplier
    is alive. A timeout or a cancelled call shows neither and changes nothing.
    """

    def __init__(self, clock: Callable[[], float], failures_that_open: int = FAILURES_THAT_OPEN) -> None:
        self._clock = clock
        self._failures_that_open = failures_that_open
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False

    @property
    def is_open(self) -> bool:
        return self._opened_at is not None

    @contextmanager
    def watching(self) -> Generator[None]:
        """Around one call to the supplier; while open it raises UpstreamUnavailable instead."""
        probing = self._admit()
        try:
            yield
        except UpstreamTimeout:
            raise
        except (ServiceError, Unbilled) as error:
            if _is_failure(error):
                self._failed()
            else:
                self._worked()
            raise
        else:
            self._worked()
        finally:
            self._probing = self._probing and not probing

    def _admit(self) -> bool:
        """Whether the call is the probe."""
        if self._opened_at is None:
            return False
        wait = self._opened_at + OPEN_SECONDS - self._clock()
        if wait > 0 or self._probing:
            raise UpstreamUnavailable(retry_after_seconds=max(1, math.ceil(wait)))
        self._probing = True
        return True

    def _worked(self) -> None:
        self._failures, self._opened_at = 0, None

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= self._failures_that_open:
            self._opened_at = self._clock()


def _is_failure(error: Exception) -> bool:
    return isinstance(error.error if isinstance(error, Unbilled) else error, UpstreamUnavailable)
