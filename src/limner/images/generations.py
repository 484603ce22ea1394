"""Generations: one request for one picture and its outcome; owns the `generations` table.

Every change of status is guarded by the status (and lease) it starts from, so whoever changes the row
is the one who acts on it. `counted` totals live in `balances`, beside the money.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson

from limner.db.base import Row, Transaction
from limner.db.types import utc, utc_or_none

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Operation = Literal["generate", "edit"]

ENDED: frozenset[Status] = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Generation:
    """A row, with times as datetimes and JSON as data. `options` are the wire's names: aspectRatio, seed, …"""

    id: str
    call_id: str
    position: int
    account_id: str
    api_key_id: str | None
    connection_id: str | None
    status: Status
    operation: Operation
    prompt: str | None
    style: str | None
    model_id: str
    provider_id: str
    options: Mapping[str, Any]
    inputs: Mapping[str, Any] | None
    credits: int
    warnings: tuple[str, ...]
    error: Mapping[str, Any] | None
    created_at: datetime
    deadline_at: datetime
    served_by: str | None = None
    cost_usd: str | None = None
    provider_handle: str | None = None
    sent_at: datetime | None = None
    attempts: int = 0
    lease: str | None = None
    phase: str | None = None
    fraction_percent: int | None = None
    cancel_requested_at: datetime | None = None
    blob_key: str | None = None
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def charged(self) -> int:
        """Credits this generation cost: what was held, if it succeeded."""
        return self.credits if self.status == "succeeded" else 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """A stored picture, described from its bytes."""

    blob_key: str
    media_type: str
    width: int
    height: int
    size_bytes: int
    sha256: str
    served_by: str | None
    cost_usd: str | None = None
    provider_request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which generations a list shows; None means any. `caller_id` is a key, a connection, or `browser` for neither."""

    statuses: tuple[Status, ...] | None = None
    model_id: str | None = None
    text: str | None = None
    caller_id: str | None = None
    since_id: str | None = None
    before_id: str | None = None

    @property
    def is_open(self) -> bool:
        return (self.statuses, self.model_id, self.text, self.caller_id, self.since_id) == (None,) * 5


def add(tx: Transaction, generation: Generation) -> None:
    tx.execute(
        """INSERT INTO generations (id, call_id, position, account_id, api_key_id, connection_id, status, operation, prompt,
                  style, model_id, provider_id, options, inputs, credits, warnings, deadline_at, created_at)
           VALUES (:id, :call_id, :position, :account_id, :api_key_id, :connection_id, 'queued', :operation, :prompt,
                  :style, :model_id, :provider_id, :options, :inputs, :credits, :warnings, :deadline_at, :created_at)""",
        id=generation.id,
        call_id=generation.call_id,
        position=generation.position,
        account_id=generation.account_id,
        api_key_id=generation.api_key_id,
        connection_id=generation.connection_id,
        operation=generation.operation,
        prompt=generation.prompt,
        style=generation.style,
        model_id=generation.model_id,
        provider_id=generation.provider_id,
        options=_json(generation.options),
        inputs=None if generation.inputs is None else _json(generation.inputs),
        credits=generation.credits,
        warnings=_json(generation.warnings),
        deadline_at=generation.deadline_at,
        created_at=generation.created_at,
    )
    _count(tx, generation.account_id, generations=1)


def get(tx: Transaction, generation_id: str, *, account_id: str) -> Generation | None:
    """The account's own generation; None for another's, an unknown or a deleted one alike."""
    row = tx.first(
        "SELECT * FROM generations WHERE id = :id AND account_id = :account_id AND deleted_at IS NULL",
        id=generation_id,
        account_id=account_id,
    )
    return None if row is None else _generation(row)


def find(tx: Transaction, generation_id: str) -> Generation | None:
    """Any account's generation, deleted or not: for the runner, recovery and links that proved themselves."""
    row = tx.first("SELECT * FROM generations WHERE id = :id", id=generation_id)
    return None if row is None else _generation(row)


def of_call(tx: Transaction, call_id: str) -> list[Generation]:
    """All pictures of one call, in their order, deleted ones included."""
    rows = tx.all("SELECT * FROM generations WHERE call_id = :call_id ORDER BY position", call_id=call_id)
    return [_generation(row) for row in rows]


def of_account(tx: Transaction, account_id: str, which: Filter, *, limit: int, offset: int = 0) -> list[Generation]:
    """Newest first."""
    conditions, params = _conditions(which)
    rows = tx.all(
        f"""SELECT * FROM generations WHERE account_id = :account_id AND deleted_at IS NULL {conditions}
            ORDER BY id DESC LIMIT :limit OFFSET :offset""",  # noqa: S608 — only our own fragments
        account_id=account_id,
        limit=limit,
        offset=offset,
        **params,
    )
    return [_generation(row) for row in rows]


def newer(tx: Transaction, account_id: str, generation_id: str) -> str | None:
    """The account's next picture after one, by id."""
    return tx.scalar(
        """SELECT id FROM generations WHERE account_id = :account_id AND deleted_at IS NULL AND status = 'succeeded'
             AND id > :id ORDER BY id LIMIT 1""",
        account_id=account_id,
        id=generation_id,
    )


def ended_before(tx: Transaction, account_id: str, before: datetime, *, limit: int) -> list[Generation]:
    """Those that ended before a moment and are still kept, oldest first."""
    rows = tx.all(
        """SELECT * FROM generations WHERE account_id = :account_id AND deleted_at IS NULL AND completed_at < :before
           ORDER BY id LIMIT :limit""",
        account_id=account_id,
        before=before,
        limit=limit,
    )
    return [_generation(row) for row in rows]


def unended_of_account(tx: Transaction, account_id: str) -> int:
    return tx.scalar(
        "SELECT count(*) FROM generations WHERE account_id = :account_id AND status IN ('queued', 'running')",
        account_id=account_id,
    )


def claim(
    tx: Transaction, generation_id: str, lease: str, *, now: datetime, until: datetime, deadline_at: datetime
) -> Generation | None:
    """Take a queued generation to run it; None when somebody else has it or it has ended."""
    row = tx.first(
        """UPDATE generations SET status = 'running', lease = :lease, lease_until = :until, started_at = :now,
                  deadline_at = :deadline_at, attempts = attempts + 1
           WHERE id = :id AND status = 'queued' RETURNING *""",
        id=generation_id,
        lease=lease,
        now=now,
        until=until,
        deadline_at=deadline_at,
    )
    return None if row is None else _generation(row)


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
    return None if row is None else _generation(row)


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
            options=_json(row.options),
            warnings=_json(row.warnings),
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
                  cost_usd = :cost_usd, provider_request_id = :provider_request_id, lease = NULL, lease_until = NULL,
                  phase = NULL, completed_at = :now
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
    )
    if row is not None:
        _count(tx, row["account_id"], images=1)
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


def bury(tx: Transaction, generation: Generation, now: datetime) -> bool:
    """Forget an ended generation's prompt and picture; the row stays as the tombstone the audit accepts."""
    changed = tx.execute(
        """UPDATE generations SET deleted_at = :now, prompt = NULL, style = NULL, inputs = NULL
           WHERE id = :id AND deleted_at IS NULL AND status IN ('succeeded', 'failed', 'cancelled')""",
        id=generation.id,
        now=now,
    )
    if changed:
        _count(tx, generation.account_id, generations=-1, images=-1 if generation.status == "succeeded" else 0)
    return changed == 1


def queued(tx: Transaction) -> list[Row]:
    """Everything that waits to be run, oldest first: id, account_id and provider_id."""
    return tx.all("SELECT id, account_id, provider_id FROM generations WHERE status = 'queued' ORDER BY id")


@dataclass(frozen=True, slots=True)
class Waiting:
    count: int
    oldest_at: datetime | None


def waiting(tx: Transaction) -> Waiting:
    """How many generations wait in all accounts together, and since when the first of them does."""
    row = tx.first("SELECT count(*) AS count, min(created_at) AS oldest FROM generations WHERE status = 'queued'")
    assert row is not None
    return Waiting(row["count"], utc_or_none(row["oldest"]))


def overdue(tx: Transaction, now: datetime, *, limit: int = 100) -> list[str]:
    """Queued past their deadline."""
    rows = tx.all(
        "SELECT id FROM generations WHERE status = 'queued' AND deadline_at < :now ORDER BY id LIMIT :limit",
        now=now,
        limit=limit,
    )
    return [row["id"] for row in rows]


def abandoned(tx: Transaction, now: datetime, *, limit: int = 100) -> list[str]:
    """Running under a lease that ran out: their process is gone or stuck."""
    rows = tx.all(
        "SELECT id FROM generations WHERE status = 'running' AND lease_until < :now ORDER BY id LIMIT :limit",
        now=now,
        limit=limit,
    )
    return [row["id"] for row in rows]


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
            error=None if error is None else _json(error),
            now=now,
            **({} if lease is None else {"lease": lease}),
        )
        == 1
    )


def _count(tx: Transaction, account_id: str, *, generations: int = 0, images: int = 0) -> None:
    tx.execute(
        """UPDATE balances SET generations_total = generations_total + :generations, images_total = images_total + :images
           WHERE account_id = :account_id""",
        account_id=account_id,
        generations=generations,
        images=images,
    )


def _conditions(which: Filter) -> tuple[str, dict[str, Any]]:
    conditions: list[str] = []
    params: dict[str, Any] = {}
    if which.statuses is not None:
        names = [f"status_{index}" for index in range(len(which.statuses))]
        conditions.append(f"status IN ({', '.join(f':{name}' for name in names)})")
        params |= dict(zip(names, which.statuses, strict=True))
    if which.model_id is not None:
        conditions.append("model_id = :model_id")
        params["model_id"] = which.model_id
    if which.text is not None:
        conditions.append("lower(prompt) LIKE :text ESCAPE '!'")
        escaped = which.text.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
        params["text"] = f"%{escaped}%"
    if which.caller_id == "browser":
        conditions.append("api_key_id IS NULL AND connection_id IS NULL")
    elif which.caller_id is not None:
        conditions.append("(api_key_id = :caller_id OR connection_id = :caller_id)")
        params["caller_id"] = which.caller_id
    if which.since_id is not None:
        conditions.append("id >= :since_id")
        params["since_id"] = which.since_id
    if which.before_id is not None:
        conditions.append("id < :before_id")
        params["before_id"] = which.before_id
    return "".join(f" AND {condition}" for condition in conditions), params


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _generation(row: Row) -> Generation:
    return Generation(
        id=row["id"],
        call_id=row["call_id"],
        position=row["position"],
        account_id=row["account_id"],
        api_key_id=row["api_key_id"],
        connection_id=row["connection_id"],
        status=row["status"],
        operation=row["operation"],
        prompt=row["prompt"],
        style=row["style"],
        model_id=row["model_id"],
        provider_id=row["provider_id"],
        options=orjson.loads(row["options"]),
        inputs=orjson.loads(row["inputs"]) if row["inputs"] else None,
        credits=row["credits"],
        warnings=tuple(orjson.loads(row["warnings"])) if row["warnings"] else (),
        error=orjson.loads(row["error"]) if row["error"] else None,
        created_at=utc(row["created_at"]),
        deadline_at=utc(row["deadline_at"]),
        served_by=row["served_by"],
        cost_usd=row["cost_usd"],
        provider_handle=row["provider_handle"],
        sent_at=utc_or_none(row["sent_at"]),
        attempts=row["attempts"],
        lease=row["lease"],
        phase=row["phase"],
        fraction_percent=row["fraction_percent"],
        cancel_requested_at=utc_or_none(row["cancel_requested_at"]),
        blob_key=row["blob_key"],
        media_type=row["media_type"],
        width=row["width"],
        height=row["height"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        started_at=utc_or_none(row["started_at"]),
        completed_at=utc_or_none(row["completed_at"]),
        deleted_at=utc_or_none(row["deleted_at"]),
    )
