"""The account, what is left of a cap, and the lines of the ledger."""

from typing import Literal

from limner.credits.caps import Cap
from limner.credits.ledger import Balance, CreditTransaction
from limner.schemas.shapes import Shape, Time


class CapLeft(Shape):
    limit: int
    period: Literal["day", "week", "month", "total"]
    remaining: int
    resets_at: Time | None

    @classmethod
    def of(cls, cap: Cap) -> "CapLeft":
        return cls(limit=cap.limit, period=cap.period, remaining=cap.remaining, resets_at=cap.resets_at)


class Account(Shape):
    user_id: str | None
    email: str | None
    credit_balance: int
    credits_held: int
    cap: CapLeft | None

    @classmethod
    def of(cls, user_id: str | None, email: str | None, balance: Balance, cap: Cap | None) -> "Account":
        return cls(
            user_id=user_id,
            email=email,
            credit_balance=balance.available,
            credits_held=balance.held,
            cap=CapLeft.of(cap) if cap else None,
        )


class UsageLine(Shape):
    id: str
    amount: int
    type: str
    description: str
    reference_id: str | None
    key_id: str | None
    connection_id: str | None
    generation_id: str | None
    model_id: str | None
    balance_after: int
    created_at: Time

    @classmethod
    def of(cls, line: CreditTransaction) -> "UsageLine":
        return cls(
            id=line.id,
            amount=line.amount,
            type=line.type,
            description=line.description,
            reference_id=line.reference_id,
            key_id=line.api_key_id,
            connection_id=line.connection_id,
            generation_id=line.reference_id if line.type in ("charge", "refund") else None,
            model_id=line.model_id,
            balance_after=line.balance_after,
            created_at=line.created_at,
        )
