"""The connect page: for each client the snippet that works, filled in, and a check that turns green."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner import mcp_clients
from limner.db.base import Database, Transaction
from limner.db.types import to_ms, utc
from limner.mcp_clients import Endpoint, McpClient
from limner.web.door import PageDoor
from limner.web.pages import Pages
from limner.web.visitors import Visitor

PLACEHOLDER = "YOUR_KEY"
EXAMPLE = "Make an image of a corgi at sunset and show me the link."


@dataclass(frozen=True, slots=True)
class Recipe:
    """One client, filled in: what to run, what to put where, what to click."""

    id: str
    name: str
    secret: str
    command: str | None
    file: str | None
    snippet: str | None
    link: str | None
    steps: Sequence[str]
    note: str
    takes_key: bool


class Connect:
    def __init__(self, database: Database, pages: Pages, public_url: str, *, oauth: bool) -> None:
        self._database = database
        self._pages = pages
        self._url = f"{public_url}/api/mcp"
        self._oauth = oauth

    def routes(self, door: PageDoor) -> list[Route]:
        return [door.public("/connect", self._page)]

    def names(self) -> list[tuple[str, str]]:
        return [(client.id, client.name) for client in mcp_clients.CLIENTS]

    def client(self, client_id: str, *, key: str | None) -> Recipe:
        """The recipe of a client, or of the first for an id nobody has; without a key the client signs in."""
        return _recipe(mcp_clients.by_id(client_id) or mcp_clients.CLIENTS[0], Endpoint(self._url, key))

    async def _page(self, request: Request, visitor: Visitor) -> Response:
        params = request.query_params
        chosen = mcp_clients.by_id(params.get("client", "")) or mcp_clients.CLIENTS[0]
        signs_in = self._oauth and (params.get("way") == "sign-in" or not chosen.takes_key)
        since = _since(params.get("since"), self._pages.now())
        return self._pages.render(
            "connect.html" if visitor.session else "connect_public.html",
            visitor,
            names=self.names(),
            recipe=_recipe(chosen, Endpoint(self._url, None if signs_in else PLACEHOLDER)),
            signs_in=signs_in,
            oauth=self._oauth,
            url=self._url,
            example=EXAMPLE,
            since=since,
            caller=await self._first_caller(visitor, since),
        )

    async def _first_caller(self, visitor: Visitor, since: int) -> str | None:
        """Who called since the page was opened: the name of a key, or of a client that signed in."""
        if visitor.session is None:
            return None
        account_id = visitor.session.account_id

        def read(tx: Transaction) -> str | None:
            return tx.scalar(
                """SELECT name FROM (
                       SELECT name, last_used_at FROM api_keys WHERE account_id = :account_id
                       UNION ALL SELECT client_name, last_used_at FROM connections WHERE account_id = :account_id
                   ) AS callers WHERE last_used_at >= :since ORDER BY last_used_at DESC LIMIT 1""",
                account_id=account_id,
                since=utc(since),
            )

        return await self._database.read(read)


def _recipe(client: McpClient, endpoint: Endpoint) -> Recipe:
    return Recipe(
        id=client.id,
        name=client.name,
        secret=endpoint.key or "",
        command=client.command(endpoint) if client.command else None,
        file=client.file.path if client.file else None,
        snippet=mcp_clients.snippet(client.file, endpoint) if client.file else None,
        link=client.link(endpoint) if client.link else None,
        steps=client.steps,
        note=client.note,
        takes_key=client.takes_key,
    )


def _since(text: str | None, now: datetime) -> int:
    """Milliseconds; the page was opened now unless it says when."""
    latest = to_ms(now)
    return min(int(text), latest) if text and text.isdigit() and len(text) < 16 else latest
