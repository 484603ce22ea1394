"""/metrics in Prometheus's text format, for those who have the operator's token; for everybody else it is not there."""

import hmac

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner import metrics
from limner.credits import ledger
from limner.db.base import Database
from limner.db.types import Clock
from limner.errors import NotFound
from limner.http.auth import bearer_of
from limner.images import lists
from limner.providers.registry import Providers


class MetricsRoutes:
    def __init__(self, database: Database, providers: Providers, clock: Clock, token: str | None) -> None:
        self._database = database
        self._providers = providers
        self._clock = clock
        self._token = token

    def routes(self) -> list[Route]:
        return [Route("/metrics", self._metrics)]

    def open_routes(self) -> list[Route]:
        """The same for a port that the operator keeps to themselves."""
        return [Route("/metrics", self._answer)]

    async def _metrics(self, request: Request) -> Response:
        sent = bearer_of(request.scope)
        if self._token is None or sent is None or not hmac.compare_digest(sent.encode(), self._token.encode()):
            raise NotFound("There is nothing at /metrics.")
        return await self._answer(request)

    async def _answer(self, request: Request) -> Response:
        await self._look()
        return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    async def _look(self) -> None:
        """What stands in the rows is read when it is asked for, the same from every process."""
        metrics.PROVIDERS_DOWN.set(len(self._providers.down))
        try:
            waiting, (holds, held) = await self._database.read(lambda tx: (lists.waiting(tx), ledger.open_holds(tx)))
        except OSError:  # without a database there is still much to tell
            metrics.DATABASE_UP.set(0)
            return
        metrics.DATABASE_UP.set(1)
        since = waiting.oldest_at or self._clock()
        metrics.QUEUED.set(waiting.count)
        metrics.OLDEST_QUEUED_SECONDS.set((self._clock() - since).total_seconds())
        metrics.RUNNING.set(waiting.running)
        metrics.OPEN_HOLDS.set(holds)
        metrics.HELD_CREDITS.set(held)
