"""Billing: what there is, what can be bought, what was bought, and the receipt of each."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts.sessions import Session
from limner.credits.shop import Shop
from limner.errors import InsufficientScope, ServerBusy
from limner.http.ratelimit import AddressLimit
from limner.payments.base import PaymentsUnavailable
from limner.web import forms
from limner.web.door import PageDoor, see_other
from limner.web.pages import Pages
from limner.web.visitors import Visitor

CHECKOUTS = "https://checkout.stripe.com"
LONGEST_CODE = 100


class Billing:
    """`checkout_origin` is where a form of ours may lead: the payment supplier's pages."""

    def __init__(self, shop: Shop, pages: Pages, limit: AddressLimit, *, checkout_origin: str = CHECKOUTS) -> None:
        self._shop = shop
        self._pages = pages
        self._limit = limit
        self._checkout_origin = checkout_origin

    def routes(self, door: PageDoor) -> list[Route]:
        return [
            door.dashboard("/dashboard/billing", self._show),
            door.dashboard("/dashboard/billing", self._buy, "POST"),
            door.dashboard("/dashboard/billing/redeem", self._redeem, "POST"),
        ]

    async def _show(self, request: Request, visitor: Visitor) -> Response:
        packs = self._shop.packs
        return self._pages.render(
            "billing.html",
            visitor,
            form_action=self._checkout_origin,
            packs=packs,
            best=packs[len(packs) // 2].id if packs else None,
            purchases=[
                each for each in await self._shop.purchases(visitor.signed_in.account_id) if each.status == "paid"
            ],
            bought="bought" in request.query_params,
            cancelled="cancelled" in request.query_params,
            redeemed=_whole(request.query_params.get("redeemed")),
        )

    async def _redeem(self, request: Request, visitor: Visitor) -> Response:
        """A code for credits. Guessing is hopeless, and slow as well."""
        session = visitor.signed_in
        _check_may_pay(session)
        await self._limit.check("redeem", session.account_id)
        redeemed = await self._shop.redeem(
            session.account_id, forms.needed(await request.form(), "code", most=LONGEST_CODE)
        )
        return see_other(f"/dashboard/billing?redeemed={redeemed}")

    async def _buy(self, request: Request, visitor: Visitor) -> Response:
        session = visitor.signed_in
        _check_may_pay(session)
        pack = forms.needed(await request.form(), "pack", most=60)
        try:
            return see_other(await self._shop.begin(session.account_id, pack, email=session.email))
        except PaymentsUnavailable:
            raise ServerBusy("The checkout cannot be reached right now.", retry_after_seconds=60) from None


def _check_may_pay(session: Session) -> None:
    if not session.may_pay:
        raise InsufficientScope("Your role on this account may not buy credits.", next_step="Ask an owner.")


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 12 else None
