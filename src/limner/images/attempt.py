"""One run of one generation under one lease: call the supplier, store the bytes, settle money and outcome together."""

import asyncio
import random
import time
from collections.abc import Coroutine
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog

from limner import metrics, tracing
from limner.errors import (
    Internal,
    ModelUnavailable,
    NoImage,
    ServiceError,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from limner.images import pictures, transitions
from limner.images.generations import Generation, Outcome
from limner.images.orders import order_of
from limner.images.parts import Parts
from limner.images.provenance import source_of
from limner.images.settling import describe, forget_inputs, settle_cancel, settle_failure, settle_success
from limner.providers.base import ImageRequest, ProviderImage, Unbilled
from limner.queue.base import Event

ATTEMPTS = 3
FIRST_DELAY_SECONDS = 1.0

STORE_DELAYS_SECONDS = (0.5, 2.0)

FALLBACK_AFTER = (UpstreamUnavailable, UpstreamRateLimited, ModelUnavailable)
"""Never after moderation, never after a time-out: somebody may already be paid for this picture."""

log = structlog.stdlib.get_logger(__name__)


class Attempt:
    """A claimed generation. `run` never raises for what can go wrong with it; it settles it.

    It is the `Watch` its supplier tells things to.
    """

    def __init__(self, parts: Parts, row: Generation, lease: str) -> None:
        self._parts = parts
        self._row = row
        self._lease = lease
        self._sent = row.sent_at is not None
        self._stop: str | None = None  # why the work was stopped: "lost", "cancelled" or "handed over"
        self._phase = "starting"
        self._began = time.perf_counter()
        self._fraction: float | None = None
        self._has_handle = row.provider_handle is not None
        self._work: asyncio.Task[ProviderImage] | None = None
        self._step: tracing.Span

    async def run(self) -> None:
        origin = self._row.origin
        with tracing.running(self._row.id, origin), self._span() as self._step:
            log.debug("generation begins", **_facts(self._row))
            await self._run()

    async def _run(self) -> None:
        self._tell("rendering", None)
        self._work = asyncio.create_task(self._make())
        keeping = asyncio.create_task(self._keep_lease())
        try:
            image = await self._work
            await self._store(image)
        except asyncio.CancelledError:
            await self._stopped()
        except ServiceError as error:
            await self._fail(error)
        except Exception:  # a bug: the credits go back all the same
            log.exception("generation failed")
            await self._fail(Internal())
        finally:
            keeping.cancel()
            self._work.cancel()

    @property
    def provider_id(self) -> str:
        return self._row.provider_id

    def hand_over(self) -> bool:
        """Stop without losing anything: whoever takes it next starts or resumes it; else (false) let it finish."""
        if not self._can_be_repeated() or self._work is None or self._work.done():
            return False
        self._halt("handed over")
        return True

    # --- Watch ---------------------------------------------------------------------------------

    async def submitted(self, handle: str) -> None:
        await self._parts.database.write(lambda tx: transitions.note_handle(tx, self._row.id, self._lease, handle))
        self._has_handle = True

    async def progress(self, fraction: float | None, message: str) -> None:
        self._tell(message, fraction)

    async def partial(self, data: bytes, media_type: str) -> None:
        self._parts.events.publish(
            Event("partial", self._row.id, self._phase, self._fraction, partial=data, partial_media_type=media_type)
        )

    # --- private: making -----------------------------------------------------------------------

    async def _make(self) -> ProviderImage:
        """Ask the supplier inside the deadline; again only for what cannot have been billed."""
        seconds = (self._row.deadline_at - self._parts.clock()).total_seconds()
        try:
            async with asyncio.timeout(seconds):
                return await self._ask_in_turn()
        except TimeoutError:
            raise UpstreamTimeout(generation_id=self._row.id) from None

    async def _ask_in_turn(self) -> ProviderImage:
        """The model's own supplier; where the operator named fallbacks and it is not there, the next one, openly."""
        for fallback in [*self._row.options["fallbacks"], None]:
            try:
                return await self._ask(await order_of(self._row, self._parts.blobs))
            except FALLBACK_AFTER as error:
                if fallback is None:
                    raise
                await self._reroute(fallback, error)
        raise AssertionError("unreachable")

    async def _reroute(self, fallback: dict[str, Any], error: ServiceError) -> None:
        """From here on this is an order to another supplier, and its row says so before that one is asked."""
        row = self._row
        options = {**row.options, **fallback["route"]}
        warning = f"{row.model_id} could not serve ({error.code}); {fallback['modelId']} made this picture instead."
        self._row = replace(row, provider_id=fallback["providerId"], options=options, warnings=(*row.warnings, warning))
        kept = await self._parts.database.write(lambda tx: transitions.reroute(tx, self._row, self._lease))
        if not kept:
            self._stop = "lost"
            raise asyncio.CancelledError

    async def _ask(self, request: ImageRequest) -> ProviderImage:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._ask_once(request)
            except Unbilled as refused:
                if attempt == ATTEMPTS:
                    raise refused.error from None
                await asyncio.sleep(_delay_seconds(attempt, refused.delay_seconds))
        raise AssertionError("unreachable")

    async def _ask_once(self, request: ImageRequest) -> ProviderImage:
        async with self._parts.suppliers.slot(self._row.provider_id) as provider:
            if self._row.provider_handle is not None:
                self._tell("resuming", None)
                return await self._order(provider.resume(request, self._row.provider_handle, self))
            await self._mark_sent()
            return await self._order(provider.generate(request, self))

    async def _order(self, order: Coroutine[Any, Any, ProviderImage]) -> ProviderImage:
        """One exchange with a supplier, as operators see it."""
        name, began = self._row.provider_id, time.perf_counter()
        with tracing.span("provider call", kind="client", facts={"provider": name}) as step:
            try:
                return await order
            except (ServiceError, Unbilled) as refused:
                failure = refused.error if isinstance(refused, Unbilled) else refused
                code = failure.code if isinstance(failure, ServiceError) else "internal"
                step.fail(code)
                metrics.PROVIDER_ERRORS.labels(name, code).inc()
                raise
            finally:
                metrics.PROVIDER_SECONDS.labels(name).observe(time.perf_counter() - began)

    async def _mark_sent(self) -> None:
        if self._sent:
            return
        marked = await self._parts.database.write(
            lambda tx: transitions.mark_sent(tx, self._row.id, self._lease, self._parts.clock())
        )
        if not marked:
            self._stop = "lost"
            raise asyncio.CancelledError
        self._sent = True

    # --- private: settling ---------------------------------------------------------------------

    async def _store(self, image: ProviderImage) -> None:
        """Bytes first, then one transaction for the outcome and the charge: charged if and only if retrievable."""
        self._tell("storing", None)
        image = await self._signed(image)
        outcome = await self._describe(image)
        with tracing.span("store", facts={"size_bytes": outcome.size_bytes}):
            await self._put(outcome, image.data)
        with tracing.span("settle"):
            settled = await settle_success(self._parts.database, self._row, self._lease, outcome, self._parts.clock)
        if settled:
            log.info("generation succeeded", **self._told())
            await self._ended()
        else:
            await self._parts.blobs.delete(outcome.blob_key)

    async def _put(self, outcome: Outcome, data: bytes) -> None:
        """The supplier has been paid for these bytes: a store that fails for a moment gets another chance."""
        for delay_seconds in (*STORE_DELAYS_SECONDS, None):
            try:
                await self._parts.blobs.put(outcome.blob_key, data, outcome.media_type)
            except OSError as problem:
                if delay_seconds is None:
                    raise
                metrics.STORE_ERRORS.inc()
                log.warning("the blob store failed", error=str(problem))
                await asyncio.sleep(delay_seconds)
            else:
                return

    async def _signed(self, image: ProviderImage) -> ProviderImage:
        """With our signature where the picture is our own and the operator signs; a supplier's stays as it is."""
        signer, source = self._parts.signer, source_of(self._row.provider_id)
        if signer is None or source != "algorithmicMedia":
            return image
        media_type = pictures.inspect(image.data).media_type
        return replace(image, data=await asyncio.to_thread(signer.made, image.data, media_type, source))

    async def _describe(self, image: ProviderImage) -> Outcome:
        try:
            return await asyncio.to_thread(describe, self._row.id, self._lease, image, self._parts.credentials)
        except pictures.NotAPicture:
            raise NoImage("The provider answered with something that is not a picture.") from None

    async def _fail(self, error: ServiceError) -> None:
        error.generation_id = self._row.id
        if isinstance(error, ModelUnavailable):
            error.extra = {"replacedBy": self._row.options["replacedBy"], **error.extra}
        log.info("generation failed", **self._told(), code=error.code)
        self._step.fail(error.code)
        with tracing.span("settle"):
            settled = await settle_failure(self._parts.database, self._row, self._lease, error, self._parts.clock)
        if settled:
            await self._ended()

    async def _stopped(self) -> None:
        if self._stop == "cancelled":
            await settle_cancel(self._parts.database, self._row, self._lease, self._parts.clock)
            await self._ended()
        elif self._stop == "handed over":
            await self._parts.database.write(lambda tx: transitions.requeue(tx, self._row.id, self._lease))
        elif self._stop is None:
            raise asyncio.CancelledError

    async def _ended(self) -> None:
        self._parts.events.publish(Event("ended", self._row.id))
        await forget_inputs(self._parts, self._row)

    # --- private: the lease ----------------------------------------------------------------------

    async def _keep_lease(self) -> None:
        """Renew it three times in its life; stop the work when it is lost, or when asked to and that is free."""
        with self._parts.events.watch([self._row.id]) as watching:
            while True:
                heard = await watching.next(self._parts.lease_seconds / 3)
                if heard is not None and heard.kind != "cancel":
                    continue
                await self._renew()

    async def _renew(self) -> None:
        until = self._parts.clock() + timedelta(seconds=self._parts.lease_seconds)
        percent = None if self._fraction is None else round(self._fraction * 100)
        try:
            kept = await self._parts.database.write(
                lambda tx: transitions.renew(
                    tx, self._row.id, self._lease, until=until, phase=self._phase, percent=percent
                )
            )
        except OSError:
            log.warning("lease not renewed: the database is not reachable")
            return
        if kept is None:
            self._halt("lost")
        elif kept["cancel_requested_at"] is not None:
            self._answer_cancel()

    def _answer_cancel(self) -> None:
        provider = self._parts.suppliers[self._row.provider_id]
        if not self._sent or provider.cancellable:
            self._halt("cancelled")
        else:
            self._parts.events.publish(Event("running", self._row.id, "not_cancellable"))

    def _halt(self, why: str) -> None:
        if self._work is not None and not self._work.done():
            self._stop = why
            self._work.cancel()

    def _can_be_repeated(self) -> bool:
        provider = self._parts.suppliers[self._row.provider_id]
        return not self._sent or provider.safe_to_repeat or self._has_handle

    def _span(self) -> AbstractContextManager[tracing.Span]:
        row = self._row
        parent = row.origin.traceparent if row.origin else None
        return tracing.span(
            "generation", kind="consumer", parent=parent, facts={"generation_id": row.id, **_facts(row)}
        )

    def _told(self) -> dict[str, Any]:
        """What the one line about this run says, whatever came of it."""
        prompt = {"prompt": self._row.prompt} if self._parts.log_prompts else {}
        return {**_facts(self._row), "seconds": round(time.perf_counter() - self._began, 2), **prompt}

    def _tell(self, phase: str, fraction: float | None) -> None:
        self._phase = phase
        self._fraction = fraction
        self._parts.events.publish(Event("running", self._row.id, phase, fraction))


def _facts(row: Generation) -> dict[str, str]:
    return {"door": row.door, "model": row.model_id, "provider": row.provider_id}


def _delay_seconds(attempt: int, asked: float | None) -> float:
    """What the supplier asked for, else doubling; a little more, so that many do not come back at once."""
    delay = asked if asked is not None else FIRST_DELAY_SECONDS * 2 ** (attempt - 1)
    return delay * random.uniform(1.0, 1.25)  # noqa: S311 — spreading, not secrecy
