"""Finds a request's route without trying them all: there are a hundred, and the last would cost more than its answer."""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match, Route, Router
from starlette.types import Receive, Scope, Send


class Directory(Router):
    """A router that tries, in their order, only the routes a path can be meant for.

    A path without parameters is looked up; one with them is known by the text before the first. What no route
    takes (another method, a slash too many, nothing there) is the framework's to answer.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        super().__init__(routes)
        self._with_parameters = [(route.path.partition("{")[0], route) for route in routes if route.param_convertors]
        self._by_path = {route.path: _meant_by(route.path, routes) for route in routes if not route.param_convertors}

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for route in self._candidates(scope["path"]):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope.update(found, router=self, route=route)
                    await route.handle(scope, receive, send)
                    return
        await super().app(scope, receive, send)

    def _candidates(self, path: str) -> Sequence[BaseRoute]:
        known = self._by_path.get(path)
        return known or [route for start, route in self._with_parameters if path.startswith(start)]


def _meant_by(path: str, routes: Sequence[Route]) -> list[Route]:
    return [route for route in routes if route.path_regex.match(path)]
