"""Codes that can be redeemed for credits, once per account; owns the `credit_codes` table."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from limner.credits import ledger
from limner.db.base import Transaction
from limner.db.types import new_id, utc, utc_or_none
from limner.errors import InvalidRequest, NotFound

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Nothing in it looks like anything else."""

GROUPS, GROUP = 4, 4  # 80 random bits


def create(
    tx: Transaction, credits: int, now: datetime, *, uses: int = 1, description: str, expires_at: datetime | None = None
) -> tuple[str, str]:
    """The id of a new code for `uses` accounts, and the code itself: the only time it can be seen."""
    code_id = new_id()
    code = "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
    tx.execute(
        """INSERT INTO credit_codes (id, digest, credits, uses_left, description, expires_at, created_at)
           VALUES (:id, :digest, :credits, :uses, :description, :expires_at, :now)""",
        id=code_id,
        digest=_digest(code),
        credits=credits,
        uses=uses,
        description=description,
        expires_at=expires_at,
        now=now,
    )
    return code_id, code


@dataclass(frozen=True, slots=True)
class Code:
    """A code as its maker sees it afterwards: everything but the code."""

    id: str
    credits: int
    description: str
    redeemed: int
    uses_left: int
    expires_at: datetime | None
    revoked_at: datetime | None
    created_at: datetime


def all_made(tx: Transaction) -> list[Code]:
    """Newest first, those that are over included."""
    rows = tx.all(
        """SELECT c.*, (SELECT count(*) FROM credit_transactions t WHERE t.type = 'grant' AND t.reference_id = c.id)
                  AS redeemed
           FROM credit_codes c ORDER BY c.id DESC"""
    )
    return [
        Code(
            id=row["id"],
            credits=row["credits"],
            description=row["description"],
            redeemed=row["redeemed"],
            uses_left=row["uses_left"],
            expires_at=utc_or_none(row["expires_at"]),
            revoked_at=utc_or_none(row["revoked_at"]),
            created_at=utc(row["created_at"]),
        )
        for row in rows
    ]


def revoke(tx: Transaction, id_or_code: str, now: datetime) -> str:
    """Nobody redeems it any more, what was redeemed stays; its id. Twice is fine; NotFound for an unknown one."""
    id_ = tx.scalar(
        """UPDATE credit_codes SET revoked_at = coalesce(revoked_at, :now) WHERE id = :id OR digest = :digest
           RETURNING id""",
        id=id_or_code,
        digest=_digest(id_or_code),
        now=now,
    )
    if id_ is None:
        raise NotFound("There is no such code; limner credits codes list shows the ids.")
    return id_


def redeem(tx: Transaction, account_id: str, code: str, now: datetime) -> int:
    """The credits it was good for. NotFound for one that is unknown or over; InvalidRequest the second time."""
    row = tx.first(
        """UPDATE credit_codes SET uses_left = uses_left - 1
           WHERE digest = :digest AND uses_left > 0 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)
           RETURNING id, credits, description""",
        digest=_digest(code),
        now=now,
    )
    if row is None:
        raise NotFound("That code is unknown, used up or expired.", next_step="Check how it is written.")
    entry = ledger.Entry(row["description"], reference_id=row["id"], unique_key=f"code:{row['id']}:{account_id}")
    if not ledger.add(tx, account_id, row["credits"], "grant", entry, now):
        raise InvalidRequest("This account has already redeemed that code.", next_step="Use another code.")
    return row["credits"]


def _digest(code: str) -> bytes:
    """However it was typed: case, spaces and dashes make no difference."""
    return hashlib.sha256("".join(each for each in code.upper() if each.isalnum()).encode()).digest()
