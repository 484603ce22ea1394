"""What every REST route does first: know the caller, count the call, and answer in our shapes."""

from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts.principal import Principal
from limner.errors import ServiceError
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

        async def endpoint(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                principal = await self._bearer.principal(request.scope)
                headers = await self._rate_limit.check(principal)
                response = await handler(request, principal)
            except ServiceError as error:
                response = error_response(error, request.scope)
            except ClientDisconnect:
                response = Response(status_code=499)  # nobody is there to read it
            response.headers.update(headers)
            return response

        return Route(path, endpoint, methods=[method])
