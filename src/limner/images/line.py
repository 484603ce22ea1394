"""The line before each provider: whose generation comes next, and how many go before one.

Accounts take turns. A generation's `turn` is the round in which it comes up: that of the line so far, or the one
after its account's last. So one account's five hundred calls never delay another's first by more than one.
Whoever takes the next holds the line's row, in whatever process: places are exact across all of them.
"""

from collections.abc import Mapping
from datetime import datetime

from limner.db.base import Transaction
from limner.images import transitions
from limner.images.generations import Generation

Seats = Mapping[str, int | None]
"""How many orders each provider takes at once from all processes together; None where each process has its own."""


def next_turn(tx: Transaction, account_id: str, provider_id: str) -> int:
    """The round in which this account's next generation comes up."""
    return (
        tx.scalar(
            """SELECT max(turn) FROM (
             SELECT turn FROM lines WHERE provider_id = :provider_id
             UNION ALL
             SELECT max(turn) + 1 AS turn FROM generations
             WHERE account_id = :account_id AND provider_id = :provider_id AND status = 'queued') AS turns""",
            account_id=account_id,
            provider_id=provider_id,
        )
        or 0
    )


def take(
    tx: Transaction,
    provider_id: str,
    lease: str,
    *,
    seats: int | None,
    now: datetime,
    until: datetime,
    deadline_at: datetime,
) -> Generation | None:
    """The next in line, to run it now; None where nobody waits or every seat is taken."""
    _lock(tx, provider_id)
    if seats is not None and _running(tx, provider_id) >= seats:
        return None
    head = tx.first(
        """SELECT id, turn FROM generations WHERE status = 'queued' AND provider_id = :provider_id
           ORDER BY turn, id LIMIT 1""",
        provider_id=provider_id,
    )
    if head is None:
        return None
    tx.post(
        "UPDATE lines SET turn = :turn WHERE provider_id = :provider_id AND turn < :turn",
        provider_id=provider_id,
        turn=head["turn"],
    )
    return transitions.claim(tx, head["id"], lease, now=now, until=until, deadline_at=deadline_at)


def is_waiting(tx: Transaction, provider_id: str) -> bool:
    """Whether there is anything to take. Whoever begins a generation looks for room after this could see it."""
    return (
        tx.scalar(
            "SELECT 1 FROM generations WHERE status = 'queued' AND provider_id = :provider_id LIMIT 1",
            provider_id=provider_id,
        )
        is not None
    )


def has_room(tx: Transaction, provider_id: str, seats: int | None) -> bool:
    """Whether somebody has to be called; if not, whoever ends next looks for itself."""
    return seats is None or _running(tx, provider_id) < seats


def place(tx: Transaction, generation_id: str) -> int | None:
    """How many its provider begins before this one, plus one; None when it does not wait."""
    own = tx.first("SELECT provider_id, turn FROM generations WHERE id = :id AND status = 'queued'", id=generation_id)
    if own is None:
        return None
    return tx.scalar(
        """SELECT count(*) FROM generations WHERE status = 'queued' AND provider_id = :provider_id
             AND (turn < :turn OR (turn = :turn AND id <= :id))""",
        provider_id=own["provider_id"],
        turn=own["turn"],
        id=generation_id,
    )


def places(tx: Transaction) -> dict[str, int]:
    """Those of all that wait, by id."""
    rows = tx.all(
        """SELECT id, row_number() OVER (PARTITION BY provider_id ORDER BY turn, id) AS place
           FROM generations WHERE status = 'queued'"""
    )
    return {row["id"]: row["place"] for row in rows}


def waiting(tx: Transaction) -> dict[str, int]:
    """How many wait for each provider."""
    rows = tx.all("SELECT provider_id, count(*) AS count FROM generations WHERE status = 'queued' GROUP BY provider_id")
    return {row["provider_id"]: row["count"] for row in rows}


def _lock(tx: Transaction, provider_id: str) -> None:
    tx.post(
        """INSERT INTO lines (provider_id, turn) VALUES (:provider_id, 0)
           ON CONFLICT (provider_id) DO UPDATE SET turn = lines.turn""",
        provider_id=provider_id,
    )


def _running(tx: Transaction, provider_id: str) -> int:
    return tx.scalar(
        "SELECT count(*) FROM generations WHERE status = 'running' AND provider_id = :provider_id",
        provider_id=provider_id,
    )
