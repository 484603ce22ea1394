"""What is asked again and again about the few that are under way costs the same, however many have ended."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

from limner.accounts import accounts
from limner.credits import ledger
from limner.db.base import Transaction
from limner.db.sqlite_connection import SqliteTransaction
from limner.db.types import new_id, now
from limner.db.url import sqlite_path
from limner.images import calls, line, lists
from limner.images.calls import Call

NOW = now()


def steps(connection: sqlite3.Connection, fn: Callable[[Transaction], object]) -> int:
    """What SQLite's machine does for it: a count of instructions, not a time."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    connection.set_progress_handler(count, 1)
    fn(SqliteTransaction(connection))
    connection.set_progress_handler(None, 1)
    return counted


def make_calls(tx: Transaction, account_id: str, count: int, digest: str) -> None:
    for _ in range(count):
        call = Call(new_id(), account_id, "key", digest, None, NOW)
        calls.add(tx, call, waiter="process", wait_name=None)
        calls.deliver(tx, call.id, NOW)


def test_looking_for_an_identical_call_costs_the_same_after_ten_and_after_a_thousand_calls(sqlite_url: str) -> None:
    with closing(sqlite3.connect(sqlite_path(sqlite_url), isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        tx = SqliteTransaction(connection)
        account_id, _ = accounts.create(tx, "owner@example.org", NOW)

        def look(tx: Transaction) -> None:
            assert not calls.is_waited_for(tx, account_id, "key", "same")
            assert calls.adopt(tx, account_id, "key", "same", waiter="process", wait_name=None, now=NOW) is None

        make_calls(tx, account_id, 10, "same")
        after_ten = steps(connection, look)
        make_calls(tx, account_id, 500, "same")
        make_calls(tx, account_id, 500, "other")
        assert steps(connection, look) <= after_ten * 1.5


def make_ended(tx: Transaction, account_id: str, count: int) -> None:
    for _ in range(count):
        call = Call(new_id(), account_id, "key", "digest", None, NOW)
        calls.add(tx, call, waiter=None, wait_name=None)
        generation_id = new_id()
        tx.execute(
            """INSERT INTO generations (id, call_id, position, account_id, status, operation, prompt, model_id, provider_id,
                      options, credits, created_at, deadline_at)
               VALUES (:id, :call_id, 0, :account_id, 'succeeded', 'generate', 'a hill', 'openai:model', 'openai', '{}', 1,
                       :now, :now)""",
            id=generation_id,
            call_id=call.id,
            account_id=account_id,
            now=NOW,
        )
        tx.execute(
            "INSERT INTO holds VALUES (:id, :account_id, 1, 'captured', :now, :now)",
            id=generation_id,
            account_id=account_id,
            now=NOW,
        )


def test_the_looks_at_what_is_under_way_cost_the_same_after_ten_and_after_a_thousand_pictures(sqlite_url: str) -> None:
    with closing(sqlite3.connect(sqlite_path(sqlite_url), isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        tx = SqliteTransaction(connection)
        account_id, _ = accounts.create(tx, "owner@example.org", NOW)
        looks: list[Callable[[Transaction], object]] = [
            lambda tx: line.take(tx, "openai", "lease", seats=16, now=NOW, until=NOW, deadline_at=NOW),
            lambda tx: line.is_waiting(tx, "openai"),
            lambda tx: line.next_turn(tx, account_id, "openai"),
            lambda tx: lists.unended_of_account(tx, account_id),
            lambda tx: lists.waiting_for(tx, "openai"),
            lists.running,
            lists.waiting,
            lambda tx: lists.overdue(tx, NOW),
            lambda tx: lists.abandoned(tx, NOW),
            ledger.open_holds,
            lambda tx: calls.break_off_all(tx, "process", NOW),
            calls.waiters,
        ]
        make_ended(tx, account_id, 10)
        after_ten = [steps(connection, look) for look in looks]
        make_ended(tx, account_id, 1000)
        after_a_thousand = [steps(connection, look) for look in looks]
        assert [many <= few * 1.5 for many, few in zip(after_a_thousand, after_ten, strict=True)] == [True] * len(looks)
