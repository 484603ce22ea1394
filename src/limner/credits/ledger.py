"""The ledger: hold before the work, capture on success, release on anything else; lines are only ever added.

`balances` is the guarded running total, `credit_transactions` the truth, `holds` what is set aside.
Every function takes part in the caller's transaction, so money and outcome change together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from limner.credits import caps
from limner.credits.words import are_or_is, in_words
from limner.db.base import Row, Transaction
from limner.db.types import new_id, utc
from limner.errors import InsufficientCredits

TransactionType = Literal["charge", "refund", "purchase", "purchase_refund", "grant", "adjustment", "chargeback"]


@dataclass(frozen=True, slots=True)
class Balance:
    """All in credits. `available` is what can be spent now: the ledger sum minus open holds."""

    ledger: int
    held: int
    transactions_total: int
    generations_total: int
    images_total: int

    @property
    def available(self) -> int:
        return self.ledger - self.held


@dataclass(frozen=True, slots=True)
class Entry:
    """What a line of the ledger says besides its amount."""

    description: str
    reference_id: str | None = None
    api_key_id: str | None = None
    connection_id: str | None = None
    model_id: str | None = None
    unique_key: str | None = None


@dataclass(frozen=True, slots=True)
class CreditTransaction:
    """One immutable, signed line; `balance_after` is the ledger sum after it."""

    id: str
    account_id: str
    amount: int
    type: TransactionType
    description: str
    reference_id: str | None
    api_key_id: str | None
    connection_id: str | None
    model_id: str | None
    balance_after: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines a list shows; None means any. From `since` on, before `until`."""

    api_key_id: str | None = None
    model_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before_id: str | None = None

    @property
    def is_open(self) -> bool:
        return replace(self, before_id=None) == Filter()

    @property
    def has_index(self) -> bool:
        """Whether an index leads to what it shows; else many may be looked at for each that is found."""
        return self.since is None and self.until is None and (self.api_key_id is None or self.model_id is None)

    def as_sql(self) -> tuple[str, dict[str, Any]]:
        """Conditions to append, and their parameters."""
        known = {
            "api_key_id = :api_key_id": self.api_key_id,
            "model_id = :model_id": self.model_id,
            "created_at >= :since": self.since,
            "created_at < :until": self.until,
            "id < :before_id": self.before_id,
        }
        used = {condition: value for condition, value in known.items() if value is not None}
        params = {condition.partition(":")[2]: value for condition, value in used.items()}
        return "".join(f" AND {condition}" for condition in used), params


def balance(tx: Transaction, account_id: str) -> Balance:
    row = tx.first("SELECT * FROM balances WHERE account_id = :account_id", account_id=account_id)
    if row is None:
        return Balance(0, 0, 0, 0, 0)
    return Balance(
        ledger=row["ledger_balance"],
        held=row["held"],
        transactions_total=row["transactions_total"],
        generations_total=row["generations_total"],
        images_total=row["images_total"],
    )


def hold(
    tx: Transaction,
    account_id: str,
    credits: int,
    *,
    generation_ids: Sequence[str],
    cap_owner_ids: Sequence[str],
    now: datetime,
) -> None:
    """Set `credits` aside for each generation: for all of them or none.

    Raises InsufficientCredits or SpendCapExceeded; the caller's transaction is over then. The account's row comes as
    late as it can: from there to the commit everybody else of the account waits.
    """
    for generation_id in generation_ids:
        tx.post(
            """INSERT INTO holds (generation_id, account_id, credits, state, opened_at)
               VALUES (:generation_id, :account_id, :credits, 'open', :now)""",
            generation_id=generation_id,
            account_id=account_id,
            credits=credits,
            now=now,
        )
    needed = credits * len(generation_ids)
    taken = tx.execute(
        """UPDATE balances SET held = held + :needed
           WHERE account_id = :account_id AND (:needed = 0 OR ledger_balance - held >= :needed)""",
        account_id=account_id,
        needed=needed,
    )
    if taken == 0:
        available = balance(tx, account_id).available
        left = max(available, 0)
        raise InsufficientCredits(
            f"This needs {in_words(needed)} and {left} {are_or_is(left)} available.",
            extra={"needed": needed, "available": available},
        )
    caps.take(tx, cap_owner_ids, needed, generation_ids=generation_ids, now=now)


def capture(tx: Transaction, generation_id: str, entry: Entry, now: datetime) -> int | None:
    """Charge what was held; the credits charged, or None when the hold had already ended."""
    held = _end(tx, generation_id, "captured", now)
    if held is None:
        return None
    _append(tx, held["account_id"], -held["credits"], "charge", entry, now, held=held["credits"])
    return held["credits"]


def release(tx: Transaction, generation_id: str, now: datetime) -> int | None:
    """Give back what was held, to the account and its caps; the credits, or None when the hold had already ended."""
    held = _end(tx, generation_id, "released", now)
    if held is None:
        return None
    tx.post(
        "UPDATE balances SET held = held - :credits WHERE account_id = :account_id",
        account_id=held["account_id"],
        credits=held["credits"],
    )
    caps.give_back(tx, generation_id, held["credits"])
    return held["credits"]


def add(tx: Transaction, account_id: str, amount: int, kind: TransactionType, entry: Entry, now: datetime) -> bool:
    """Add a line that is no charge of a generation; false when its `unique_key` already stands in the ledger."""
    lock(tx, account_id)
    if entry.unique_key is not None and _is_known(tx, entry.unique_key):
        return False
    _append(tx, account_id, amount, kind, entry, now)
    return True


def transactions(
    tx: Transaction, account_id: str, which: Filter | None = None, *, limit: int, offset: int = 0
) -> list[CreditTransaction]:
    """Newest first."""
    conditions, params = (which or Filter()).as_sql()
    rows = tx.all(
        f"""SELECT * FROM credit_transactions WHERE account_id = :account_id {conditions}
            ORDER BY id DESC LIMIT :limit OFFSET :offset""",  # noqa: S608 — only our own fragments
        account_id=account_id,
        limit=limit,
        offset=offset,
        **params,
    )
    return [_transaction(row) for row in rows]


def lock(tx: Transaction, account_id: str) -> None:
    """Take the account's row first: what changes its money, its caps or its purchases goes one after the other."""
    tx.post("UPDATE balances SET held = held WHERE account_id = :account_id", account_id=account_id)


def open_holds(tx: Transaction) -> tuple[int, int]:
    """How many there are in all accounts together, and the credits they hold."""
    row = tx.first("SELECT count(*) AS count, coalesce(sum(credits), 0) AS credits FROM holds WHERE state = 'open'")
    assert row is not None
    return row["count"], row["credits"]


def _end(tx: Transaction, generation_id: str, state: str, now: datetime) -> Row | None:
    """End an open hold, once: whoever changes the row is the one who settles."""
    return tx.first(
        """UPDATE holds SET state = :state, ended_at = :now WHERE generation_id = :generation_id AND state = 'open'
           RETURNING account_id, credits""",
        generation_id=generation_id,
        state=state,
        now=now,
    )


def _append(
    tx: Transaction, account_id: str, amount: int, kind: TransactionType, entry: Entry, now: datetime, *, held: int = 0
) -> None:
    """`held` is what had been set aside for it and no longer is."""
    tx.post(
        """UPDATE balances SET ledger_balance = ledger_balance + :amount, held = held - :held,
                  transactions_total = transactions_total + 1
           WHERE account_id = :account_id""",
        account_id=account_id,
        amount=amount,
        held=held,
    )
    tx.post(
        """INSERT INTO credit_transactions (id, account_id, amount, type, description, reference_id, api_key_id,
                  connection_id, model_id, unique_key, balance_after, created_at)
           VALUES (:id, :account_id, :amount, :type, :description, :reference_id, :api_key_id, :connection_id, :model_id,
                  :unique_key, (SELECT ledger_balance FROM balances WHERE account_id = :account_id), :now)""",
        id=new_id(),
        account_id=account_id,
        amount=amount,
        type=kind,
        description=entry.description,
        reference_id=entry.reference_id,
        api_key_id=entry.api_key_id,
        connection_id=entry.connection_id,
        model_id=entry.model_id,
        unique_key=entry.unique_key,
        now=now,
    )


def _is_known(tx: Transaction, unique_key: str) -> bool:
    return tx.scalar("SELECT 1 FROM credit_transactions WHERE unique_key = :key", key=unique_key) is not None


def _transaction(row: Row) -> CreditTransaction:
    return CreditTransaction(
        id=row["id"],
        account_id=row["account_id"],
        amount=row["amount"],
        type=row["type"],
        description=row["description"],
        reference_id=row["reference_id"],
        api_key_id=row["api_key_id"],
        connection_id=row["connection_id"],
        model_id=row["model_id"],
        balance_after=row["balance_after"],
        created_at=utc(row["created_at"]),
    )
