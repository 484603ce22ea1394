"""The capabilities, once for every door: start, wait for, get, list, cancel and delete pictures."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from limner.accounts.principal import Principal, Scope
from limner.blobs.base import Blobs
from limner.catalog.models import ENUM_OPTIONS, Catalog, Model, Plan
from limner.credits import caps, ledger
from limner.credits.caps import Cap
from limner.credits.ledger import Balance, CreditTransaction
from limner.db.base import Database, Transaction, UniqueViolation
from limner.db.types import Clock, new_id
from limner.errors import IdempotencyConflict, NotCancellable, NotFound, ServerBusy
from limner.images import calls, generations, requests
from limner.images.calls import Call
from limner.images.generations import Filter, Generation
from limner.images.requests import NewImages, Reference
from limner.providers.base import InputImage
from limner.queue.base import Event, Events, Job, Queue

TICK_SECONDS = 10.0
"""How long a wait goes without looking at the rows again: an event may be lost with its process."""

HANG_UP_SECONDS = 0.5
HANG_UP_CHECKS = 10
"""A repeated call may overtake the news that its first caller hung up: how long and how often it looks again."""


@dataclass(frozen=True, slots=True)
class Started:
    """A call under way: its generations in order, and whether an earlier call had started them."""

    call_id: str
    generation_ids: tuple[str, ...]
    replayed: bool
    account_id: str


@dataclass(frozen=True, slots=True)
class Quote:
    """What a call would cost, nothing held."""

    plan: Plan
    would_charge: int
    would_remain: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list, newest first; `total` is None where counting would cost a scan."""

    generations: list[Generation]
    total: int | None


class References(Protocol):
    """Turns what callers point at into checked pictures; raises ServiceErrors, and fetches nothing that is wrong."""

    async def resolve(
        self, account_id: str, images: Sequence[Reference], mask: Reference | None
    ) -> tuple[tuple[InputImage, ...], InputImage | None]: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """`bills` is false for a self-host that records use and charges nothing."""

    bills: bool = True
    queue_per_account: int = 1000
    queue_deadline_seconds: int = 3600


class Images:
    def __init__(
        self,
        *,
        database: Database,
        catalog: Catalog,
        queue: Queue,
        events: Events,
        blobs: Blobs,
        references: References,
        clock: Clock,
        limits: Limits,
        process_id: str,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._queue = queue
        self._events = events
        self._blobs = blobs
        self._references = references
        self._clock = clock
        self._limits = limits
        self._process_id = process_id
        self._detached: set[asyncio.Task[None]] = set()

    # --- making -----------------------------------------------------------------------------

    async def quote(self, principal: Principal, new: NewImages) -> Quote:
        """What `start` would charge; raises what it would raise for the same request, money aside."""
        planned = requests.plan(principal, replace(new, confirmed=True), self._catalog)
        charge = self._price(principal, planned) * new.n
        available = (await self.balance(principal)).available
        warnings = planned.warnings
        if charge > available:
            warnings = (*warnings, f"There are not enough credits: {charge} needed, {max(available, 0)} available.")
        return Quote(planned, charge, available - charge, warnings)

    async def start(self, principal: Principal, new: NewImages) -> Started:
        """Hold the credits, write the generations down and hand them to the queue.

        Raises AccountSuspended, InsufficientScope, UnknownModel, ModelNotAllowed, ModelUnavailable,
        UnsupportedOption, ConfirmationRequired, IdempotencyConflict, InsufficientCredits,
        SpendCapExceeded, ServerBusy, and what `References` raise; then nothing is held.
        """
        planned = requests.plan(principal, new, self._catalog)
        digest = calls.digest(requests.comparable(new, planned))
        earlier = await self._earlier(principal, new, digest)
        if earlier is not None:
            return earlier
        call_id = new_id()
        inputs = await self._store_inputs(principal, new, call_id) if new.has_inputs else None
        begin = self._beginning(principal, new, planned, digest, call_id, inputs)
        try:
            started = await self._database.write(begin)
        except UniqueViolation:  # the same idempotency key arrived twice at once: now it can be seen
            started = await self._database.write(begin)
        if not started.replayed:
            await self._queue.put([Job(each, principal.account_id) for each in started.generation_ids])
            self._publish_places(started.generation_ids)
        return started

    async def wait(
        self,
        started: Started,
        seconds: float,
        on_event: Callable[[Event | None], Awaitable[None]] | None = None,
        *,
        tick_seconds: float = TICK_SECONDS,
    ) -> list[Generation]:
        """Watch until every generation ended or `seconds` passed; how they stand then.

        `on_event` hears what happens, and None every `tick_seconds` without news. When the caller goes
        away, or the time is over first, an identical call may adopt this one.
        """
        try:
            rows = await self._watch(started, seconds, on_event, tick_seconds)
        except BaseException:
            self._detach(self._break_off(started))
            raise
        if all(row.has_ended for row in rows):
            await self._database.write(lambda tx: calls.deliver(tx, started.call_id, self._clock()))
        elif seconds > 0 or started.replayed:
            await self._break_off(started)
        return rows

    # --- reading ----------------------------------------------------------------------------

    async def get(self, principal: Principal, generation_id: str) -> Generation:
        """NotFound for an unknown, deleted or other account's id alike."""
        self._require(principal, "images:read")
        row = await self._database.read(lambda tx: generations.get(tx, generation_id, account_id=principal.account_id))
        if row is None:
            raise NotFound("There is no picture with that id.")
        return row

    async def get_when_ended(
        self,
        principal: Principal,
        generation_id: str,
        seconds: float,
        on_event: Callable[[Event | None], Awaitable[None]] | None = None,
    ) -> Generation:
        """Wait for one generation, then deliver it."""
        row = await self.get(principal, generation_id)
        if not row.has_ended and seconds > 0:
            one = Started(row.call_id, (row.id,), False, row.account_id)
            row = (await self._watch(one, seconds, on_event, TICK_SECONDS))[0]
        if row.has_ended:
            await self._database.write(lambda tx: calls.deliver(tx, row.call_id, self._clock()))
        return row

    async def page(self, principal: Principal, which: Filter, *, limit: int, offset: int = 0) -> Page:
        self._require(principal, "images:read")

        def read(tx: Transaction) -> Page:
            rows = generations.of_account(tx, principal.account_id, which, limit=limit, offset=offset)
            return Page(rows, _total(ledger.balance(tx, principal.account_id), which))

        return await self._database.read(read)

    async def content(self, generation: Generation) -> bytes:
        """The bytes of a succeeded generation, untouched; BlobMissing when they are gone."""
        assert generation.blob_key is not None
        return await self._blobs.get(generation.blob_key)

    def state(self, generation_id: str) -> Event | None:
        """The latest news of a generation that has not ended, with its place in the queue."""
        if (place := self._queue.place(generation_id)) is not None:
            return Event("queued", generation_id, phase="queued", place=place)
        return self._events.latest(generation_id)

    def watch(self, generation_id: str) -> Any:
        """The events of one generation from now on, as a context manager."""
        return self._events.watch([generation_id])

    async def balance(self, principal: Principal) -> Balance:
        return await self._database.read(lambda tx: ledger.balance(tx, principal.account_id))

    async def account(self, principal: Principal) -> tuple[Balance, Cap | None]:
        """The balance, and the caller's own spend cap."""
        self._require(principal, "account:read")
        owner_id = principal.cap_owner_ids[0] if principal.cap_owner_ids else None

        def read(tx: Transaction) -> tuple[Balance, Cap | None]:
            cap = caps.of_owner(tx, owner_id, self._clock()) if owner_id else None
            return ledger.balance(tx, principal.account_id), cap

        return await self._database.read(read)

    async def usage(self, principal: Principal, *, limit: int, offset: int = 0) -> tuple[list[CreditTransaction], int]:
        self._require(principal, "usage:read")

        def read(tx: Transaction) -> tuple[list[CreditTransaction], int]:
            lines = ledger.transactions(tx, principal.account_id, limit=limit, offset=offset)
            return lines, ledger.balance(tx, principal.account_id).transactions_total

        return await self._database.read(read)

    def models(self) -> Sequence[Model]:
        return self._catalog.models()

    @property
    def catalog(self) -> Catalog:
        return self._catalog

    # --- ending -----------------------------------------------------------------------------

    async def cancel(self, principal: Principal, generation_id: str) -> Generation:
        """Stop a generation that nobody was paid for; NotCancellable when that is too late."""
        if not principal.has("images:generate"):
            raise requests.scope_missing("images:generate")
        row = await self.get(principal, generation_id)
        if row.has_ended:
            if row.status == "cancelled":
                return row
            raise NotCancellable(f"That generation has already {row.status}.", generation_id=row.id)
        if await self._database.write(lambda tx: self._cancel_queued(tx, row.id)):
            self._events.publish(Event("ended", row.id))
        else:
            await self._cancel_running(row)
        return await self.get(principal, generation_id)

    async def delete(self, principal: Principal, generation_id: str) -> None:
        """Remove the picture and its prompt at once; the ledger's line stays."""
        row = await self.get(principal, generation_id)
        if not row.has_ended:
            row = await self.cancel(principal, generation_id)
        elif not principal.has("images:generate"):
            raise requests.scope_missing("images:generate")
        await self._database.write(lambda tx: generations.bury(tx, row, self._clock()))
        async for blob in self._blobs.keys(f"images/{row.id}/"):
            await self._blobs.delete(blob.key)

    async def close(self) -> None:
        """Finish what was left to do for callers who went away."""
        if self._detached:
            await asyncio.gather(*self._detached, return_exceptions=True)

    # --- private: beginning a call ------------------------------------------------------------

    async def _earlier(self, principal: Principal, new: NewImages, digest: str) -> Started | None:
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

    def _beginning(
        self,
        principal: Principal,
        new: NewImages,
        planned: Plan,
        digest: str,
        call_id: str,
        inputs: dict[str, Any] | None,
    ) -> Callable[[Transaction], Started]:
        rows = self._new_rows(principal, new, planned, call_id, inputs)

        def begin(tx: Transaction) -> Started:
            earlier = self._replay(tx, principal, new, digest)
            if earlier is not None:
                return earlier
            self._check_queue(tx, principal, new.n)
            now = self._clock()
            call = Call(call_id, principal.account_id, principal.caller_id, digest, new.idempotency_key, now)
            calls.add(tx, call, waiter=self._process_id if new.waits else None)
            for row in rows:
                ledger.hold(
                    tx,
                    row.account_id,
                    row.credits,
                    generation_id=row.id,
                    cap_owner_ids=principal.cap_owner_ids,
                    now=now,
                )
                generations.add(tx, row)
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
            options=_stored_options(planned),
            inputs=inputs,
            credits=self._price(principal, planned),
            warnings=planned.warnings,
            error=None,
            created_at=now,
            deadline_at=now + timedelta(seconds=self._limits.queue_deadline_seconds),
        )
        return [first, *(replace(first, id=new_id(), position=position) for position in range(1, new.n))]

    def _price(self, principal: Principal, planned: Plan) -> int:
        return 0 if principal.is_test or not self._limits.bills else planned.credits

    def _replay(self, tx: Transaction, principal: Principal, new: NewImages, digest: str) -> Started | None:
        if new.idempotency_key is not None:
            return self._by_key(tx, principal, new.idempotency_key, digest)
        call_id = calls.adopt(
            tx, principal.account_id, principal.caller_id, digest, waiter=self._process_id, now=self._clock()
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
        if generations.unended_of_account(tx, principal.account_id) + n > most:
            raise ServerBusy(f"This account already has {most} generations under way.", retry_after_seconds=10)

    async def _store_inputs(self, principal: Principal, new: NewImages, call_id: str) -> dict[str, Any]:
        """Check what the caller points at and keep a copy, so that nothing can change or vanish before the run."""
        images, mask = await self._references.resolve(principal.account_id, (*new.images, *new.references), new.mask)
        stored = [await self._store_input(call_id, str(index), image) for index, image in enumerate(images)]
        return {"images": stored, "mask": await self._store_input(call_id, "mask", mask) if mask else None}

    async def _store_input(self, call_id: str, name: str, image: InputImage) -> dict[str, Any]:
        key = f"inputs/{call_id}/{name}"
        await self._blobs.put(key, image.data, image.media_type)
        return {"blobKey": key, "mediaType": image.media_type, "width": image.width, "height": image.height}

    # --- private: waiting ---------------------------------------------------------------------

    async def _watch(
        self,
        started: Started,
        seconds: float,
        on_event: Callable[[Event | None], Awaitable[None]] | None,
        tick_seconds: float,
    ) -> list[Generation]:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        with self._events.watch(started.generation_ids) as watching:
            rows = await self._rows(started)
            while any(not row.has_ended for row in rows) and (left := until - loop.time()) > 0:
                event = await watching.next(min(left, tick_seconds))
                if on_event is not None:
                    await on_event(event)
                if event is None or event.kind == "ended":
                    rows = await self._rows(started)
        return rows

    async def _rows(self, started: Started) -> list[Generation]:
        rows = await self._database.read(lambda tx: generations.of_call(tx, started.call_id))
        return [row for row in rows if row.id in started.generation_ids and row.deleted_at is None]

    async def _break_off(self, started: Started) -> None:
        await self._database.write(lambda tx: calls.break_off(tx, started.call_id, self._clock()))

    def _detach(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it although the caller's own task is being cancelled."""
        task = asyncio.create_task(work)
        self._detached.add(task)
        task.add_done_callback(self._detached.discard)

    def _publish_places(self, generation_ids: Sequence[str]) -> None:
        for generation_id in generation_ids:
            if (place := self._queue.place(generation_id)) is not None:
                self._events.publish(Event("queued", generation_id, phase="queued", place=place))

    # --- private: ending ----------------------------------------------------------------------

    def _cancel_queued(self, tx: Transaction, generation_id: str) -> bool:
        now = self._clock()
        if not generations.cancel(tx, generation_id, None, now):
            return False
        ledger.release(tx, generation_id, now)
        return True

    async def _cancel_running(self, row: Generation) -> None:
        """Ask the runner; it stops only where that costs nobody anything."""
        with self._events.watch([row.id]) as watching:
            await self._database.write(lambda tx: generations.ask_to_cancel(tx, row.id, self._clock()))
            self._events.publish(Event("cancel", row.id))
            await _end_or_refusal(watching)
        now_stands = await self._database.read(lambda tx: generations.find(tx, row.id))
        if now_stands is None or now_stands.status != "cancelled":
            raise NotCancellable(generation_id=row.id)

    def _require(self, principal: Principal, scope: Scope) -> None:
        if not principal.has(scope):
            raise requests.scope_missing(scope)


def _stored_options(planned: Plan) -> dict[str, Any]:
    options = {name: getattr(planned.options, attribute) for name, (attribute, _) in ENUM_OPTIONS.items()}
    return {
        **options,
        "seed": planned.options.seed,
        "upstreamId": planned.upstream_id,
        "sizePx": planned.size_px,
        "providerOptions": dict(planned.route.options),
        "timeoutSeconds": planned.route.timeout_seconds,
    }


def _started(tx: Transaction, call_id: str, account_id: str) -> Started:
    rows = generations.of_call(tx, call_id)
    return Started(call_id, tuple(row.id for row in rows if row.deleted_at is None), True, account_id)


def _total(balance: Balance, which: Filter) -> int | None:
    """The kept totals answer the two usual questions; others would need a scan."""
    if replace(which, before_id=None).is_open:
        return balance.generations_total
    if which.statuses == ("succeeded",) and which.model_id is None and which.text is None:
        return balance.images_total
    return None


async def _end_or_refusal(watching: Any) -> None:
    """Until the runner answered the request to cancel, one way or the other; it does so within a lease renewal."""
    while (event := await watching.next(20.0)) is not None:
        if event.kind == "ended" or (event.kind == "running" and event.phase == "not_cancellable"):
            return
