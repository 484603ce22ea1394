"""How models and the queue are doing: what ran lately, what failed, what runs now. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from limner.db.base import Transaction
from limner.db.types import first_id_at, utc

LATELY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class ModelHealth:
    """One model in the last 24 hours; seconds from the call to the picture, credits charged."""

    model_id: str
    made: int
    failed: int
    seconds: float | None
    credits: int
    cost_usd: float


@dataclass(frozen=True, slots=True)
class Underway:
    """A generation that has not ended, or one that failed, with whose it is."""

    id: str
    account_id: str
    account_name: str
    model_id: str
    status: str
    phase: str | None
    error: Mapping[str, Any] | None
    created_at: datetime


def models(tx: Transaction, now: datetime) -> dict[str, ModelHealth]:
    rows = tx.all(
        """SELECT model_id, sum(CASE WHEN status = 'succeeded' THEN 1 ELSE 0 END) AS made,
                  sum(CASE WHEN status = 'failed' THEN 1 ELSE 0 END) AS failed,
                  avg(CASE WHEN status = 'succeeded' THEN completed_at - created_at END) AS milliseconds,
                  sum(CASE WHEN status = 'succeeded' THEN credits ELSE 0 END) AS credits,
                  sum(CASE WHEN status = 'succeeded' THEN CAST(coalesce(cost_usd, '0') AS REAL) ELSE 0 END) AS cost
           FROM generations WHERE id >= :first_id GROUP BY model_id""",
        first_id=first_id_at(now - LATELY),
    )
    return {
        row["model_id"]: ModelHealth(
            model_id=row["model_id"],
            made=row["made"],
            failed=row["failed"],
            seconds=float(row["milliseconds"]) / 1000 if row["milliseconds"] is not None else None,
            credits=int(row["credits"]),
            cost_usd=float(row["cost"]),
        )
        for row in rows
    }


def under_way(tx: Transaction, *, limit: int) -> Sequence[Underway]:
    """Oldest first: what has waited longest stands on top."""
    return _listed(tx, "g.status IN ('queued', 'running') ORDER BY g.id", limit)


def failures(tx: Transaction, now: datetime, *, limit: int) -> Sequence[Underway]:
    """The last 24 hours, newest first."""
    return _listed(tx, f"g.status = 'failed' AND g.id >= '{first_id_at(now - LATELY)}' ORDER BY g.id DESC", limit)


def _listed(tx: Transaction, which: str, limit: int) -> Sequence[Underway]:
    rows = tx.all(
        f"""SELECT g.id, g.account_id, a.name, g.model_id, g.status, g.phase, g.error, g.created_at
            FROM generations g JOIN accounts a ON a.id = g.account_id WHERE {which} LIMIT :limit""",  # noqa: S608
        limit=limit,
    )
    return [
        Underway(
            id=row["id"],
            account_id=row["account_id"],
            account_name=row["name"],
            model_id=row["model_id"],
            status=row["status"],
            phase=row["phase"],
            error=orjson.loads(row["error"]) if row["error"] else None,
            created_at=utc(row["created_at"]),
        )
        for row in rows
    ]
