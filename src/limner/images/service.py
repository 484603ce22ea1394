"""The capabilities, once for every door: start, wait for, get, list, cancel and delete pictures."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from limner.accounts.principal import Principal, Scope
from limner.blobs.base import Blobs
from limner.catalog.catalog import Catalog
from limner.catalog.models import Model, Plan
from limner.credits import caps, ledger
from limner.credits.caps import Cap
from limner.credits.ledger import Balance, CreditTransaction
from limner.db.base import Database, Transaction, UniqueViolation
from limner.db.remembered import Remembered
from limner.db.types import Clock, new_id
from limner.errors import CallerLeft, NotFound, SpendCapExceeded
from limner.images import calls, generations, line, lists, notices, requests, shares
from limner.images.beginning import Beginning, Crossed, Limits, References, Started
from limner.images.ending import Ending
from limner.images.generations import Generation
from limner.images.line import Seats
from limner.images.lists import Filter
from limner.images.repeats import repeat
from limner.images.requests import NewImages
from limner.images.runner import Runner
from limner.images.shares import Share
from limner.images.waits import TICK_SECONDS, OnEvent, Waits
from limner.queue.base import Event, Events, Queue, Watching

T = TypeVar("T")

QUICK_OFFSET = 1_000
"""So many rows are skipped on the event loop; who wants to go further back is better served by a cursor."""


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
        seats: Seats,
        runner: Runner,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._queue = queue
        self._events = events
        self._blobs = blobs
        self._clock = clock
        self._standings = Remembered[tuple[Balance, Cap | None]](database, clock)
        self._bills = limits.bills
        self._seats = seats
        self._runner = runner
        self._beginning = Beginning(
            database=database, blobs=blobs, references=references, clock=clock, limits=limits, process_id=process_id
        )
        self._waits = Waits(database=database, events=events, clock=clock)
        self._ending = Ending(database=database, events=events, blobs=blobs, clock=clock)
        self._writing: dict[tuple[str, str], set[asyncio.Task[Started]]] = {}

    # --- making -----------------------------------------------------------------------------

    async def quote(self, principal: Principal, new: NewImages) -> Quote:
        """What `start` would charge; raises what it would raise for the same request, money aside."""
        planned = requests.plan(principal, replace(new, confirmed=True), self._catalog, bills=self._bills)
        charge = self._beginning.price(principal, planned) * new.n
        available = (await self.balance(principal)).available
        warnings = planned.warnings
        if charge > available:
            warnings = (*warnings, f"There are not enough credits: {charge} needed, {max(available, 0)} available.")
        return Quote(planned, charge, available - charge, warnings)

    async def start(
        self, principal: Principal, new: NewImages, *, has_left: Callable[[], bool] = lambda: False
    ) -> Started:
        """Hold the credits, write the generations down and hand them to the queue.

        Raises AccountSuspended, InsufficientScope, UnknownModel, ModelNotAllowed, ModelUnavailable,
        UnsupportedOption, ConfirmationRequired, IdempotencyConflict, InsufficientCredits,
        SpendCapExceeded, ServerBusy, and what `References` raise; then nothing is held. A caller who goes
        away while it is written down leaves a call behind that an identical one may adopt; for one who `has_left`
        before, nothing is begun (CallerLeft), because a repeated call may be under way already and know nothing of this.
        """
        planned = requests.plan(principal, new, self._catalog, bills=self._bills)
        digest = calls.digest(requests.comparable(new, planned))
        if identical := self._writing.get((principal.caller_id, digest)):
            await asyncio.wait(list(identical))
        earlier = await self._waits.to_the_end(self._beginning.earlier(principal, new, digest))
        if earlier is not None:
            return earlier
        call_id = new_id()
        inputs = await self._beginning.store_inputs(principal, new, call_id) if new.has_inputs else None
        begin = partial(self._beginning.transaction, principal, new, planned, digest, call_id, inputs)
        begun = partial(self._begun, (principal.caller_id, digest), planned.route.provider, has_left)
        try:
            try:
                return await begun(begin(wary=True))
            except Crossed:
                earlier = await self._waits.to_the_end(self._beginning.earlier(principal, new, digest))
                return earlier or await begun(begin(wary=False))
        except SpendCapExceeded as refused:
            reached = refused
        await self._database.write(lambda tx: notices.capped(tx, principal.account_id, reached, self._clock()))
        raise reached

    async def _begun(
        self,
        name: tuple[str, str],
        provider_id: str,
        has_left: Callable[[], bool],
        begin: Callable[[Transaction], Started],
    ) -> Started:
        if has_left():
            raise CallerLeft
        writing = asyncio.create_task(self._write_down(begin, provider_id))
        self._note_writing(name, writing)
        return await self._waits.to_the_end(writing)

    def _note_writing(self, name: tuple[str, str], writing: "asyncio.Task[Started]") -> None:
        """A repeated call that overtakes its first waits until that can be seen."""
        same = self._writing.setdefault(name, set())
        same.add(writing)

        def forget(done: "asyncio.Task[Started]") -> None:
            same.discard(done)
            if not same and self._writing.get(name) is same:
                del self._writing[name]

        writing.add_done_callback(forget)

    async def _write_down(self, begin: Callable[[Transaction], Started], provider_id: str) -> Started:
        try:
            started, taken = await self._runner.write_down(provider_id, begin)
        except UniqueViolation:  # the same idempotency key arrived twice at once: now it can be seen
            started, taken = await self._runner.write_down(provider_id, begin)
        waiting = [each for each in started.generation_ids if taken is None or each != taken.id]
        if waiting and not started.replayed:
            await self._call_for(waiting, provider_id)
        return started

    async def again(self, principal: Principal, generation: Generation, *, idempotency_key: str) -> Started:
        """The same request once more, inputs included; what `start` raises."""
        return await self.start(principal, await repeat(self._blobs, generation, idempotency_key))

    async def _call_for(self, generation_ids: Sequence[str], provider_id: str) -> None:
        """Whoever ends an order looks for the next one: somebody is called only where a seat is free."""

        def read(tx: Transaction) -> tuple[bool, list[int | None]]:
            room = line.has_room(tx, provider_id, self._seats.get(provider_id))
            return room, [line.place(tx, each) for each in generation_ids]

        room, places = await self._database.read(read)
        for generation_id, place in zip(generation_ids, places, strict=True):
            self._events.publish(Event("queued", generation_id, phase="queued", place=place))
        if room:
            await self._queue.call(provider_id, len(generation_ids))

    # --- waiting ----------------------------------------------------------------------------

    async def wait(
        self,
        started: Started,
        seconds: float,
        on_event: OnEvent | None = None,
        *,
        tick_seconds: float = TICK_SECONDS,
        delivers: bool = True,
    ) -> list[Generation]:
        """Watch until every generation ended or `seconds` passed; how they stand then.

        `on_event` hears what happens: None at once, and again every `tick_seconds` without news. When the
        caller goes away, or the time is over first, an identical call may adopt this one. A door that can
        tell whether its answer arrived says so to `handed_over` or `lost`, and here that nothing is delivered yet.
        """
        return await self._waits.wait(started, seconds, on_event, tick_seconds, delivers=delivers)

    async def standing(self, started: Started) -> list[Generation]:
        """How the generations of a call stand, in order; deleted ones are left out."""
        return await self._waits.rows(started)

    def handed_over(self, started: Started, taken: Coroutine[Any, Any, bool]) -> None:
        """The answer with the outcome was written: `taken` learns whether its caller has it. If not, it is lost."""
        self._waits.handed_over(started, taken)

    def lost(self, started: Started) -> None:
        """The answer with the outcome did not reach its caller: an identical call may adopt it."""
        self._waits.lost(started)

    async def give_up(self, caller_id: str, wait_name: str) -> None:
        """The caller cancelled a wait, here or in another process: an identical call may adopt what it waited for."""
        await self._waits.give_up(caller_id, wait_name)

    async def get_when_ended(
        self,
        principal: Principal,
        generation_id: str,
        seconds: float,
        on_event: OnEvent | None = None,
        *,
        tick_seconds: float = TICK_SECONDS,
    ) -> Generation:
        """Wait for one generation, then deliver it."""
        row = await self.get(principal, generation_id)
        one = Started(row.call_id, (row.id,), False, row.account_id)
        if not row.has_ended and seconds > 0:
            del row  # thousands wait here
            rows = await self._waits.until_ended(one, seconds, on_event, tick_seconds)
            row = rows[0] if rows else await self.get(principal, generation_id)
        if row.has_ended:
            await self._waits.deliver(one)
        return row

    async def state(self, generation_id: str) -> Event | None:
        """The latest news of a generation that has not ended, with its place in the line."""
        return await self._waits.state(generation_id)

    def watch(self, *generation_ids: str) -> AbstractContextManager[Watching]:
        """The events of some generations from now on."""
        return self._waits.watch(*generation_ids)

    def may_have_ended(self, generation_id: str, event: Event | None) -> bool:
        """Whether it is worth getting again, now that who watches it heard this (None: nothing for a while)."""
        return self._waits.may_have_ended(generation_id, event)

    def end_soon(self, seconds: float) -> None:
        """The process was told to end: whoever still waits after that is told how to come back."""
        self._waits.end_soon(seconds)

    async def close(self) -> None:
        """Finish what was left to do for callers who went away."""
        await self._waits.close()

    # --- reading ----------------------------------------------------------------------------

    async def get(self, principal: Principal, generation_id: str) -> Generation:
        """NotFound for an unknown, deleted or other account's id alike."""
        self._require(principal, "images:read")
        row = await self._database.read(lambda tx: generations.get(tx, generation_id, account_id=principal.account_id))
        if row is None:
            raise NotFound("There is no picture with that id.")
        return row

    async def page(self, principal: Principal, which: Filter, *, limit: int, offset: int = 0) -> Page:
        self._require(principal, "images:read")

        def read(tx: Transaction) -> Page:
            rows = lists.of_account(tx, principal.account_id, which, limit=limit, offset=offset)
            return Page(rows, _total(ledger.balance(tx, principal.account_id), which))

        return await self._read_list(read, is_quick=which.has_index and offset <= QUICK_OFFSET)

    async def newer(self, principal: Principal, generation_id: str) -> str | None:
        """The id of the next picture after one; None for the newest."""
        self._require(principal, "images:read")
        return await self._database.read(lambda tx: lists.newer(tx, principal.account_id, generation_id))

    async def of_call(self, principal: Principal, generation: Generation) -> list[Generation]:
        """The pictures that were asked for together, deleted ones left out."""
        self._require(principal, "images:read")
        rows = await self._database.read(lambda tx: generations.of_call(tx, generation.call_id))
        return [row for row in rows if row.account_id == principal.account_id and row.deleted_at is None]

    async def content(self, generation: Generation) -> bytes:
        """The bytes of a succeeded generation, untouched; BlobMissing when they are gone."""
        assert generation.blob_key is not None
        return await self._blobs.get(generation.blob_key)

    async def stream(self, generation: Generation) -> AsyncGenerator[bytes]:
        """The same in pieces; the first is read already, so that BlobMissing comes before anything is sent."""
        assert generation.blob_key is not None
        pieces = aiter(self._blobs.stream(generation.blob_key))
        return _from_first(await anext(pieces, b""), pieces)

    async def balance(self, principal: Principal) -> Balance:
        return await self._database.read(lambda tx: ledger.balance(tx, principal.account_id))

    async def account(self, principal: Principal) -> tuple[Balance, Cap | None]:
        """The balance, and the caller's own spend cap."""
        self._require(principal, "account:read")
        owner_id = principal.cap_owner_ids[0] if principal.cap_owner_ids else None

        def read(tx: Transaction) -> tuple[Balance, Cap | None]:
            cap = caps.of_owner(tx, owner_id, self._clock()) if owner_id else None
            return ledger.balance(tx, principal.account_id), cap

        standing = await self._standings.get((principal.account_id, owner_id), lambda: self._database.read(read))
        assert standing is not None
        return standing

    async def usage(
        self, principal: Principal, which: ledger.Filter | None = None, *, limit: int, offset: int = 0
    ) -> tuple[list[CreditTransaction], int | None]:
        """Credit transactions, newest first, and how many there are; None where counting would cost a scan."""
        self._require(principal, "usage:read")
        chosen = which or ledger.Filter()

        def read(tx: Transaction) -> tuple[list[CreditTransaction], int | None]:
            lines = ledger.transactions(tx, principal.account_id, chosen, limit=limit, offset=offset)
            return lines, ledger.balance(tx, principal.account_id).transactions_total if chosen.is_open else None

        return await self._read_list(read, is_quick=chosen.has_index and offset <= QUICK_OFFSET)

    def models(self) -> Sequence[Model]:
        return self._catalog.models()

    @property
    def catalog(self) -> Catalog:
        return self._catalog

    async def share(self, generation: Generation) -> Share:
        """A link to a succeeded generation that lasts until it is revoked or the picture is deleted."""
        return await self._database.write(lambda tx: shares.share(tx, generation, self._clock()))

    async def shared(self, generation: Generation) -> Share | None:
        """The lasting link a picture has, if it was shared."""
        return await self._database.read(lambda tx: shares.of_generation(tx, generation.id))

    async def unshare(self, generation: Generation) -> None:
        """End its lasting links at once."""
        await self._database.write(lambda tx: shares.revoke(tx, generation.id, self._clock()))

    # --- ending -----------------------------------------------------------------------------

    async def cancel(self, principal: Principal, generation_id: str) -> Generation:
        """Stop a generation that nobody was paid for; NotCancellable when that is too late."""
        self._require(principal, "images:generate")
        await self._ending.cancel(await self.get(principal, generation_id))
        return await self.get(principal, generation_id)

    async def delete(self, principal: Principal, generation_id: str) -> None:
        """Remove the picture and its prompt at once; the ledger's line stays."""
        row = await self.get(principal, generation_id)
        self._require(principal, "images:generate")
        if not row.has_ended:
            row = await self.cancel(principal, generation_id)
        await self._ending.bury(row)

    async def _read_list(self, read: Callable[[Transaction], T], *, is_quick: bool) -> T:
        """A list that may have to look at everything an account ever made is read beside the event loop."""
        return await (self._database.read(read) if is_quick else self._database.read_slowly(read))

    def _require(self, principal: Principal, scope: Scope) -> None:
        if not principal.has(scope):
            raise requests.scope_missing(scope)


def _total(balance: Balance, which: Filter) -> int | None:
    """The kept totals answer the two usual questions; others would need a scan."""
    if not replace(which, before_id=None, statuses=None).is_open:
        return None
    if which.statuses is None:
        return balance.generations_total
    return balance.images_total if which.statuses == ("succeeded",) else None


async def _from_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    yield first
    async for piece in rest:
        yield piece
