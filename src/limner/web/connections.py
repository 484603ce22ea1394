"""Connections: the programs a user let in, what each may do and has spent, and how it ends."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts import connections
from limner.accounts.connections import Connection
from limner.credits import caps, spending
from limner.credits.caps import Cap
from limner.db.base import Database, Transaction
from limner.errors import InsufficientScope, NotFound
from limner.web import forms
from limner.web.door import PageDoor, see_other
from limner.web.pages import Pages
from limner.web.visitors import Visitor

MOST_CAP = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Line:
    connection: Connection
    cap: Cap | None
    spent: int


class ConnectionPages:
    def __init__(self, database: Database, pages: Pages, *, oauth: bool) -> None:
        self._database = database
        self._pages = pages
        self._oauth = oauth

    def routes(self, door: PageDoor) -> list[Route]:
        return [
            door.dashboard("/dashboard/connections", self._list),
            door.dashboard("/dashboard/connections/{id}/revoke", self._revoke, "POST"),
            door.dashboard("/dashboard/connections/{id}/cap", self._cap, "POST"),
        ]

    async def _list(self, request: Request, visitor: Visitor) -> Response:
        account_id, now = visitor.signed_in.account_id, self._pages.now()

        def read(tx: Transaction) -> list[Line]:
            spent = spending.by_caller(tx, account_id)
            return [
                Line(each, caps.of_owner(tx, each.id, now), spent.get(each.id, 0))
                for each in connections.of_account(tx, account_id, now)
            ]

        lines = await self._database.read_slowly(read)
        return self._pages.render(
            "connections.html",
            visitor,
            active=[line for line in lines if not line.connection.is_over],
            over=[line for line in lines if line.connection.is_over],
            oauth=self._oauth,
        )

    async def _revoke(self, request: Request, visitor: Visitor) -> Response:
        account_id, now = _account_to_change(visitor), self._pages.now()
        await self._database.write(lambda tx: connections.revoke(tx, account_id, request.path_params["id"], now))
        return see_other("/dashboard/connections")

    async def _cap(self, request: Request, visitor: Visitor) -> Response:
        """A new cap; an empty field lifts it."""
        form, account_id, now = await request.form(), _account_to_change(visitor), self._pages.now()
        limit = forms.whole(form, "cap", least=0, most=MOST_CAP)
        periods: dict[str, caps.Period] = {period: period for period in caps.PERIODS}
        period = periods[forms.choice(form, "period", caps.PERIODS) or "month"]
        connection_id = request.path_params["id"]

        def change(tx: Transaction) -> None:
            if connection_id not in {each.id for each in connections.of_account(tx, account_id, now)}:
                raise NotFound("There is no such connection.")
            if limit is None:
                caps.remove(tx, account_id, connection_id)
            else:
                caps.put(tx, account_id, connection_id, limit=limit, period=period, now=now)

        await self._database.write(change)
        return see_other("/dashboard/connections")


def _account_to_change(visitor: Visitor) -> str:
    if not visitor.signed_in.may_spend:
        raise InsufficientScope("Your role on this account may not change connections.", next_step="Ask an owner.")
    return visitor.signed_in.account_id
