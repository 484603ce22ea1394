"""Connections: clients that signed in by themselves."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.web.door import PageDoor
from limner.web.pages import Pages
from limner.web.visitors import Visitor


class Connections:
    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    def routes(self, door: PageDoor) -> list[Route]:
        return [
            door.dashboard("/dashboard/connections", self._connections),
        ]

    async def _connections(self, request: Request, visitor: Visitor) -> Response:
        return self._pages.render("connections.html", visitor)
