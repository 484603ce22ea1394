"""REST for webhooks: register an address, see what was sent there, send it again."""

from typing import Annotated, Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts.principal import Principal
from limner.db.base import Database
from limner.db.types import Clock
from limner.fetching.fetcher import Fetcher
from limner.http.json import Json, body_of
from limner.images.requests import scope_missing
from limner.rest import reading
from limner.rest.door import Door
from limner.schemas import WELL_FORMED, Shape, Time, parse
from limner.webhooks import deliveries, endpoints
from limner.webhooks.deliveries import Delivery
from limner.webhooks.endpoints import EVENT_TYPES, EventType
from limner.webhooks.sender import shown_secret


class MakeWebhook(Shape):
    url: Annotated[str, Field(min_length=9, max_length=2048, description="https, publicly reachable."), WELL_FORMED]
    events: Annotated[tuple[EventType, ...], Field(min_length=1, max_length=10, strict=False)] = EVENT_TYPES


class Webhook(Shape):
    id: str
    url: str
    events: tuple[EventType, ...]
    created_at: Time

    @classmethod
    def of(cls, webhook: endpoints.Webhook) -> "Webhook":
        return cls(id=webhook.id, url=webhook.url, events=webhook.events, created_at=webhook.created_at)


class DeliveryLine(Shape):
    """One event on its way to one webhook."""

    id: str
    event_id: str
    type: EventType
    status: Literal["waiting", "delivered", "failed"]
    attempts: int
    answered_status: int | None
    problem: str | None
    next_at: Time | None
    created_at: Time
    ended_at: Time | None

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryLine":
        return cls(
            id=delivery.id,
            event_id=delivery.event_id,
            type=delivery.event_type,
            status=delivery.status,
            attempts=delivery.attempts,
            answered_status=delivery.answered_status,
            problem=delivery.problem,
            next_at=delivery.next_at,
            created_at=delivery.created_at,
            ended_at=delivery.ended_at,
        )


class WebhookRoutes:
    def __init__(self, database: Database, fetcher: Fetcher, clock: Clock) -> None:
        self._database = database
        self._fetcher = fetcher
        self._clock = clock

    def routes(self, door: Door) -> list[Route]:
        return [
            door.route("/api/v1/webhooks", self._list),
            door.route("/api/v1/webhooks", self._make, "POST"),
            door.route("/api/v1/webhooks/{id}", self._delete, "DELETE"),
            door.route("/api/v1/webhooks/{id}/deliveries", self._deliveries),
            door.route("/api/v1/webhooks/{id}/deliveries/{delivery_id}/resend", self._resend, "POST"),
        ]

    async def _list(self, request: Request, principal: Principal) -> Response:
        _require(principal)
        found = await self._database.read(lambda tx: endpoints.of_account(tx, principal.account_id))
        return Json({"webhooks": [Webhook.of(each).data() for each in found]})

    async def _make(self, request: Request, principal: Principal) -> Response:
        _require(principal)
        body = parse(MakeWebhook, await body_of(request))
        await self._fetcher.check_url(body.url)
        made = await self._database.write(
            lambda tx: endpoints.create(tx, principal.account_id, body.url, body.events, self._clock())
        )
        return Json({"webhook": Webhook.of(made).data(), "secret": shown_secret(made.secret)}, 201)

    async def _delete(self, request: Request, principal: Principal) -> Response:
        _require(principal)
        webhook_id = reading.id_of(request)
        await self._database.write(lambda tx: endpoints.delete(tx, principal.account_id, webhook_id, self._clock()))
        return Response(status_code=204)

    async def _deliveries(self, request: Request, principal: Principal) -> Response:
        _require(principal)
        webhook_id = reading.id_of(request)
        limit, offset = reading.page_of(request)
        found = await self._database.read(
            lambda tx: deliveries.of_webhook(tx, principal.account_id, webhook_id, limit=limit, offset=offset)
        )
        return Json({"deliveries": [DeliveryLine.of(each).data() for each in found], "limit": limit, "offset": offset})

    async def _resend(self, request: Request, principal: Principal) -> Response:
        _require(principal)
        webhook_id, delivery_id = reading.id_of(request), reading.id_of(request, "delivery_id")
        again = await self._database.write(
            lambda tx: deliveries.resend(tx, principal.account_id, webhook_id, delivery_id, self._clock())
        )
        return Json({"delivery": DeliveryLine.of(again).data()}, 202)


def _require(principal: Principal) -> None:
    """What webhooks are told is what these scopes can read."""
    for scope in ("images:read", "account:read"):
        if not principal.has(scope):
            raise scope_missing(scope)
