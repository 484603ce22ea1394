"""Generations: one request for one picture and its outcome; owns the `generations` table.

How a generation goes on stands in `transitions`, what a list shows and what waits in `lists`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

import orjson

from limner.db.base import Row, Transaction
from limner.db.types import utc, utc_or_none
from limner.images.embedded import Provenance
from limner.tracing import Origin

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
    origin: Origin | None = None
    served_by: str | None = None
    cost_usd: str | None = None
    seed: int | None = None
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
    provenance: Provenance | None = None

    @property
    def door(self) -> str:
        """Where the call came in; empty where nobody wrote it down."""
        return self.origin.door if self.origin else ""

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    def as_told_to_its_caller(self) -> "Generation":
        """What the call that asked for it says when its wait ends first: running, though it may still stand in line."""
        return replace(self, status="running") if self.status == "queued" else self

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
    seed: int | None = None
    provider_request_id: str | None = None
    provenance: Provenance | None = None


def add(tx: Transaction, generation: Generation, *, turn: int = 0) -> None:
    """`turn` is its round in the line of its provider (`line.next_turn`)."""
    tx.post(
        """INSERT INTO generations (id, call_id, position, account_id, api_key_id, connection_id, status, operation, prompt,
                  style, model_id, provider_id, options, inputs, credits, warnings, origin, deadline_at, created_at, turn)
           VALUES (:id, :call_id, :position, :account_id, :api_key_id, :connection_id, 'queued', :operation, :prompt,
                  :style, :model_id, :provider_id, :options, :inputs, :credits, :warnings, :origin, :deadline_at, :created_at, :turn)""",
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
        options=as_json(generation.options),
        inputs=None if generation.inputs is None else as_json(generation.inputs),
        credits=generation.credits,
        warnings=as_json(generation.warnings),
        origin=None if generation.origin is None else as_json(asdict(generation.origin)),
        deadline_at=generation.deadline_at,
        created_at=generation.created_at,
        turn=turn,
    )
    count(tx, generation.account_id, generations=1)


def get(tx: Transaction, generation_id: str, *, account_id: str) -> Generation | None:
    """The account's own generation; None for another's, an unknown or a deleted one alike."""
    row = tx.first(
        "SELECT * FROM generations WHERE id = :id AND account_id = :account_id AND deleted_at IS NULL",
        id=generation_id,
        account_id=account_id,
    )
    return None if row is None else from_row(row)


def find(tx: Transaction, generation_id: str) -> Generation | None:
    """Any account's generation, deleted or not: for the runner, recovery and links that proved themselves."""
    row = tx.first("SELECT * FROM generations WHERE id = :id", id=generation_id)
    return None if row is None else from_row(row)


def of_call(tx: Transaction, call_id: str) -> list[Generation]:
    """All pictures of one call, in their order, deleted ones included."""
    rows = tx.all("SELECT * FROM generations WHERE call_id = :call_id ORDER BY position", call_id=call_id)
    return [from_row(row) for row in rows]


def bury(tx: Transaction, generation: Generation, now: datetime) -> bool:
    """Forget an ended generation's prompt and picture; the row stays as the tombstone the audit accepts."""
    changed = tx.execute(
        """UPDATE generations SET deleted_at = :now, prompt = NULL, style = NULL, inputs = NULL
           WHERE id = :id AND deleted_at IS NULL AND status IN ('succeeded', 'failed', 'cancelled')""",
        id=generation.id,
        now=now,
    )
    if changed:
        count(tx, generation.account_id, generations=-1, images=-1 if generation.status == "succeeded" else 0)
    return changed == 1


def count(tx: Transaction, account_id: str, *, generations: int = 0, images: int = 0) -> None:
    tx.post(
        """UPDATE balances SET generations_total = generations_total + :generations, images_total = images_total + :images
           WHERE account_id = :account_id""",
        account_id=account_id,
        generations=generations,
        images=images,
    )


def as_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def from_row(row: Row) -> Generation:
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
        origin=Origin(**orjson.loads(row["origin"])) if row["origin"] else None,
        served_by=row["served_by"],
        cost_usd=row["cost_usd"],
        seed=row["seed"],
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
        provenance=Provenance.from_data(orjson.loads(row["provenance"])) if row["provenance"] else None,
    )
