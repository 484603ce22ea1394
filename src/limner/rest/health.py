"""Whether the process lives (/healthz) and whether it should get work (/readyz)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.http.json import Json

PATIENCE_SECONDS = 3.0
"""A load balancer wants to know before it gives up asking."""

Check = Callable[[], Awaitable[None]]


class HealthRoutes:
    """`checks` raise OSError for a part that does not work; `stopping` is true once the process was told to end."""

    def __init__(self, checks: Mapping[str, Check], stopping: Callable[[], bool]) -> None:
        self._checks = checks
        self._stopping = stopping

    def routes(self) -> list[Route]:
        return [Route("/healthz", self._healthz), Route("/readyz", self._readyz)]

    async def _healthz(self, request: Request) -> Response:
        return Json({"status": "ok"})

    async def _readyz(self, request: Request) -> Response:
        if self._stopping():
            return Json({"status": "stopping"}, 503)
        found = await asyncio.gather(*(_state(check) for check in self._checks.values()))
        states = dict(zip(self._checks, found, strict=True))
        ready = all(state == "ok" for state in states.values())
        return Json({"status": "ok" if ready else "degraded", "checks": states}, 200 if ready else 503)


async def _state(check: Check) -> str:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await check()
    except TimeoutError:
        return f"no answer within {PATIENCE_SECONDS:.0f} s"
    except OSError as problem:
        return problem.strerror or "not reachable"
    return "ok"
