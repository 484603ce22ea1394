"""What every REST route does first: know the caller, count the call, and answer in our shapes."""

from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from limner.accounts.principal import Principal
from limner.errors import ServiceError, Unauthorized
from limner.http.auth import Callers
from limner.http.errors import error_response
from limner.http.ratelimit import RateLimit

Handler = Callable[[Request, Principal], Awaitable[Response]]


class Door:
    def __init__(self, bearer: Callers, rate_limit: RateLimit) -> None:
        self._bearer = bearer
        self._rate_limit = rate_limit

    def route(self, path: str, handler: Handler, method: str = "GET") -> Route:
        """A route for authenticated callers, with the limit's headers on every answer."""
        return Route(path, _Endpoint(self._bearer, self._rate_limit, handler), methods=[method], name=handler.__name__)


async def note_limits(scope: Scope, principal: Principal, rate_limit: RateLimit) -> None:
    """Count the call; whatever is answered, a failure nobody foresaw too, says where its caller stands. Raises RateLimited."""
    scope["limner.limits"] = await rate_limit.check(principal)


class NoRoute:
    """Before an answer that no route gives: a known caller of an API is told where it stands there too."""

    def __init__(self, bearer: Callers, rate_limit: RateLimit) -> None:
        self._bearer = bearer
        self._rate_limit = rate_limit

    async def note(self, scope: Scope) -> None:
        """Raises RateLimited."""
        if not f"{scope['path']}/".startswith(("/api/v1/", "/v1/")):
            return
        try:
            principal = await self._bearer.principal(scope)
        except Unauthorized:
            return
        await note_limits(scope, principal, self._rate_limit)


class _Endpoint:
    """An ASGI application: what the framework would wrap round a function costs as much as a short answer."""

    def __init__(self, bearer: Callers, rate_limit: RateLimit, handler: Handler) -> None:
        self._bearer = bearer
        self._rate_limit = rate_limit
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            principal = await self._bearer.principal(scope)
            await note_limits(scope, principal, self._rate_limit)
            response = await self._handler(Request(scope, receive, send), principal)
            limits: dict[str, str] = scope["limner.limits"]
            response.raw_headers += [(name.lower().encode(), value.encode()) for name, value in limits.items()]
        except ServiceError as error:
            response = error_response(error, scope)
        except ClientDisconnect:
            response = Response(status_code=499)  # nobody is there to read it
        await response(scope, receive, send)
