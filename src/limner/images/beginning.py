"""How a call begins: is it a repeat, what does it hold, and the one transaction that writes it all down."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from limner import tracing
from limner.accounts.principal import Principal
from limner.blobs.base import Blobs
from limner.catalog.models import ENUM_OPTIONS, Plan
from limner.credits import ledger
from limner.db.base import Database, Transaction
from limner.db.types import Clock, new_id
from limner.errors import IdempotencyConflict, InsufficientCredits, NotFound, ServerBusy
from limner.images import calls, generations, line, lists, requests
from limner.images.calls import Call
from limner.images.generations import Generation
from limner.images.requests import NewImages
from limner.providers.base import InputImage

HANG_UP_SECONDS = 0.5
HANG_UP_CHECKS = 10
"""A repeated call may overtake the news that its first caller hung up: how long and how often it looks again."""


WATCHED_PARTIAL_IMAGES = 2
"""Unfinished previews cost a little at suppliers, and nothing from our own model."""


@dataclass(frozen=True, slots=True)
class Started:
    """A call under way: its generations in order, and whether an earlier call had started them."""

    call_id: str
    generation_ids: tuple[str, ...]
    replayed: bool
    account_id: str


class References(Protocol):
    """Turns what callers point at into checked pictures; raises ServiceErrors, and fetches nothing that is wrong."""

    async def resolve(self, account_id: str, new: NewImages) -> tuple[tuple[InputImage, ...], InputImage | None]:
        """Images before references, and the mask."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """`bills` is false for a self-host that records use and charges nothing; `buy_url` is where credits are bought."""

    bills: bool = True
    buy_url: str = ""
    queue_per_account: int = 1000
    queue_deadline_seconds: int = 3600


class Crossed(Exception):
    """Another process wrote an identical call down while this one was on its way; nothing of this one stands."""


class Beginning:
    def __init__(
        self, *, database: Database, blobs: Blobs, references: References, clock: Clock, limits: Limits, process_id: str
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._references = references
        self._clock = clock
        self._limits = limits
        self._process_id = process_id

    async def earlier(self, principal: Principal, new: NewImages, digest: str) -> Started | None:
        """The call this one repeats, looked for before inputs are fetched; a hang-up may still be on its way to us."""

        def replay(tx: Transaction) -> Started | None:
            return self._replay(tx, principal, new, digest)

        if new.idempotency_key is not None:
            return await self._database.write(replay) if new.has_inputs else None
        for _ in range(HANG_UP_CHECKS):
            if not await self._database.read(
                lambda tx: calls.is_waited_for(tx, principal.account_id, principal.caller_id, digest)
            ):
                break
            await asyncio.sleep(HANG_UP_SECONDS / HANG_UP_CHECKS)
            if (earlier := await self._database.write(replay)) is not None:
                return earlier
        return await self._database.write(replay) if new.has_inputs else None

    def transaction(
        self,
        principal: Principal,
        new: NewImages,
        planned: Plan,
        digest: str,
        call_id: str,
        inputs: dict[str, Any] | None,
        *,
        wary: bool,
    ) -> Callable[[Transaction], Started]:
        """A `wary` one raises Crossed where somebody waits for an identical call; else both want a picture of their own."""
        rows = self._new_rows(principal, new, planned, call_id, inputs)

        def begin(tx: Transaction) -> Started:
            earlier = self._replay(tx, principal, new, digest)
            if earlier is not None:
                return earlier
            self._check_queue(tx, principal, new.n)
            now = self._clock()
            call = Call(call_id, principal.account_id, principal.caller_id, digest, new.idempotency_key, now)
            calls.add(tx, call, waiter=self._process_id if new.waits else None, wait_name=new.wait_name)
            self._hold(tx, principal, rows, now)
            # the account's row is ours now: whatever another process wrote down for it before can be seen
            if (
                wary
                and new.idempotency_key is None
                and calls.is_waited_for(tx, principal.account_id, principal.caller_id, digest, besides=call_id)
            ):
                raise Crossed
            for row in rows:
                generations.add(tx, row, turn=line.next_turn(tx, row.account_id, row.provider_id))
            return Started(call_id, tuple(row.id for row in rows), False, principal.account_id)

        return begin

    def _new_rows(
        self, principal: Principal, new: NewImages, planned: Plan, call_id: str, inputs: dict[str, Any] | None
    ) -> list[Generation]:
        now = self._clock()
        first = Generation(
            id=new_id(),
            call_id=call_id,
            position=0,
            account_id=principal.account_id,
            api_key_id=principal.api_key_id,
            connection_id=principal.connection_id,
            status="queued",
            operation=new.operation,
            prompt=new.prompt,
            style=new.style,
            model_id=planned.model.id,
            provider_id=planned.route.provider,
            options=_stored_options(planned, new),
            inputs=inputs,
            credits=self.price(principal, planned),
            warnings=planned.warnings,
            error=None,
            created_at=now,
            deadline_at=now + timedelta(seconds=self._limits.queue_deadline_seconds),
            origin=tracing.origin(),
        )
        return [first, *(replace(first, id=new_id(), position=position) for position in range(1, new.n))]

    def _hold(self, tx: Transaction, principal: Principal, rows: Sequence[Generation], now: datetime) -> None:
        try:
            ledger.hold(
                tx,
                principal.account_id,
                rows[0].credits,
                generation_ids=[row.id for row in rows],
                cap_owner_ids=principal.cap_owner_ids,
                now=now,
            )
        except InsufficientCredits as refused:
            refused.next_step = f"Buy credits at {self._limits.buy_url}, or make a cheaper call."
            refused.extra["buyUrl"] = self._limits.buy_url
            raise

    def price(self, principal: Principal, planned: Plan) -> int:
        return requests.price(principal, planned, bills=self._limits.bills)

    def _replay(self, tx: Transaction, principal: Principal, new: NewImages, digest: str) -> Started | None:
        if new.idempotency_key is not None:
            return self._by_key(tx, principal, new.idempotency_key, digest)
        call_id = calls.adopt(
            tx,
            principal.account_id,
            principal.caller_id,
            digest,
            waiter=self._process_id,
            wait_name=new.wait_name,
            now=self._clock(),
        )
        return None if call_id is None else _started(tx, call_id, principal.account_id)

    def _by_key(self, tx: Transaction, principal: Principal, key: str, digest: str) -> Started | None:
        call = calls.by_key(tx, principal.account_id, key)
        if call is None:
            return None
        rows = generations.of_call(tx, call.id)
        if all(row.status in ("failed", "cancelled") for row in rows):
            calls.free_key(tx, call.id)
            return None
        if call.request_digest != digest:
            raise IdempotencyConflict()
        if all(row.deleted_at is not None for row in rows):
            raise NotFound(
                "The picture made with that idempotency key was deleted.",
                next_step="Use a new idempotency key for a new one.",
            )
        return _started(tx, call.id, principal.account_id)

    def _check_queue(self, tx: Transaction, principal: Principal, n: int) -> None:
        most = self._limits.queue_per_account
        if lists.unended_of_account(tx, principal.account_id) + n > most:
            raise ServerBusy(f"This account already has {most} generations under way.", retry_after_seconds=10)

    async def store_inputs(self, principal: Principal, new: NewImages, call_id: str) -> dict[str, Any]:
        """Check what the caller points at and keep a copy, so that nothing can change or vanish before the run."""
        images, mask = await self._references.resolve(principal.account_id, new)
        stored = [await self._store_input(call_id, str(index), image) for index, image in enumerate(images)]
        return {"images": stored, "mask": await self._store_input(call_id, "mask", mask) if mask else None}

    async def _store_input(self, call_id: str, name: str, image: InputImage) -> dict[str, Any]:
        key = f"inputs/{call_id}/{name}"
        await self._blobs.put(key, image.data, image.media_type)
        return {"blobKey": key, "mediaType": image.media_type, "width": image.width, "height": image.height}


def _stored_options(planned: Plan, new: NewImages) -> dict[str, Any]:
    """Everything a run needs to know, so that a changed catalogue never changes what was promised."""
    fallbacks = [
        {"modelId": each.model.id, "providerId": each.route.provider, "route": _route(each, new)}
        for each in planned.fallbacks
    ]
    return {**_route(planned, new), "fallbacks": fallbacks}


def _route(planned: Plan, new: NewImages) -> dict[str, Any]:
    options = {name: getattr(planned.options, attribute) for name, (attribute, _) in ENUM_OPTIONS.items()}
    return {
        **options,
        "seed": planned.options.seed,
        "upstreamId": planned.upstream_id,
        "replacedBy": planned.route.replaced_by,
        "sizePx": planned.size_px,
        "providerOptions": dict(planned.route.options),
        "timeoutSeconds": planned.route.timeout_seconds,
        "partialImages": max(new.partial_images, _partial_images_for_watchers(planned, new)),
    }


def _partial_images_for_watchers(planned: Plan, new: NewImages) -> int:
    """Who does not wait watches the events; who waits for the answer would pay the supplier for what nobody sees."""
    return WATCHED_PARTIAL_IMAGES if planned.route.provider == "limner" or not new.waits else 0


def _started(tx: Transaction, call_id: str, account_id: str) -> Started:
    rows = generations.of_call(tx, call_id)
    return Started(call_id, tuple(row.id for row in rows if row.deleted_at is None), True, account_id)
