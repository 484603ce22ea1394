"""Links that last: public until they are revoked or their picture is deleted; owns the `shares` table."""

from dataclasses import dataclass
from datetime import datetime
from secrets import token_urlsafe

from limner.db.base import Transaction
from limner.images.generations import Generation
from limner.images.links import filename


@dataclass(frozen=True, slots=True)
class Share:
    """The id is the secret part of the link."""

    id: str
    generation_id: str
    filename: str


def share(tx: Transaction, row: Generation, now: datetime) -> Share:
    """The lasting link of a succeeded generation; the same one for as long as it is not revoked."""
    found = tx.first(
        "SELECT * FROM shares WHERE generation_id = :id AND revoked_at IS NULL ORDER BY created_at LIMIT 1", id=row.id
    )
    if found is not None:
        return Share(found["id"], found["generation_id"], found["filename"])
    made = Share(token_urlsafe(24), row.id, filename(row))
    tx.execute(
        """INSERT INTO shares (id, account_id, generation_id, filename, created_at)
           VALUES (:id, :account_id, :generation_id, :filename, :now)""",
        id=made.id,
        account_id=row.account_id,
        generation_id=row.id,
        filename=made.filename,
        now=now,
    )
    return made


def find(tx: Transaction, share_id: str) -> Share | None:
    """None for an unknown or a revoked one."""
    row = tx.first("SELECT * FROM shares WHERE id = :id AND revoked_at IS NULL", id=share_id)
    return None if row is None else Share(row["id"], row["generation_id"], row["filename"])


def of_generation(tx: Transaction, generation_id: str) -> Share | None:
    """The lasting link a picture has now."""
    row = tx.first("SELECT * FROM shares WHERE generation_id = :id AND revoked_at IS NULL", id=generation_id)
    return None if row is None else Share(row["id"], row["generation_id"], row["filename"])


def revoke(tx: Transaction, generation_id: str, now: datetime) -> None:
    """Every lasting link of a picture ends at once."""
    tx.execute(
        "UPDATE shares SET revoked_at = :now WHERE generation_id = :id AND revoked_at IS NULL",
        id=generation_id,
        now=now,
    )
