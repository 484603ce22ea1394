"""The life of a generation: queued, running under a lease, ended; each change guarded by the status (and lease) it starts from.

So whoever changes the row is the one who acts on it. Counted totals live in `balances`, beside the money.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from limner.db.base import Row, Transaction
from limner.images.generations import Generation, Outcome, Status, as_json, count, from_row


def claim(
    tx: Transaction, generation_id: str, lease: str, *, now: datetime, until: datetime, deadline_at: datetime
) -> Generation | None:
    """Take a queued generation to run it; None when somebody else has it or it has ended.

    One without input pictures is ordered at once and counts as sent from here on; with some, `mark_sent` says when.
    """
    row = tx.first(
        """UPDATE generations SET status = 'running', lease = :lease, lease_until = :until, started_at = :now,
                  deadline_at = :deadline_at, attempts = attempts + 1,
                  sent_at = CASE WHEN inputs IS NULL THEN coalesce(sent_at, :now) ELSE sent_at END
           WHERE id = :id AND status = 'queued' RETURNING *""",
        id=generation_id,
        lease=lease,
        now=now,
        until=until,
        deadline_at=deadline_at,
    )
    return None if row is None else from_row(row)


def take_over(tx: Transaction, generation_id: str, lease: str, *, now: datetime, until: datetime) -> Generation | None:
    """Take a running generation whose lease ran out; None when it is alive or has ended."""
    row = tx.first(
        """UPDATE generations SET lease = :lease, lease_until = :until
           WHERE id = :id AND status = 'running' AND lease_until < :now RETURNING *""",
        id=generation_id,
        lease=lease,
        now=now,
        until=until,
    )
    return None if row is None else from_row(row)


def renew(
    tx: Transaction, generation_id: str, lease: str, *, until: datetime, phase: str | None, percent: int | None
) -> Row | None:
    """Keep the lease; None when it was lost, else a row that tells `cancel_requested_at`."""
    return tx.first(
        """UPDATE generations SET lease_until = :until, phase = :phase, fraction_percent = :percent
           WHERE id = :id AND status = 'running' AND lease = :lease RETURNING cancel_requested_at""",
        id=generation_id,
        lease=lease,
        until=until,
        phase=phase,
        percent=percent,
    )


def mark_sent(tx: Transaction, generation_id: str, lease: str, now: datetime) -> bool:
    """Note, before the first byte leaves, that the supplier may have been paid from here on."""
    return (
        tx.execute(
            "UPDATE generations SET sent_at = :now WHERE id = :id AND status = 'running' AND lease = :lease",
            id=generation_id,
            lease=lease,
            now=now,
        )
        == 1
    )


def note_handle(tx: Transaction, generation_id: str, lease: str, handle: str) -> None:
    tx.execute(
        "UPDATE generations SET provider_handle = :handle WHERE id = :id AND status = 'running' AND lease = :lease",
        id=generation_id,
        lease=lease,
        handle=handle,
    )


def reroute(tx: Transaction, row: Generation, lease: str) -> bool:
    """Another supplier takes this order: its own options, no handle of the first one's, and a warning for the user."""
    return (
        tx.execute(
            """UPDATE generations SET provider_id = :provider_id, options = :options, warnings = :warnings,
                  provider_handle = NULL
           WHERE id = :id AND status = 'running' AND lease = :lease""",
            id=row.id,
            lease=lease,
            provider_id=row.provider_id,
            options=as_json(row.options),
            warnings=as_json(row.warnings),
        )
        == 1
    )


def requeue(tx: Transaction, generation_id: str, lease: str) -> bool:
    """Hand a running generation back to the queue: nothing of it was paid for, or it can be resumed."""
    return (
        tx.execute(
            """UPDATE generations SET status = 'queued', lease = NULL, lease_until = NULL, phase = NULL
           WHERE id = :id AND status = 'running' AND lease = :lease""",
            id=generation_id,
            lease=lease,
        )
        == 1
    )


def succeed(tx: Transaction, generation_id: str, lease: str, outcome: Outcome, now: datetime) -> bool:
    """False: the lease was lost, somebody else settled."""
    row = tx.first(
        """UPDATE generations SET status = 'succeeded', blob_key = :blob_key, media_type = :media_type, width = :width,
                  height = :height, size_bytes = :size_bytes, sha256 = :sha256, served_by = coalesce(:served_by, served_by),
                  cost_usd = :cost_usd, provider_request_id = :provider_request_id, seed = :seed, lease = NULL,
                  lease_until = NULL, phase = NULL, completed_at = :now, provenance = :provenance
           WHERE id = :id AND status = 'running' AND lease = :lease RETURNING account_id""",
        id=generation_id,
        lease=lease,
        now=now,
        blob_key=outcome.blob_key,
        media_type=outcome.media_type,
        width=outcome.width,
        height=outcome.height,
        size_bytes=outcome.size_bytes,
        sha256=outcome.sha256,
        served_by=outcome.served_by,
        cost_usd=outcome.cost_usd,
        provider_request_id=outcome.provider_request_id,
        provenance=None if outcome.provenance is None else as_json(outcome.provenance.as_data()),
        seed=outcome.seed,
    )
    if row is not None:
        count(tx, row["account_id"], images=1)
    return row is not None


def fail(tx: Transaction, generation_id: str, lease: str | None, error: Mapping[str, Any], now: datetime) -> bool:
    """End without a picture: a running one under this lease, or (lease None) one still queued."""
    return _end(tx, generation_id, "failed", lease, now, error)


def cancel(tx: Transaction, generation_id: str, lease: str | None, now: datetime) -> bool:
    return _end(tx, generation_id, "cancelled", lease, now, None)


def ask_to_cancel(tx: Transaction, generation_id: str, now: datetime) -> bool:
    """Leave word for the runner; false when it is no longer running."""
    return (
        tx.execute(
            "UPDATE generations SET cancel_requested_at = coalesce(cancel_requested_at, :now) WHERE id = :id AND status = 'running'",
            id=generation_id,
            now=now,
        )
        == 1
    )


def _end(
    tx: Transaction,
    generation_id: str,
    status: Status,
    lease: str | None,
    now: datetime,
    error: Mapping[str, Any] | None,
) -> bool:
    guard = "status = 'queued'" if lease is None else "status = 'running' AND lease = :lease"
    return (
        tx.execute(
            f"""UPDATE generations SET status = :status, error = :error, lease = NULL, lease_until = NULL, phase = NULL,
                   completed_at = :now
            WHERE id = :id AND {guard}""",  # noqa: S608 — only our own fragments
            id=generation_id,
            status=status,
            error=None if error is None else as_json(error),
            now=now,
            **({} if lease is None else {"lease": lease}),
        )
        == 1
    )
