"""Stripe Checkout. The library takes a second to load, so it is loaded with the first call, and works in threads."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import orjson

from limner.payments.base import Checkout, NotGenuine, Notice, Order, Payment, PaymentsUnavailable, Returned

T = TypeVar("T")

NO_MONEY_TAKEN = ("warning_needs_response", "warning_under_review", "warning_closed", "prevented")
"""Disputes in these states are inquiries."""

_EXPAND = "payment_intent.latest_charge"


class StripePayments:
    def __init__(self, *, secret_key: str, webhook_secret: str | None, base_url: str) -> None:
        self._secret_key = secret_key
        self._webhook_secret = webhook_secret
        self._base_url = base_url

    async def begin(self, order: Order) -> Checkout:
        session = await self._call(
            lambda v1: v1.checkout.sessions.create(_to_wire(order), {"idempotency_key": order.purchase_id})
        )
        return Checkout(session.id, session.url)

    async def read_message(self, body: bytes, signature: str) -> Notice | None:
        await asyncio.to_thread(self._verify, body, signature)
        event = orjson.loads(body)
        if event.get("object") != "event":
            return None
        about, kind = event["data"]["object"], event["type"]
        if kind.startswith("checkout.session."):
            return Notice(checkout_id=about["id"])
        if kind.startswith(("charge.", "refund.")) and about.get("payment_intent"):
            return Notice(payment_id=about["payment_intent"])
        return None

    async def look_up(self, notice: Notice) -> Payment | None:
        return await self._call(lambda v1: _look_up(v1, notice))

    async def changed_since(self, moment: datetime) -> list[Notice]:
        return await self._call(lambda v1: _changed_since(v1, int(moment.timestamp())))

    def _verify(self, body: bytes, signature: str) -> None:
        from stripe import SignatureVerificationError, WebhookSignature

        if self._webhook_secret is None:
            raise NotGenuine("no webhook secret is configured")
        try:
            WebhookSignature.verify_header(body, signature, self._webhook_secret, 300)  # pyright: ignore
        except (SignatureVerificationError, ValueError) as problem:
            raise NotGenuine(str(problem)) from None

    async def _call(self, work: Callable[[Any], T]) -> T:
        return await asyncio.to_thread(self._in_thread, work)

    def _in_thread(self, work: Callable[[Any], T]) -> T:
        import stripe

        try:
            return work(self._client.v1)
        except stripe.StripeError as problem:
            raise PaymentsUnavailable(f"Stripe: {problem.user_message or type(problem).__name__}") from problem

    @cached_property
    def _client(self) -> Any:
        import stripe

        return stripe.StripeClient(self._secret_key, base_addresses={"api": self._base_url}, max_network_retries=2)


def _to_wire(order: Order) -> dict[str, Any]:
    return {
        "mode": "payment",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "usd",
                    "unit_amount": order.price_cents,
                    "product_data": {"name": f"{order.credits:,} Limner credits"},
                },
            }
        ],
        "client_reference_id": order.purchase_id,
        "metadata": {"purchase_id": order.purchase_id},
        "payment_intent_data": {"metadata": {"purchase_id": order.purchase_id}},
        "success_url": order.success_url,
        "cancel_url": order.cancel_url,
        **({"customer_email": order.email} if order.email else {}),
    }


def _look_up(v1: Any, notice: Notice) -> Payment | None:
    session = _session(v1, notice)
    return None if session is None else _from_wire(v1, session)


def _session(v1: Any, notice: Notice) -> Any:
    if notice.checkout_id is not None:
        import stripe

        try:
            return v1.checkout.sessions.retrieve(notice.checkout_id, {"expand": [_EXPAND]})
        except stripe.InvalidRequestError:
            return None
    found = v1.checkout.sessions.list(
        {"payment_intent": notice.payment_id, "limit": 1, "expand": [f"data.{_EXPAND}"]}
    ).data
    return found[0] if found else None


def _from_wire(v1: Any, session: Any) -> Payment:
    paid = session.payment_status in ("paid", "no_payment_required")
    intent = session.payment_intent
    charge = intent.latest_charge if intent is not None else None
    return Payment(
        purchase_id=getattr(session.metadata, "purchase_id", None),
        checkout_id=session.id,
        payment_id=intent.id if intent is not None else None,
        state="paid" if paid else "abandoned" if session.status == "expired" else "open",
        paid_cents=session.amount_total or 0,
        receipt_url=charge.receipt_url if charge is not None else None,
        returned=_returned(v1, intent.id) if paid and intent is not None else (),
    )


def _returned(v1: Any, payment_id: str) -> tuple[Returned, ...]:
    which = {"payment_intent": payment_id, "limit": 100}
    refunds = [
        Returned(each.id, "refund", each.amount, each.status in ("failed", "canceled"))
        for each in v1.refunds.list(which).auto_paging_iter()
    ]
    disputes = [
        Returned(each.id, "dispute", each.amount, each.status == "won")
        for each in v1.disputes.list(which).auto_paging_iter()
        if each.status not in NO_MONEY_TAKEN
    ]
    return (*refunds, *disputes)


def _changed_since(v1: Any, since: int) -> list[Notice]:
    which = {"created": {"gte": since}, "limit": 100}
    sessions = [Notice(checkout_id=each.id) for each in v1.checkout.sessions.list(which).auto_paging_iter()]
    money_back = [
        Notice(payment_id=each.payment_intent)
        for kind in (v1.refunds, v1.disputes)
        for each in kind.list(which).auto_paging_iter()
        if each.payment_intent
    ]
    return [*sessions, *money_back]
