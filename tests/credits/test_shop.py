"""Buying credits: through the real Stripe library, against its stand-in on the loopback, on both databases."""

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.credits.purses import Purse, new_purse
from tests.peers.stripe import SECRET_KEY, WEBHOOK_SECRET, StripePeer, signed

from limner.credits.packs import DEFAULT_PACKS
from limner.credits.shop import Shop
from limner.db.base import Database
from limner.db.types import now
from limner.errors import InsufficientCredits, InvalidRequest, NotFound
from limner.payments.base import PaymentsUnavailable
from limner.payments.stripe import StripePayments

BILLING = "https://images.example.org/dashboard/billing"


@dataclass
class Market:
    purse: Purse
    shop: Shop
    stripe: StripePeer

    async def begin(self, pack_id: str = "credits-500") -> str:
        """The session of a new checkout."""
        url = await self.shop.begin(self.purse.account_id, pack_id, email="owner@example.org")
        return url.rpartition("/")[2]

    async def hear(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            await self.shop.hear(*signed(message))

    async def lines(self) -> list[tuple[str, int]]:
        rows = await self.purse.database.read(lambda tx: tx.all("SELECT * FROM credit_transactions ORDER BY id"))
        return [(row["type"], row["amount"]) for row in rows]


@pytest.fixture(scope="module")
def stripe() -> Iterator[StripePeer]:
    with StripePeer() as peer:
        yield peer


@pytest.fixture
async def market(database: Database, stripe: StripePeer) -> Market:
    stripe.reset()
    stripe.sales.clear()
    payments = StripePayments(secret_key=SECRET_KEY, webhook_secret=WEBHOOK_SECRET, base_url=stripe.base_url)
    shop = Shop(database=database, payments=payments, packs=DEFAULT_PACKS, billing_url=BILLING, clock=now)
    return Market(await new_purse(database, 0), shop, stripe)


async def test_a_pack_is_paid_on_the_suppliers_page_and_credited_once(market: Market) -> None:
    url = await market.shop.begin(market.purse.account_id, "credits-500", email="owner@example.org")
    async with httpx2.AsyncClient() as browser:
        page = await browser.get(url)
        assert "500 Limner credits" in page.text
        assert "$22.50" in page.text
        assert (await market.purse.balance()).ledger == 0
        paid = await browser.post(url)
        assert paid.headers["location"].startswith(f"{BILLING}?bought=")
    for _ in range(3):
        await market.hear(*market.stripe.messages[-2:])
    assert await market.lines() == [("purchase", 500)]
    [purchase] = await market.shop.purchases(market.purse.account_id)
    assert (purchase.status, purchase.credits, purchase.price_cents) == ("paid", 500, 2250)
    assert purchase.receipt_url is not None


async def test_what_is_not_signed_by_the_supplier_is_refused(market: Market) -> None:
    [completed, _] = market.stripe.pay(await market.begin())
    body, signature = signed(completed)
    hostile = [
        (body, ""),
        (body, "t=1,v1=00"),
        (body, "nonsense"),
        (body + b" ", signature),
        signed(completed, secret="whsec_other"),
        signed(completed, at=time.time() - 301),
        (b"", signature),
        (b"\xff\xfe", signature),
    ]
    for body, signature in hostile:
        with pytest.raises(InvalidRequest):
            await market.shop.hear(body, signature)
    assert await market.lines() == []


async def test_messages_that_concern_somebody_else_change_nothing(market: Market) -> None:
    strange = [
        {"object": "event", "type": "customer.created", "data": {"object": {"id": "cus_1"}}},
        {"object": "event", "type": "checkout.session.completed", "data": {"object": {"id": "cs_unknown"}}},
        {"object": "event", "type": "charge.refunded", "data": {"object": {"payment_intent": "pi_unknown"}}},
        {"object": "event", "type": "charge.refunded", "data": {"object": {"payment_intent": None}}},
        {"object": "thing"},
    ]
    await market.hear(*strange)
    assert await market.lines() == []


async def test_a_refund_takes_its_share_back_whichever_message_comes_first(market: Market) -> None:
    session = await market.begin()
    paid = market.stripe.pay(session)
    refunded = market.stripe.refund(session, 1125)
    await market.hear(refunded[1])  # before anybody heard of the payment
    assert await market.lines() == [("purchase", 500), ("purchase_refund", -250)]
    await market.hear(*paid, *refunded, *market.stripe.refund(session, 1125))
    assert (await market.purse.balance()).ledger == 0
    await market.hear(*market.stripe.fail_refund(session))
    assert (await market.purse.balance()).ledger == 250


async def test_odd_partial_refunds_add_up_to_everything(market: Market) -> None:
    session = await market.begin("credits-100")
    await market.hear(*market.stripe.pay(session))
    for cents in (1, 2, 3, 167, 163, 164):
        await market.hear(*market.stripe.refund(session, cents))
    assert (await market.purse.balance()).ledger == 0


async def test_a_dispute_of_spent_credits_stops_holds_until_it_is_won(market: Market) -> None:
    session = await market.begin("credits-100")
    await market.hear(*market.stripe.pay(session))
    [spent] = await market.purse.hold(60)
    await market.purse.capture(spent)
    [held] = await market.purse.hold(30)
    await market.hear(*market.stripe.dispute(session))
    assert (await market.purse.balance()).available == -90
    with pytest.raises(InsufficientCredits):
        await market.purse.hold(1)
    assert await market.purse.capture(held) == 30
    await market.hear(*market.stripe.close_dispute(session, "won"))
    assert (await market.purse.balance()).available == 10
    assert await market.purse.money_problems() == []


async def test_an_inquiry_takes_no_money_and_a_lost_dispute_keeps_it(market: Market) -> None:
    session = await market.begin("credits-100")
    await market.hear(*market.stripe.pay(session), *market.stripe.dispute(session))
    await market.hear(*market.stripe.close_dispute(session, "lost"))
    assert await market.lines() == [("purchase", 100), ("chargeback", -100)]
    other = await market.begin("credits-100")
    await market.hear(*market.stripe.pay(other))
    market.stripe.dispute(other)
    await market.hear(*market.stripe.close_dispute(other, "warning_closed"))
    assert (await market.purse.balance()).ledger == 100


async def test_an_abandoned_checkout_is_put_away_and_a_late_payment_still_counts(market: Market) -> None:
    session = await market.begin()
    await market.hear(*market.stripe.expire(session))
    assert [each.status for each in await market.shop.purchases(market.purse.account_id)] == ["abandoned"]
    await market.hear(*market.stripe.pay(session))
    assert await market.lines() == [("purchase", 500)]


async def test_reconciling_makes_up_for_messages_that_never_came(market: Market) -> None:
    first, second = await market.begin(), await market.begin("credits-100")
    market.stripe.pay(first)
    market.stripe.refund(first, 2250)
    market.stripe.expire(second)
    assert (await market.shop.reconcile()).corrected > 0
    assert await market.lines() == [("purchase", 500), ("purchase_refund", -500)]
    assert (await market.shop.reconcile(now() - timedelta(days=1))).corrected == 0


async def test_without_its_supplier_a_checkout_says_so_and_can_be_tried_again(market: Market) -> None:
    market.stripe.fail("html", "html", "html")
    with pytest.raises(PaymentsUnavailable):
        await market.begin()
    assert await market.begin()
    with pytest.raises(NotFound):
        await market.begin("credits-7")
    closed = Shop(database=market.purse.database, payments=None, packs=DEFAULT_PACKS, billing_url=BILLING, clock=now)
    assert closed.packs == ()
    with pytest.raises(NotFound):
        await closed.begin(market.purse.account_id, "credits-500", email=None)


async def test_a_storm_of_messages_credits_each_purchase_once(market: Market) -> None:
    await storm(market, purchases=4, times=20, seed=1)


async def storm(market: Market, *, purchases: int, times: int, seed: int) -> None:
    """Every message many times, shuffled, in parallel, with refunds and disputes between."""
    dice = random.Random(seed)
    room = asyncio.Semaphore(8)

    async def deliver(message: dict[str, Any]) -> None:
        async with room:
            await market.hear(message)

    async def happen(session: str, act: str) -> None:
        async with room:
            messages = {
                "refund": lambda: market.stripe.refund(session, 300),
                "failed refund": lambda: [*market.stripe.refund(session, 200), *market.stripe.fail_refund(session)],
                "dispute": lambda: market.stripe.dispute(session, 500),
                "won dispute": lambda: [
                    *market.stripe.dispute(session, 900),
                    *market.stripe.close_dispute(session, "won"),
                ],
            }[act]()
        copies = messages * times
        dice.shuffle(copies)
        await asyncio.gather(*(deliver(message) for message in copies))

    sessions = [await market.begin() for _ in range(purchases)]
    work = [deliver(message) for session in sessions for message in market.stripe.pay(session) * times]
    work += [
        happen(session, act) for session in sessions for act in ("refund", "failed refund", "dispute", "won dispute")
    ]
    dice.shuffle(work)
    await asyncio.gather(*work)
    assert (await market.purse.balance()).ledger == purchases * (500 - 500 * 800 // 2250)
    kinds = [kind for kind, _ in await market.lines()]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "purchase": purchases,
        "purchase_refund": 2 * purchases,
        "chargeback": 2 * purchases,
        "adjustment": 2 * purchases,
    }
    assert await market.purse.money_problems() == []
