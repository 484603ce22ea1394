"""Codes that can be redeemed for credits, once per account; owns the `credit_codes` table."""

import hashlib
import secrets
from datetime import datetime

from limner.credits import ledger
from limner.db.base import Transaction
from limner.db.types import new_id
from limner.errors import InvalidRequest, NotFound

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Nothing in it looks like anything else."""

GROUPS, GROUP = 4, 4  # 80 random bits


def create(
    tx: Transaction, credits: int, now: datetime, *, uses: int = 1, description: str, expires_at: datetime | None = None
) -> str:
    """A new code for `uses` accounts: the only time it can be seen."""
    code = "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP)) for _ in range(GROUPS))
    tx.execute(
        """INSERT INTO credit_codes (id, digest, credits, uses_left, description, expires_at, created_at)
           VALUES (:id, :digest, :credits, :uses, :description, :expires_at, :now)""",
        id=new_id(),
        digest=_digest(code),
        credits=credits,
        uses=uses,
        description=description,
        expires_at=expires_at,
        now=now,
    )
    return code


def redeem(tx: Transaction, account_id: str, code: str, now: datetime) -> int:
    """The credits it was good for. NotFound for an unknown, expired or used-up one; InvalidRequest the second time."""
    row = tx.first(
        """UPDATE credit_codes SET uses_left = uses_left - 1
           WHERE digest = :digest AND uses_left > 0 AND (expires_at IS NULL OR expires_at > :now)
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
