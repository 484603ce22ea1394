"""How a named failure looks over HTTP: one shape, one place."""

from collections.abc import Callable
from typing import Any

import structlog
from starlette.formparsers import MultiPartException
from starlette.responses import Response
from starlette.types import Scope

from limner.errors import InsufficientScope, Internal, InvalidRequest, ServerBusy, ServiceError, Unauthorized
from limner.http.json import Json
from limner.http.ratelimit import OverLimit

PART_GONE_SECONDS = 5

log = structlog.stdlib.get_logger(__name__)


def named(problem: Exception, **where: Any) -> ServiceError:
    """What a caller is told of a failure that no code foresaw, and the log in full."""
    if isinstance(problem, ServiceError):
        return problem
    if isinstance(problem, MultiPartException):
        return InvalidRequest(f"The form cannot be read: {problem.message}.")
    if isinstance(problem, OSError):  # the database or the store, which may be back in a moment
        log.warning("a part the server stands on does not answer", error=str(problem), **where)
        return ServerBusy(
            "The server cannot reach its database or its picture store right now.",
            retry_after_seconds=PART_GONE_SECONDS,
        )
    log.error("unexpected failure", exc_info=problem, **where)
    return Internal()


def request_id(scope: Scope) -> str:
    return scope.get("limner.request_id", "")


def error_data(error: ServiceError, scope: Scope) -> dict[str, Any]:
    return {**error.as_data(), "requestId": request_id(scope)}


def error_response(error: ServiceError, scope: Scope) -> Response:
    return Json({"error": error_data(error, scope)}, error.status, headers=headers_of(error, scope))


def headers_of(error: ServiceError, scope: Scope) -> dict[str, str]:
    headers: dict[str, str] = dict(scope.get("limner.limits", {}))
    if isinstance(error, OverLimit):
        headers |= error.headers
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = _challenge(scope)
    if isinstance(error, InsufficientScope) and (challenge := _step_up(error, scope)) is not None:
        headers["WWW-Authenticate"] = challenge
    return headers


def _challenge(scope: Scope) -> str:
    challenge: Callable[[], str] | None = scope.get("limner.challenge")
    return challenge() if challenge is not None else 'Bearer realm="limner"'


def _step_up(error: InsufficientScope, scope: Scope) -> str | None:
    """How a connection gets the scope it lacks; None for callers that cannot get it."""
    ask: Callable[[str], str | None] | None = scope.get("limner.step_up")
    return ask(error.extra.get("scope", "")) if ask is not None else None
