"""What a payment supplier looks like to the rest of the house.

A supplier's messages only say that something changed; what is true is then looked up, and consists of facts that
never become untrue again. So messages may come in any order, any number of times, and at once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Order:
    """One purchase that somebody wants to pay; `price_cents` are US cents."""

    purchase_id: str
    credits: int
    price_cents: int
    email: str | None
    success_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where the customer pays."""

    id: str
    url: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What a message is about: a checkout or a payment."""

    checkout_id: str | None = None
    payment_id: str | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """Money that went back by a refund or a dispute; `undone` once it came to us again (it failed, we won)."""

    id: str
    kind: Literal["refund", "dispute"]
    cents: int
    undone: bool


@dataclass(frozen=True, slots=True)
class Payment:
    """All that is known about one checkout; `purchase_id` is None when it is none of ours."""

    purchase_id: str | None
    checkout_id: str
    payment_id: str | None
    state: Literal["open", "paid", "abandoned"]
    paid_cents: int
    receipt_url: str | None
    returned: tuple[Returned, ...] = ()


class NotGenuine(Exception):
    """A message that the supplier did not sign, or long ago."""


class PaymentsUnavailable(OSError):
    """The supplier cannot be reached, or refuses our key."""


class Payments(Protocol):
    """Every call may raise PaymentsUnavailable."""

    async def begin(self, order: Order) -> Checkout:
        """Idempotent for one purchase."""
        ...

    async def read_message(self, body: bytes, signature: str) -> Notice | None:
        """What a message is about; None for what does not concern us. Raises NotGenuine."""
        ...

    async def look_up(self, notice: Notice) -> Payment | None:
        """None when the supplier knows no such checkout."""
        ...

    async def changed_since(self, moment: datetime) -> list[Notice]:
        """Every checkout, refund and dispute that began after `moment`."""
        ...
