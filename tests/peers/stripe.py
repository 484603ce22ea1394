"""Stripe's stand-in: Checkout with a hosted page, refunds, disputes, and signed messages.

with StripePeer().start() as stripe:   # or: python -m tests.peers.stripe, for a demonstration
    stripe.pay(session_id)
"""

import hmac
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from tests.peers.peer import Peer, json

WEBHOOK_SECRET = "whsec_loopback"
SECRET_KEY = "sk_stripe_loopback"


@dataclass
class Sale:
    """One checkout session with all that hangs on it, as Stripe's objects."""

    session: dict[str, Any]
    intent: dict[str, Any] | None = None
    refunds: list[dict[str, Any]] = field(default_factory=list)
    disputes: list[dict[str, Any]] = field(default_factory=list)


class StripePeer(Peer):
    def __init__(self) -> None:
        super().__init__()
        self.sales: dict[str, Sale] = {}
        self.messages: list[dict[str, Any]] = []
        self._by_key: dict[str, str] = {}
        self._numbers = itertools.count(1)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/v1/checkout/sessions", self._create, methods=["POST"]),
            Route("/v1/checkout/sessions", self._list_sessions),
            Route("/v1/checkout/sessions/{id}", self._retrieve),
            Route("/v1/refunds", self._list_refunds),
            Route("/v1/disputes", self._list_disputes),
            Route("/c/pay/{id}", self._page),
            Route("/c/pay/{id}", self._paid_on_page, methods=["POST"]),
        ]

    # --- what the customer, the shop's owner and the bank do; each returns the messages Stripe would send ---------

    def pay(self, session_id: str) -> list[dict[str, Any]]:
        sale = self.sales[session_id]
        if sale.intent is None:
            charge = {"id": self._id("ch"), "object": "charge", "receipt_url": f"{self.origin}/receipts/{session_id}"}
            sale.intent = {
                "id": self._id("pi"),
                "object": "payment_intent",
                "metadata": sale.session["metadata"],
                "latest_charge": charge,
            }
            sale.session |= {"status": "complete", "payment_status": "paid", "payment_intent": sale.intent}
        intent_message = self._message("payment_intent.succeeded", sale.intent)
        return [self._message("checkout.session.completed", sale.session), intent_message]

    def expire(self, session_id: str) -> list[dict[str, Any]]:
        sale = self.sales[session_id]
        sale.session["status"] = "expired"
        return [self._message("checkout.session.expired", sale.session)]

    def refund(self, session_id: str, cents: int) -> list[dict[str, Any]]:
        sale = self.sales[session_id]
        assert sale.intent is not None
        refund = {
            "id": self._id("re"),
            "object": "refund",
            "amount": cents,
            "status": "succeeded",
            "payment_intent": sale.intent["id"],
            "created": int(time.time()),
        }
        sale.refunds.append(refund)
        charge = {**sale.intent["latest_charge"], "payment_intent": sale.intent["id"]}
        return [self._message("refund.created", refund), self._message("charge.refunded", charge)]

    def fail_refund(self, session_id: str) -> list[dict[str, Any]]:
        refund = self.sales[session_id].refunds[-1]
        refund["status"] = "failed"
        return [self._message("refund.failed", refund)]

    def dispute(self, session_id: str, cents: int | None = None) -> list[dict[str, Any]]:
        sale = self.sales[session_id]
        assert sale.intent is not None
        dispute = {
            "id": self._id("dp"),
            "object": "dispute",
            "amount": cents or sale.session["amount_total"],
            "status": "needs_response",
            "payment_intent": sale.intent["id"],
            "created": int(time.time()),
        }
        sale.disputes.append(dispute)
        return [self._message("charge.dispute.created", dispute)]

    def close_dispute(self, session_id: str, status: str) -> list[dict[str, Any]]:
        dispute = self.sales[session_id].disputes[-1]
        dispute["status"] = status
        return [self._message("charge.dispute.closed", dispute)]

    # --- the wire ---------------------------------------------------------------------------------------------

    async def _create(self, request: Request) -> Response:
        await self.keep(request)
        fault = self.next_fault()
        if (response := await self.common_fault(fault)) is not None:
            return response
        sent = dict(parse_qsl((await request.body()).decode()))
        if request.headers.get("authorization") != f"Bearer {SECRET_KEY}":
            return _error(401, "Invalid API Key provided")
        key = request.headers.get("idempotency-key", self._id("key"))
        if key not in self._by_key:
            session = self._session(sent)
            self.sales[session["id"]] = Sale(session)
            self._by_key[key] = session["id"]
        return json(self.sales[self._by_key[key]].session)

    def _session(self, sent: Mapping[str, str]) -> dict[str, Any]:
        session_id = self._id("cs_test")
        return {
            "id": session_id,
            "object": "checkout.session",
            "url": f"{self.origin}/c/pay/{session_id}",
            "status": "open",
            "payment_status": "unpaid",
            "amount_total": int(sent["line_items[0][price_data][unit_amount]"]),
            "currency": sent["line_items[0][price_data][currency]"],
            "metadata": {"purchase_id": sent["metadata[purchase_id]"]},
            "payment_intent": None,
            "success_url": sent["success_url"],
            "cancel_url": sent["cancel_url"],
            "product": sent["line_items[0][price_data][product_data][name]"],
            "created": int(time.time()),
        }

    async def _retrieve(self, request: Request) -> Response:
        await self.keep(request)
        sale = self.sales.get(request.path_params["id"])
        return json(sale.session) if sale else _error(404, "No such checkout.session")

    async def _list_sessions(self, request: Request) -> Response:
        await self.keep(request)
        wanted = request.query_params.get("payment_intent")
        sales = [sale for sale in self.sales.values() if wanted is None or (sale.intent or {}).get("id") == wanted]
        return _list([sale.session for sale in sales])

    async def _list_refunds(self, request: Request) -> Response:
        return _list([each for sale in self._sales_of(request) for each in sale.refunds])

    async def _list_disputes(self, request: Request) -> Response:
        return _list([each for sale in self._sales_of(request) for each in sale.disputes])

    def _sales_of(self, request: Request) -> list[Sale]:
        wanted = request.query_params.get("payment_intent")
        return [sale for sale in self.sales.values() if wanted is None or (sale.intent or {}).get("id") == wanted]

    async def _page(self, request: Request) -> Response:
        session = self.sales[request.path_params["id"]].session
        price = f"${session['amount_total'] / 100:.2f}"
        return HTMLResponse(
            f"""<!doctype html><title>Checkout</title><h1>{session["product"]}</h1><p>{price}</p>
            <form method="post"><button>Pay {price}</button></form><a href="{session["cancel_url"]}">Cancel</a>"""
        )

    async def _paid_on_page(self, request: Request) -> Response:
        self.messages += self.pay(request.path_params["id"])
        return RedirectResponse(self.sales[request.path_params["id"]].session["success_url"], 303)

    def _message(self, kind: str, about: Mapping[str, Any]) -> dict[str, Any]:
        """As it was when it was sent; later ones may overtake it."""
        about = {**about}
        if isinstance(about.get("payment_intent"), dict):
            about["payment_intent"] = about["payment_intent"]["id"]
        return {"id": self._id("evt"), "object": "event", "type": kind, "data": {"object": about}}

    def _id(self, kind: str) -> str:
        return f"{kind}_{next(self._numbers):08}"


def signed(message: Mapping[str, Any], *, secret: str = WEBHOOK_SECRET, at: float | None = None) -> tuple[bytes, str]:
    """A message's body and the header that proves it."""
    body = orjson.dumps(message)
    moment = int(at if at is not None else time.time())
    digest = hmac.digest(secret.encode(), f"{moment}.".encode() + body, sha256).hex()
    return body, f"t={moment},v1={digest}"


def _list(data: list[dict[str, Any]]) -> Response:
    return json({"object": "list", "data": data, "has_more": False})


def _error(status: int, message: str) -> Response:
    return json({"error": {"type": "invalid_request_error", "message": message}}, status)
