"""The overview: what there is to spend, what was made lately."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.db.base import Database
from limner.web.door import PageDoor
from limner.web.pages import Pages
from limner.web.visitors import Visitor


class Dashboard:
    def __init__(self, database: Database, pages: Pages) -> None:
        self._database = database
        self._pages = pages

    def routes(self, door: PageDoor) -> list[Route]:
        return [door.dashboard("/dashboard", self._overview)]

    async def _overview(self, request: Request, visitor: Visitor) -> Response:
        return self._pages.render("overview.html", visitor)
