"""The audit log: who did what to whom in an administrator's or owner's place; lines are only added."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from limner.db.base import Transaction
from limner.db.types import new_id, utc


@dataclass(frozen=True, slots=True)
class Act:
    """One line. `actor` is an email address, or `command line`."""

    id: str
    actor: str
    action: str
    account_id: str | None
    account_name: str | None
    target_id: str | None
    detail: Mapping[str, Any]
    created_at: datetime


def note(
    tx: Transaction,
    actor: str,
    action: str,
    now: datetime,
    *,
    account_id: str | None = None,
    target_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    tx.execute(
        """INSERT INTO audit_log (id, actor, action, account_id, target_id, detail, created_at)
           VALUES (:id, :actor, :action, :account_id, :target_id, :detail, :now)""",
        id=new_id(),
        actor=actor,
        action=action,
        account_id=account_id,
        target_id=target_id,
        detail=orjson.dumps(detail).decode() if detail else None,
        now=now,
    )


def page(tx: Transaction, *, limit: int, before_id: str | None = None) -> list[Act]:
    """Newest first."""
    rows = tx.all(
        """SELECT l.*, a.name AS account_name FROM audit_log l LEFT JOIN accounts a ON a.id = l.account_id
           WHERE l.id < :before ORDER BY l.id DESC LIMIT :limit""",
        before=before_id or "g",
        limit=limit,
    )
    return [
        Act(
            id=row["id"],
            actor=row["actor"],
            action=row["action"],
            account_id=row["account_id"],
            account_name=row["account_name"],
            target_id=row["target_id"],
            detail=orjson.loads(row["detail"]) if row["detail"] else {},
            created_at=utc(row["created_at"]),
        )
        for row in rows
    ]
