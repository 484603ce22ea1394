"""Where the payment supplier sends its messages: /webhooks/stripe."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.credits.shop import Shop
from limner.errors import PayloadTooLarge, ServerBusy
from limner.http.json import Json
from limner.payments.base import PaymentsUnavailable

MOST_BYTES = 1024 * 1024


class PaymentRoutes:
    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def routes(self) -> list[Route]:
        return [Route("/webhooks/stripe", self._hear, methods=["POST"])]

    async def _hear(self, request: Request) -> Response:
        """Anything but 200 makes the supplier send the message again."""
        body = await request.body()
        if len(body) > MOST_BYTES:
            raise PayloadTooLarge()
        try:
            await self._shop.hear(body, request.headers.get("stripe-signature", ""))
        except PaymentsUnavailable:
            raise ServerBusy("The payment cannot be looked up right now.", retry_after_seconds=60) from None
        return Json({"received": True})
