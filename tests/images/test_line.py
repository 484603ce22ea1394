"""The line before each provider, on both databases: accounts in turn, places that come true, seats that are never overtaken."""

import asyncio
from datetime import timedelta

import pytest

from limner.accounts import accounts
from limner.db.base import Database, Transaction
from limner.db.engine import open_database
from limner.db.types import new_id, now
from limner.images import calls, generations, line
from limner.images.calls import Call
from limner.images.generations import Generation

NOW = now()


class Line:
    """Accounts that ask and hands that take."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._accounts: dict[str, str] = {}
        self._names: dict[str, str] = {}

    async def ask(self, account: str, count: int = 1, provider: str = "openai") -> list[str]:
        """Each answer to this is named `a1`, `a2`, … for account `a`."""

        def begin(tx: Transaction) -> list[str]:
            if account not in self._accounts:
                self._accounts[account] = accounts.create(tx, f"{account}@example.org", NOW)[0]
            call = Call(new_id(), self._accounts[account], "key", "digest", None, NOW)
            calls.add(tx, call, waiter=None, wait_name=None)
            rows = [row(call, provider, position) for position in range(count)]
            for each in rows:
                generations.add(tx, each, turn=line.next_turn(tx, each.account_id, provider))
            return [each.id for each in rows]

        ids = await self.database.write(begin)
        for each in ids:
            self._names[each] = f"{account}{sum(name.startswith(account) for name in self._names.values()) + 1}"
        return ids

    async def take(self, seats: int | None = None, provider: str = "openai") -> str | None:
        taken = await take(self.database, provider, seats)
        return taken and self._names[taken]

    async def place(self, generation_id: str) -> int | None:
        return await self.database.read(lambda tx: line.place(tx, generation_id))

    async def is_waiting(self, provider: str) -> bool:
        return await self.database.read(lambda tx: line.is_waiting(tx, provider))

    def name(self, generation_id: str) -> str:
        return self._names[generation_id]


def row(call: Call, provider: str, position: int) -> Generation:
    return Generation(
        id=new_id(), call_id=call.id, position=position, account_id=call.account_id, api_key_id=None, connection_id=None,
        status="queued", operation="generate", prompt="x", style=None, model_id="openai:x", provider_id=provider,
        options={}, inputs=None, credits=1, warnings=(), error=None, created_at=NOW, deadline_at=NOW,
    )  # fmt: skip


async def take(database: Database, provider: str, seats: int | None) -> str | None:
    minute = NOW + timedelta(minutes=1)
    taken = await database.write(
        lambda tx: line.take(tx, provider, new_id(), seats=seats, now=NOW, until=minute, deadline_at=minute)
    )
    return None if taken is None else taken.id


@pytest.fixture
def the_line(database: Database) -> Line:
    return Line(database)


async def test_one_accounts_five_hundred_do_not_delay_anothers_first(the_line: Line) -> None:
    await the_line.ask("a", 500)
    assert [await the_line.take() for _ in range(3)] == ["a1", "a2", "a3"]
    await the_line.ask("b", 2)
    assert [await the_line.take() for _ in range(4)] == ["b1", "a4", "b2", "a5"]


async def test_accounts_take_turns_whenever_they_came(the_line: Line) -> None:
    for account in "abc":
        await the_line.ask(account, 3)
    taken = [await the_line.take() for _ in range(9)]
    assert taken == ["a1", "b1", "c1", "a2", "b2", "c2", "a3", "b3", "c3"]


async def test_a_place_in_the_line_comes_true(the_line: Line) -> None:
    ids = [*await the_line.ask("a", 3), *await the_line.ask("b", 2), *await the_line.ask("c", 1)]
    places = {the_line.name(each): await the_line.place(each) for each in ids}
    taken = [await the_line.take() for _ in range(6)]
    assert sorted(places, key=lambda name: places[name] or 0) == taken
    assert sorted(place or 0 for place in places.values()) == [1, 2, 3, 4, 5, 6]
    assert await the_line.place(ids[0]) is None


async def test_each_provider_has_a_line_of_its_own(the_line: Line) -> None:
    await the_line.ask("a", 2, "openai")
    await the_line.ask("b", 1, "google")
    assert await the_line.take(provider="google") == "b1"
    assert await the_line.take(provider="bfl") is None


async def test_nobody_takes_more_than_there_are_seats(the_line: Line) -> None:
    await the_line.ask("a", 5)
    assert [await the_line.take(seats=2) for _ in range(3)] == ["a1", "a2", None]


async def test_who_looks_sees_whether_anybody_waits(the_line: Line) -> None:
    await the_line.ask("a", 1, "openai")
    assert await the_line.is_waiting("openai")
    assert not await the_line.is_waiting("google")
    await the_line.take()
    assert not await the_line.is_waiting("openai")


async def test_seats_hold_for_all_processes_together(database_url: str, database: Database) -> None:
    """On PostgreSQL each connection stands for a process; SQLite has one writer, which is what makes it hold there."""
    await Line(database).ask("a", 60)
    other = await open_database(database_url)
    try:
        taken = await asyncio.gather(*(take(each, "openai", 7) for each in (database, other) for _ in range(20)))
    finally:
        await other.close()
    ids = [each for each in taken if each is not None]
    assert len(ids) == len(set(ids)) == 7


async def test_what_waited_before_turns_were_known_comes_first(the_line: Line) -> None:
    old = await the_line.ask("a", 2)
    await the_line.database.write(lambda tx: tx.execute("UPDATE generations SET turn = 0"))
    await the_line.ask("b", 1)
    await the_line.ask("a", 1)
    assert await the_line.place(old[0]) == 1
    assert [await the_line.take() for _ in range(4)] == ["a1", "a2", "b1", "a3"]
