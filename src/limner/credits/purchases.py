"""Purchases: what somebody set out to buy, and what became of it; owns the `purchases` table.

`settle` brings the ledger to what the payment supplier knows. It may be told the same or an older state any number
of times, also at once: every fact is one line of the ledger under its own unique key, and facts only ever join.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from limner.credits import ledger
from limner.credits.packs import Pack
from limner.db.base import Row, Transaction
from limner.db.types import new_id, utc, utc_or_none
from limner.payments.base import Payment, Returned


@dataclass(frozen=True, slots=True)
class Purchase:
    """Prices are US cents; `returned_credits` is what refunds and disputes took back so far."""

    id: str
    account_id: str
    credits: int
    price_cents: int
    status: Literal["open", "paid", "abandoned"]
    checkout_id: str | None
    receipt_url: str | None
    returned_cents: int
    returned_credits: int
    created_at: datetime
    paid_at: datetime | None


def add(tx: Transaction, account_id: str, pack: Pack, now: datetime) -> str:
    """Note what somebody is about to pay; its id."""
    purchase_id = new_id()
    tx.execute(
        """INSERT INTO purchases (id, account_id, credits, price_cents, status, created_at)
           VALUES (:id, :account_id, :credits, :price_cents, 'open', :now)""",
        id=purchase_id,
        account_id=account_id,
        credits=pack.credits,
        price_cents=pack.price_cents,
        now=now,
    )
    return purchase_id


def note_checkout(tx: Transaction, purchase_id: str, checkout_id: str) -> None:
    tx.execute(
        "UPDATE purchases SET checkout_id = :checkout_id WHERE id = :id", id=purchase_id, checkout_id=checkout_id
    )


def of_account(tx: Transaction, account_id: str, *, limit: int = 100) -> list[Purchase]:
    """Newest first."""
    rows = tx.all(
        "SELECT * FROM purchases WHERE account_id = :account_id ORDER BY id DESC LIMIT :limit",
        account_id=account_id,
        limit=limit,
    )
    return [_purchase(row) for row in rows]


def unfinished(tx: Transaction, before: datetime) -> list[str]:
    """The checkouts that began before a moment and have not ended."""
    rows = tx.all(
        "SELECT checkout_id FROM purchases WHERE status = 'open' AND created_at < :before AND checkout_id IS NOT NULL",
        before=before,
    )
    return [row["checkout_id"] for row in rows]


def paid_since(tx: Transaction, since: datetime) -> list[Purchase]:
    """What the ledger says was paid from a moment on."""
    rows = tx.all("SELECT * FROM purchases WHERE status = 'paid' AND paid_at >= :since ORDER BY id", since=since)
    return [_purchase(row) for row in rows]


def settle(tx: Transaction, payment: Payment, now: datetime) -> bool:
    """Write what is new in `payment` into the ledger; whether anything was."""
    purchase = _locked(tx, payment.purchase_id)
    if purchase is None:
        return False
    if payment.state == "abandoned":
        return _abandon(tx, purchase.id)
    if payment.state == "open" or payment.paid_cents < purchase.price_cents:
        return False
    fulfilled = _fulfil(tx, purchase, payment, now)
    moved = [_move(tx, purchase.id, payment, fact, now) for fact in payment.returned]
    return fulfilled or any(moved)


def _locked(tx: Transaction, purchase_id: str | None) -> Purchase | None:
    account_id = tx.scalar("SELECT account_id FROM purchases WHERE id = :id", id=purchase_id)
    if account_id is None:
        return None
    ledger.lock(tx, account_id)
    return _get(tx, purchase_id)


def _get(tx: Transaction, purchase_id: str | None) -> Purchase | None:
    row = tx.first("SELECT * FROM purchases WHERE id = :id", id=purchase_id)
    return None if row is None else _purchase(row)


def _abandon(tx: Transaction, purchase_id: str) -> bool:
    return (
        tx.execute("UPDATE purchases SET status = 'abandoned' WHERE id = :id AND status = 'open'", id=purchase_id) == 1
    )


def _fulfil(tx: Transaction, purchase: Purchase, payment: Payment, now: datetime) -> bool:
    tx.execute(
        """UPDATE purchases SET status = 'paid', payment_id = :payment_id, paid_at = coalesce(paid_at, :now),
                  receipt_url = coalesce(:receipt_url, receipt_url)
           WHERE id = :id""",
        id=purchase.id,
        payment_id=payment.payment_id,
        receipt_url=payment.receipt_url,
        now=now,
    )
    entry = ledger.Entry(
        f"{purchase.credits:,} credits bought", reference_id=purchase.id, unique_key=f"purchase:{purchase.id}"
    )
    return ledger.add(tx, purchase.account_id, purchase.credits, "purchase", entry, now)


def _move(tx: Transaction, purchase_id: str, payment: Payment, fact: Returned, now: datetime) -> bool:
    """Money that went back takes its credits along; money that came again after all brings them back."""
    kind: ledger.TransactionType = "purchase_refund" if fact.kind == "refund" else "chargeback"
    gone = _apply(tx, purchase_id, payment, fact.cents, kind, f"payment:{fact.id}", f"Payment {fact.kind}", now)
    if not fact.undone:
        return gone
    again = f"Payment {fact.kind} undone"
    return _apply(tx, purchase_id, payment, -fact.cents, "adjustment", f"payment:{fact.id}:undone", again, now) or gone


def _apply(
    tx: Transaction,
    purchase_id: str,
    payment: Payment,
    cents: int,
    kind: ledger.TransactionType,
    unique_key: str,
    description: str,
    now: datetime,
) -> bool:
    """Credits go back in proportion to all that was returned, so that the order of parts makes no difference."""
    purchase = _get(tx, purchase_id)
    assert purchase is not None
    returned_cents = purchase.returned_cents + cents
    returned_credits = purchase.credits * min(returned_cents, payment.paid_cents) // payment.paid_cents
    entry = ledger.Entry(description, reference_id=purchase.id, unique_key=unique_key)
    taken = returned_credits - purchase.returned_credits
    if not ledger.add(tx, purchase.account_id, -taken, kind, entry, now):
        return False
    tx.execute(
        "UPDATE purchases SET returned_cents = :cents, returned_credits = :credits WHERE id = :id",
        id=purchase.id,
        cents=returned_cents,
        credits=returned_credits,
    )
    return True


def _purchase(row: Row) -> Purchase:
    return Purchase(
        id=row["id"],
        account_id=row["account_id"],
        credits=row["credits"],
        price_cents=row["price_cents"],
        status=row["status"],
        checkout_id=row["checkout_id"],
        receipt_url=row["receipt_url"],
        returned_cents=row["returned_cents"],
        returned_credits=row["returned_credits"],
        created_at=utc(row["created_at"]),
        paid_at=utc_or_none(row["paid_at"]),
    )
