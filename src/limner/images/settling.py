"""The end of a generation: what its bytes are, and one transaction for outcome and money, whoever brings it about."""

import contextlib
import hashlib
from datetime import datetime

from limner import metrics
from limner.credits import ledger
from limner.db.base import Database, Transaction
from limner.db.types import Clock
from limner.errors import ServiceError
from limner.images import embedded, generations, notices, pictures, transitions
from limner.images.content_credentials import CredentialsReader
from limner.images.generations import Generation, Outcome
from limner.images.parts import Parts
from limner.providers.base import ProviderImage


def blob_prefix(generation_id: str) -> str:
    """Under which every run of that generation stores its bytes."""
    return f"images/{generation_id}/original/"


def describe(generation_id: str, lease: str, image: ProviderImage, credentials: CredentialsReader) -> Outcome:
    """What the bytes are, whatever the supplier says they are; NotAPicture unless all of them decode.

    The lease is part of the key, so that two runs of one generation never write over each other.
    """
    picture = pictures.decode_check(image.data)
    return Outcome(
        blob_key=f"{blob_prefix(generation_id)}{lease}.{pictures.EXTENSIONS[picture.media_type]}",
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
        size_bytes=len(image.data),
        sha256=hashlib.sha256(image.data).hexdigest(),
        served_by=image.served_by,
        cost_usd=None if image.cost_usd is None else str(image.cost_usd),
        provider_request_id=image.request_id,
        provenance=embedded.read(image.data, picture.media_type, credentials),
        seed=image.seed,
    )


async def settle_success(database: Database, row: Generation, lease: str, outcome: Outcome, clock: Clock) -> bool:
    """Succeed and charge in one transaction; false when the lease was lost and somebody else settled."""

    def settle(tx: Transaction) -> bool:
        now = clock()
        if not transitions.succeed(tx, row.id, lease, outcome, now):
            return False
        entry = ledger.Entry(
            description=f"Image with {row.model_id}",
            reference_id=row.id,
            api_key_id=row.api_key_id,
            connection_id=row.connection_id,
            model_id=row.model_id,
        )
        ledger.capture(tx, row.id, entry, now)
        notices.ended(tx, row.account_id, row.id, now)
        notices.charged(tx, row.account_id, row.credits, now)
        return True

    settled = await database.write(settle)
    if settled:
        _count(row, "succeeded")
        _count_success(row, outcome, clock())
    return settled


async def settle_failure(
    database: Database, row: Generation, lease: str | None, error: ServiceError, clock: Clock
) -> bool:
    """Fail and give the held credits back in one transaction; `lease` None for a generation still queued."""

    def settle(tx: Transaction) -> bool:
        now = clock()
        if not transitions.fail(tx, row.id, lease, error.as_data(), now):
            return False
        ledger.release(tx, row.id, now)
        notices.ended(tx, row.account_id, row.id, now)
        return True

    settled = await database.write(settle)
    if settled:
        _count(row, "failed", error.code)
    return settled


async def settle_cancel(database: Database, row: Generation, lease: str, clock: Clock) -> bool:
    """Stop a running one in one transaction; false when the lease was lost and somebody else settled."""
    settled = await database.write(lambda tx: cancel(tx, row.id, lease, clock()))
    if settled:
        _count(row, "cancelled")
    return settled


def cancel(tx: Transaction, generation_id: str, lease: str | None, now: datetime) -> bool:
    """Give the held credits back with the end; `lease` None for a generation still queued, false when it is not any more."""
    if not transitions.cancel(tx, generation_id, lease, now):
        return False
    ledger.release(tx, generation_id, now)
    return True


async def forget_inputs(parts: Parts, row: Generation) -> None:
    """Delete the copies of a call's input pictures once all of its generations have ended."""
    if row.inputs is None:
        return
    rows = await parts.database.read(lambda tx: generations.of_call(tx, row.call_id))
    if all(each.has_ended for each in rows):
        for stored in [*row.inputs["images"], *filter(None, [row.inputs["mask"]])]:
            with contextlib.suppress(OSError):
                await parts.blobs.delete(stored["blobKey"])


def _count(row: Generation, status: str, code: str = "") -> None:
    metrics.GENERATIONS.labels(row.door, row.model_id, row.provider_id, status, code).inc()


def _count_success(row: Generation, outcome: Outcome, ended_at: datetime) -> None:
    metrics.CREDITS_CHARGED.labels(row.model_id).inc(row.credits)
    if row.started_at is not None:
        seconds = max((ended_at - row.started_at).total_seconds(), 0)  # clocks are set back
        metrics.GENERATION_SECONDS.labels(row.door, row.model_id).observe(seconds)
    if outcome.cost_usd is not None:
        metrics.UPSTREAM_COST_USD.labels(row.provider_id).inc(float(outcome.cost_usd))
