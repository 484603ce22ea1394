"""What webhooks are told about pictures and the money they cost; written in the transaction of what happened.

No prompt and no link goes along: the prompt must vanish with its picture, and a link would have expired.
"""

from datetime import datetime
from typing import Any

from limner.accounts import low_balance
from limner.db.base import Transaction
from limner.errors import SpendCapExceeded
from limner.images import generations
from limner.images.generations import Generation
from limner.webhooks import deliveries, endpoints


def ended(tx: Transaction, account_id: str, generation_id: str, now: datetime) -> None:
    """`image.succeeded` or `image.failed`."""
    if not endpoints.of_account(tx, account_id):  # nobody listens: its row need not be read
        return
    row = generations.find(tx, generation_id)
    assert row is not None
    kind = "image.succeeded" if row.status == "succeeded" else "image.failed"
    deliveries.emit(tx, account_id, kind, {"image": _image(row)}, now)


def charged(tx: Transaction, account_id: str, credits: int, now: datetime) -> None:
    """`credits.low`, where the charge went below the line."""
    fall = low_balance.fell(tx, account_id, by_credits=credits, now=now) if credits else None
    if fall is not None:
        data = {"creditBalance": fall.ledger_balance, "threshold": fall.line}
        deliveries.emit(tx, account_id, "credits.low", data, now)


def capped(tx: Transaction, account_id: str, refused: SpendCapExceeded, now: datetime) -> None:
    """`cap.reached`, once in each of the cap's periods."""
    facts = {name: refused.extra[name] for name in ("capOf", "limit", "period", "remaining", "resetsAt")}
    event_id = f"cap-{facts['capOf']}-{facts['limit']}-{facts['period']}-{facts['resetsAt'] or 'once'}"
    deliveries.emit(tx, account_id, "cap.reached", {"cap": facts}, now, event_id=event_id)


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
