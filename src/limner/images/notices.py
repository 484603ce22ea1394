"""What webhooks are told about pictures and the money they cost; written in the transaction of what happened.

No prompt and no link goes along: the prompt must vanish with its picture, and a link would have expired.
"""

from datetime import datetime
from typing import Any

from limner.db.base import Transaction
from limner.errors import SpendCapExceeded
from limner.images import generations
from limner.images.generations import Generation
from limner.webhooks import deliveries

LOW_BALANCE_CREDITS = 20
"""When `credits.low` is told to accounts that have not set another number."""


def ended(tx: Transaction, generation_id: str, now: datetime) -> None:
    """`image.succeeded` or `image.failed`, and `credits.low` where the charge went below the line."""
    row = generations.find(tx, generation_id)
    assert row is not None
    if row.status not in ("succeeded", "failed"):
        return
    kind = "image.succeeded" if row.status == "succeeded" else "image.failed"
    deliveries.emit(tx, row.account_id, kind, {"image": _image(row)}, now)
    if row.charged:
        _tell_if_low(tx, row, now)


def capped(tx: Transaction, account_id: str, refused: SpendCapExceeded, now: datetime) -> None:
    """`cap.reached`, once in each of the cap's periods."""
    facts = {name: refused.extra[name] for name in ("capOf", "limit", "period", "remaining", "resetsAt")}
    event_id = f"cap-{facts['capOf']}-{facts['limit']}-{facts['period']}-{facts['resetsAt'] or 'once'}"
    deliveries.emit(tx, account_id, "cap.reached", {"cap": facts}, now, event_id=event_id)


def _tell_if_low(tx: Transaction, row: Generation, now: datetime) -> None:
    stands = tx.first(
        """SELECT b.ledger_balance, a.low_balance_credits FROM balances b JOIN accounts a ON a.id = b.account_id
           WHERE b.account_id = :account_id""",
        account_id=row.account_id,
    )
    assert stands is not None
    line = LOW_BALANCE_CREDITS if stands["low_balance_credits"] is None else stands["low_balance_credits"]
    if stands["ledger_balance"] < line <= stands["ledger_balance"] + row.charged:
        data = {"creditBalance": stands["ledger_balance"], "threshold": line}
        deliveries.emit(tx, row.account_id, "credits.low", data, now)


def _image(row: Generation) -> dict[str, Any]:
    return {
        "id": row.id,
        "status": row.status,
        "modelId": row.model_id,
        "mediaType": row.media_type,
        "width": row.width,
        "height": row.height,
        "sizeBytes": row.size_bytes,
        "sha256": row.sha256,
        "credits": {"charged": row.charged},
        "error": None if row.error is None else {"code": row.error["code"], "message": row.error["message"]},
    }
