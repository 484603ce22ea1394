"""What every new call asks first, whether an identical one is under way: it costs the same, however many were made."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

from limner.accounts import accounts
from limner.db.base import Transaction
from limner.db.sqlite_connection import SqliteTransaction
from limner.db.types import new_id, now
from limner.db.url import sqlite_path
from limner.images import calls
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
