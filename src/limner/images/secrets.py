"""The secrets that links and sessions are signed with: in the database, made once, old ones accepted for a day."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from limner.db.base import Transaction
from limner.db.types import utc_or_none

RETIRED_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Secret:
    """`id` travels with what it signs, so that the right one is tried."""

    id: str
    value: bytes = field(repr=False)


def from_texts(texts: Sequence[str]) -> list[Secret]:
    """The operator's own secrets: the first signs, all are accepted."""
    return [Secret(_id(text.encode()), text.encode()) for text in texts]


def current(tx: Transaction, purpose: str, now: datetime) -> list[Secret]:
    """The signing secret first, then those retired less than a day ago; made on the first call ever.

    The first id is the same for everybody, so that of two processes that make it at once one wins.
    """
    rows = _rows(tx, purpose)
    if not any(row[1] is None for row in rows):
        _insert(tx, f"{purpose}-1" if not rows else f"{purpose}-{len(rows) + 1}", purpose, now)
        rows = _rows(tx, purpose)
    return [secret for secret, retired_at in rows if retired_at is None or retired_at > now - RETIRED_FOR]


def rotate(tx: Transaction, purpose: str, now: datetime) -> None:
    """Sign with a new secret from now on."""
    tx.execute(
        "UPDATE secrets SET retired_at = :now WHERE purpose = :purpose AND retired_at IS NULL", purpose=purpose, now=now
    )
    _insert(tx, f"{purpose}-{len(_rows(tx, purpose)) + 1}", purpose, now)


def _rows(tx: Transaction, purpose: str) -> list[tuple[Secret, datetime | None]]:
    rows = tx.all("SELECT * FROM secrets WHERE purpose = :purpose ORDER BY created_at DESC, id DESC", purpose=purpose)
    return [(Secret(_id(bytes(row["value"])), bytes(row["value"])), utc_or_none(row["retired_at"])) for row in rows]


def _insert(tx: Transaction, secret_id: str, purpose: str, now: datetime) -> None:
    tx.execute(
        "INSERT INTO secrets (id, purpose, value, created_at) VALUES (:id, :purpose, :value, :now) ON CONFLICT (id) DO NOTHING",
        id=secret_id,
        purpose=purpose,
        value=secrets.token_bytes(32),
        now=now,
    )


def _id(value: bytes) -> str:
    """Short, and says nothing about the secret."""
    return hashlib.sha256(b"limner secret id\0" + value).hexdigest()[:8]
