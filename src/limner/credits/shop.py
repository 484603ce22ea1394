"""Buying credits: begin a checkout, hear from the payment supplier, and make up for what was never heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from limner.credits import codes, purchases
from limner.credits.packs import Pack
from limner.credits.purchases import Purchase
from limner.db.base import Database
from limner.db.types import Clock
from limner.errors import Detail, InvalidRequest, NotFound
from limner.payments.base import NotGenuine, Notice, Order, Payments

CHECKOUT_LASTS = timedelta(hours=24)
LOOKED_BACK = timedelta(days=3)
"""How far a reconciliation goes back: for as long as Stripe repeats a message that was not taken."""

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """`looked_at` checkouts and payments, of which `corrected` were not as they should be and are now; `unproven`
    are purchases whose credits were given and whose payment the supplier does not know: for a person to look at."""

    looked_at: int
    corrected: int
    unproven: tuple[str, ...]


class Shop:
    """`payments` is None where nothing can be bought: then an administrator grants credits."""

    def __init__(
        self, *, database: Database, payments: Payments | None, packs: Sequence[Pack], billing_url: str, clock: Clock
    ) -> None:
        self._database = database
        self._payments = payments
        self._packs = packs
        self._billing_url = billing_url
        self._clock = clock

    @property
    def packs(self) -> Sequence[Pack]:
        """What can be bought here; empty where nothing can."""
        return self._packs if self._payments is not None else ()

    async def begin(self, account_id: str, pack_id: str, *, email: str | None) -> str:
        """The address where the customer pays. NotFound for an unknown pack; PaymentsUnavailable."""
        pack = next((each for each in self.packs if each.id == pack_id), None)
        if pack is None or self._payments is None:
            raise NotFound("There is no such pack to buy.")
        purchase_id = await self._database.write(lambda tx: purchases.add(tx, account_id, pack, self._clock()))
        order = Order(
            purchase_id,
            pack.credits,
            pack.price_cents,
            email,
            f"{self._billing_url}?bought={purchase_id}",
            f"{self._billing_url}?cancelled={purchase_id}",
        )
        checkout = await self._payments.begin(order)
        await self._database.write(lambda tx: purchases.note_checkout(tx, purchase_id, checkout.id))
        return checkout.url

    async def redeem(self, account_id: str, code: str) -> int:
        """Credits for a code. NotFound for one that is unknown, used up or expired; InvalidRequest the second time."""
        return await self._database.write(lambda tx: codes.redeem(tx, account_id, code, self._clock()))

    async def purchases(self, account_id: str) -> list[Purchase]:
        return await self._database.read(lambda tx: purchases.of_account(tx, account_id))

    async def hear(self, body: bytes, signature: str) -> None:
        """A message of the payment supplier. InvalidRequest when it is not genuine; PaymentsUnavailable: send it again."""
        if self._payments is None:
            raise NotFound("This server takes no payments.")
        try:
            notice = await self._payments.read_message(body, signature)
        except NotGenuine:
            problem = Detail("Stripe-Signature", "does not belong to this body", "signature")
            raise InvalidRequest("The message is not signed as it should be.", details=[problem]) from None
        if notice is not None:
            await self._settle(notice)

    async def reconcile(self, since: datetime | None = None) -> Reconciled:
        """Hold the ledger against the supplier's books from `since` on (three days unless told otherwise): what changed
        there is settled as if each message of it came now, and what was credited here must be paid there."""
        if self._payments is None:
            return Reconciled(0, 0, ())
        since = since or self._clock() - LOOKED_BACK
        notices = await self._payments.changed_since(since)
        forgotten = await self._database.read(lambda tx: purchases.unfinished(tx, self._clock() - CHECKOUT_LASTS))
        notices = list(dict.fromkeys([*notices, *(Notice(checkout_id=each) for each in forgotten)]))
        corrected = sum([await self._settle(notice) for notice in notices])
        credited = await self._database.read(lambda tx: purchases.paid_since(tx, since))
        unproven = tuple([each.id for each in credited if not await self._is_paid(each)])
        for purchase_id in unproven:
            log.error("credits were given for a payment nobody knows", purchase_id=purchase_id)
        return Reconciled(len(notices), corrected, unproven)

    async def _is_paid(self, purchase: Purchase) -> bool:
        assert self._payments is not None
        payment = await self._payments.look_up(Notice(checkout_id=purchase.checkout_id))
        return payment is not None and payment.state == "paid" and payment.purchase_id == purchase.id

    async def _settle(self, notice: Notice) -> bool:
        assert self._payments is not None
        payment = await self._payments.look_up(notice)
        if payment is None:
            return False
        changed = await self._database.write(lambda tx: purchases.settle(tx, payment, self._clock()))
        if changed:
            log.info("payment settled", purchase_id=payment.purchase_id, state=payment.state)
        return changed
