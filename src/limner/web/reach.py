"""What else reaches an account, or is reached by it: connections that signed in, and webhooks."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.web.door import PageDoor
from limner.web.pages import Pages
from limner.web.visitors import Visitor


class Reach:
    def __init__(self, pages: Pages, public_url: str) -> None:
        self._pages = pages
        self._public_url = public_url

    def routes(self, door: PageDoor) -> list[Route]:
        return [
            door.dashboard("/dashboard/connections", self._connections),
            door.dashboard("/dashboard/webhooks", self._webhooks),
        ]

    async def _connections(self, request: Request, visitor: Visitor) -> Response:
        return self._pages.render("connections.html", visitor)

    async def _webhooks(self, request: Request, visitor: Visitor) -> Response:
        return self._pages.render("webhooks.html", visitor, url=self._public_url)
