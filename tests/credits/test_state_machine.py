"""The ledger against a model of it, through any sequence of steps hypothesis comes up with."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from limner.accounts import accounts
from limner.credits import audit, caps, ledger
from limner.credits.caps import Period
from limner.db.run import run
from limner.db.sqlite_connection import SqliteTransaction
from limner.db.types import new_id
from limner.errors import InsufficientCredits, SpendCapExceeded

START = datetime(2026, 1, 30, 22, tzinfo=UTC)
OWNERS = ("maker", "key")
amounts = st.integers(1, 40)


class Steps(RuleBasedStateMachine):
    """Holds, captures, releases, additions, caps and the passing of time; `open` maps ids to (credits, when, owners)."""

    template: Path
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.row_factory = sqlite3.Row
        with sqlite3.connect(self.template) as template:
            template.backup(self.connection)
        template.close()
        self.connection.execute("PRAGMA synchronous = OFF")
        self.moment = START
        self.sum = 0
        self.lines = 0
        self.open: dict[str, int] = {}
        self.counted: dict[str, dict[str, tuple[int, datetime]]] = {}  # by cap: hold → (credits, opened at)
        self.caps: dict[str, tuple[int, Period]] = {}
        self.account_id, _ = self.write(lambda tx: accounts.create(tx, "owner@example.org", START))

    def write(self, fn: Any) -> Any:
        self.connection.execute("SAVEPOINT step")
        try:
            result = run(fn, SqliteTransaction(self.connection))
        except BaseException:
            self.connection.execute("ROLLBACK TO step")
            raise
        finally:
            self.connection.execute("RELEASE step")
        return result

    def teardown(self) -> None:
        self.connection.close()

    def spent(self, owner: str) -> int:
        start, _ = caps.bounds(self.caps[owner][1], "UTC", self.moment)
        return sum(credits for credits, opened in self.counted.get(owner, {}).values() if opened >= start)

    def fits(self, owner: str, credits: int) -> bool:
        return owner not in self.caps or self.spent(owner) + credits <= self.caps[owner][0]

    @initialize(amount=amounts)
    def begin(self, amount: int) -> None:
        self.add(amount, "grant")

    @rule(target=holds, credits=st.integers(0, 15), capped=st.booleans())
    def hold(self, credits: int, capped: bool) -> str:
        owners = OWNERS if capped else OWNERS[:1]
        generation_id = new_id()
        affordable = credits == 0 or self.sum - sum(self.open.values()) >= credits
        allowed = all(self.fits(owner, credits) for owner in owners)
        try:
            self.write(
                lambda tx: ledger.hold(
                    tx, self.account_id, credits, generation_ids=[generation_id], cap_owner_ids=owners, now=self.moment
                )
            )
        except InsufficientCredits:
            assert not affordable
        except SpendCapExceeded:
            assert affordable
            assert not allowed
        else:
            assert affordable
            assert allowed
            self.open[generation_id] = credits
            for owner in owners:
                if owner in self.caps:
                    self.counted.setdefault(owner, {})[generation_id] = (credits, self.moment)
        return generation_id

    @rule(generation_id=consumes(holds))
    def capture(self, generation_id: str) -> None:
        entry = ledger.Entry("x", reference_id=generation_id)
        charged = self.write(lambda tx: ledger.capture(tx, generation_id, entry, self.moment))
        credits = self.open.pop(generation_id, None)
        assert charged == credits
        if credits is not None:
            self.sum -= credits
            self.lines += 1

    @rule(generation_id=consumes(holds))
    def release(self, generation_id: str) -> None:
        returned = self.write(lambda tx: ledger.release(tx, generation_id, self.moment))
        assert returned == self.open.pop(generation_id, None)
        if returned is not None:
            for counted in self.counted.values():
                counted.pop(generation_id, None)

    @rule(generation_id=holds)
    def settle_twice(self, generation_id: str) -> None:
        """A late runner: whatever it tries, a hold that has ended stays as it is."""
        if generation_id not in self.open:
            assert self.write(lambda tx: ledger.release(tx, generation_id, self.moment)) is None

    @rule(amount=amounts, kind=st.sampled_from(["grant", "purchase", "refund"]))
    def add(self, amount: int, kind: Any) -> None:
        self.write(lambda tx: ledger.add(tx, self.account_id, amount, kind, ledger.Entry("x"), self.moment))
        self.sum += amount
        self.lines += 1

    @rule(amount=amounts, kind=st.sampled_from(["purchase_refund", "chargeback", "adjustment"]))
    def take(self, amount: int, kind: Any) -> None:
        self.add(-amount, kind)

    @rule(key=st.sampled_from("abc"), amount=amounts)
    def add_once(self, key: str, amount: int) -> None:
        entry = ledger.Entry("x", unique_key=key)
        added = self.write(lambda tx: ledger.add(tx, self.account_id, amount, "purchase", entry, self.moment))
        seen = self.__dict__.setdefault("keys", set())
        assert added == (key not in seen)
        seen.add(key)
        if added:
            self.sum += amount
            self.lines += 1

    @rule(owner=st.sampled_from(OWNERS), limit=st.integers(0, 60), period=st.sampled_from(caps.PERIODS))
    def cap(self, owner: str, limit: int, period: Period) -> None:
        self.write(lambda tx: caps.put(tx, self.account_id, owner, limit=limit, period=period, now=self.moment))
        self.caps[owner] = (limit, period)

    @rule(owner=st.sampled_from(OWNERS))
    def lift(self, owner: str) -> None:
        self.write(lambda tx: caps.remove(tx, self.account_id, owner))
        self.caps.pop(owner, None)
        self.counted.pop(owner, None)

    @rule(hours=st.integers(1, 400))
    def time_passes(self, hours: int) -> None:
        self.moment += timedelta(hours=hours)

    @invariant()
    def agrees(self) -> None:
        tx = SqliteTransaction(self.connection)
        balance = ledger.balance(tx, self.account_id)
        assert (balance.ledger, balance.held) == (self.sum, sum(self.open.values()))
        assert balance.transactions_total == self.lines
        for owner in self.caps:
            cap = caps.of_owner(tx, owner, self.moment)
            assert cap is not None
            assert cap.spent == self.spent(owner)
        assert [each for each in audit.problems(tx) if "generation" not in each.check] == []


@pytest.fixture
def machine(_sqlite_template: Path) -> type[Steps]:
    return type("SomeSteps", (Steps,), {"template": _sqlite_template})


def run_steps(machine: type[Steps], sequences: int, steps: int) -> None:
    chosen = settings(
        max_examples=sequences,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)


def test_the_ledger_does_what_its_model_does(machine: type[Steps]) -> None:
    run_steps(machine, 15, 40)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_ledger_does_what_its_model_does_for_a_hundred_thousand_steps(machine: type[Steps]) -> None:
    run_steps(machine, 1000, 100)
