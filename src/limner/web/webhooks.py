"""Webhooks: addresses that are told, what was sent to each, and the secret that signs it, shown once."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.db.base import Database, Transaction
from limner.fetching.fetcher import Fetcher
from limner.web import forms
from limner.web.door import PageDoor, see_other
from limner.web.pages import Pages
from limner.web.visitors import Visitor
from limner.webhooks import deliveries, endpoints
from limner.webhooks.deliveries import Delivery
from limner.webhooks.endpoints import EVENT_TYPES, EventType, Webhook
from limner.webhooks.sender import shown_secret

LATEST = 5


@dataclass(frozen=True, slots=True)
class Line:
    webhook: Webhook
    latest: list[Delivery]


class WebhookPages:
    def __init__(self, database: Database, fetcher: Fetcher, pages: Pages) -> None:
        self._database = database
        self._fetcher = fetcher
        self._pages = pages

    def routes(self, door: PageDoor) -> list[Route]:
        return [
            door.dashboard("/dashboard/webhooks", self._list),
            door.owner("/dashboard/webhooks", self._make, "POST"),
            door.owner("/dashboard/webhooks/{id}/delete", self._delete, "POST"),
            door.owner("/dashboard/webhooks/{id}/deliveries/{delivery_id}/resend", self._resend, "POST"),
        ]

    async def _list(self, request: Request, visitor: Visitor) -> Response:
        return await self._show(visitor)

    async def _make(self, request: Request, visitor: Visitor) -> Response:
        form, account_id, now = await request.form(), visitor.signed_in.account_id, self._pages.now()
        url = forms.needed(form, "url", most=2048)
        chosen = forms.many(form, "events")
        known: dict[str, EventType] = {each: each for each in EVENT_TYPES}
        events: list[EventType] = [known[each] for each in chosen if each in known]
        await self._fetcher.check_url(url)
        made = await self._database.write(lambda tx: endpoints.create(tx, account_id, url, events or EVENT_TYPES, now))
        return await self._show(visitor, secret=shown_secret(made.secret))

    async def _delete(self, request: Request, visitor: Visitor) -> Response:
        account_id, webhook_id, now = visitor.signed_in.account_id, request.path_params["id"], self._pages.now()
        await self._database.write(lambda tx: endpoints.delete(tx, account_id, webhook_id, now))
        return see_other("/dashboard/webhooks")

    async def _resend(self, request: Request, visitor: Visitor) -> Response:
        ids, account_id, now = request.path_params, visitor.signed_in.account_id, self._pages.now()
        webhook_id, delivery_id = str(ids["id"]), str(ids["delivery_id"])
        await self._database.write(lambda tx: deliveries.resend(tx, account_id, webhook_id, delivery_id, now))
        return see_other("/dashboard/webhooks")

    async def _show(self, visitor: Visitor, *, secret: str | None = None) -> Response:
        account_id = visitor.signed_in.account_id

        def read(tx: Transaction) -> list[Line]:
            return [
                Line(each, list(deliveries.of_webhook(tx, account_id, each.id, limit=LATEST, offset=0)))
                for each in endpoints.of_account(tx, account_id)
            ]

        lines = await self._database.read(read)
        return self._pages.render("webhooks.html", visitor, lines=lines, secret=secret, events=EVENT_TYPES)
