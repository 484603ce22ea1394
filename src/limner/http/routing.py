"""Finds a request's route without trying them all: there are a hundred, and the last would cost more than its answer."""

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

Missing = Callable[[Request], Awaitable[Response]]
"""The answer where nothing is."""

Refusing = Callable[[Request, Sequence[str]], Awaitable[Response]]
"""The answer where only other methods are taken, which it is told."""

ANY_WORD = "{"
"""What stands for the first word of a path that begins with a parameter."""


class Directory:
    """All routes of an application; of those that fit a request the first in their order answers it.

    A path without parameters is looked up; one with them is tried only by routes that begin with the same word.
    """

    def __init__(self, routes: Sequence[Route], *, missing: Missing, refusing: Refusing) -> None:
        self.routes = routes
        self._missing = missing
        self._refusing = refusing
        self._by_path = {route.path: self._meant_by(route.path) for route in routes if not route.param_convertors}
        with_parameters = [(_first_word(route.path), route) for route in routes if route.param_convertors]
        self._by_word = {
            word: [route for other, route in with_parameters if other in (word, ANY_WORD)]
            for word in (ANY_WORD, *(word for word, _ in with_parameters))
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        for route in self._candidates(path):
            if _takes(route, method) and (match := route.path_regex.match(path)) is not None:
                scope["path_params"] = {
                    name: route.param_convertors[name].convert(value) for name, value in match.groupdict().items()
                }
                await route.app(scope, receive, send)
                return
        response = await self._without_route(Request(scope, receive, send))
        await response(scope, receive, send)

    def _candidates(self, path: str) -> Sequence[Route]:
        return self._by_path.get(path) or self._by_word.get(_first_word(path)) or self._by_word[ANY_WORD]

    async def _without_route(self, request: Request) -> Response:
        path = request.scope["path"]
        if routes := self._meant_by(path):
            return await self._refusing(request, sorted({method for each in routes for method in each.methods or ()}))
        meant = path.rstrip("/")
        if meant != path and any(_takes(route, request.method) for route in self._meant_by(meant)):
            # A path alone, so that scheme and host stay what the client used: a proxy may hide them from us.
            query = f"?{request.url.query}" if request.url.query else ""
            return Response(status_code=307, headers={"Location": quote(meant) + query})
        return await self._missing(request)

    def _meant_by(self, path: str) -> list[Route]:
        return [route for route in self.routes if route.path_regex.match(path)]


def _first_word(path: str) -> str:
    word = path[1:].partition("/")[0]
    return ANY_WORD if word.startswith("{") else word


def _takes(route: Route, method: str) -> bool:
    return route.methods is None or method in route.methods
