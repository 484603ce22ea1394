"""What only SQLite promises: one writer, group commit, a private file."""

import asyncio
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from limner.db import sqlite_writer
from limner.db.base import Database, DatabaseUnavailable, Transaction
from limner.db.engine import open_database
from limner.db.url import sqlite_path, sqlite_url


@pytest.fixture
async def shelf(empty_sqlite_url: str) -> Database:
    database = await open_database(empty_sqlite_url)
    await database.write(lambda tx: tx.execute("CREATE TABLE shelf (id INTEGER PRIMARY KEY, text TEXT)"))
    yield database
    await database.close()


def put(tx: Transaction, book: int, text: str = "") -> int:
    return tx.execute("INSERT INTO shelf VALUES (:book, :text)", book=book, text=text)


async def together(database: Database, *functions) -> list:
    """Run the functions in one group: they come at once."""
    return await asyncio.gather(*(database.write(function) for function in functions), return_exceptions=True)


async def test_functions_that_wait_together_share_one_commit(shelf: Database, empty_sqlite_url: str) -> None:
    visible = []

    def look_from_outside(tx: Transaction) -> None:
        with sqlite3.connect(sqlite_path(empty_sqlite_url)) as outside:
            visible.append(outside.execute("SELECT count(*) FROM shelf").fetchone()[0])
        outside.close()

    books = [lambda tx, n=n: put(tx, n) for n in range(63)]
    await together(shelf, *books, look_from_outside, *[lambda tx, n=n: put(tx, n) for n in range(100, 110)])
    assert visible == [0]
    assert await shelf.read(lambda tx: tx.scalar("SELECT count(*) FROM shelf")) == 73


async def test_a_failed_commit_fails_every_caller_of_the_group(shelf: Database) -> None:
    await shelf.write(
        lambda tx: tx.execute(
            "CREATE TABLE loans (book INTEGER REFERENCES shelf DEFERRABLE INITIALLY DEFERRED)"  # checked at COMMIT
        )
    )
    results = await together(
        shelf,
        lambda tx: put(tx, 1),
        lambda tx: tx.execute("INSERT INTO loans VALUES (404)"),
        lambda tx: put(tx, 2),
    )
    assert [type(result) for result in results] == [DatabaseUnavailable] * 3
    assert await shelf.read(lambda tx: tx.scalar("SELECT count(*) FROM shelf")) == 0
    assert await shelf.write(lambda tx: put(tx, 1)) == 1


async def test_a_slow_write_holds_up_only_who_writes(shelf: Database) -> None:
    go_on = threading.Event()
    slow = asyncio.create_task(shelf.write_slowly(lambda tx: (put(tx, 1), go_on.wait(20))))
    behind = asyncio.create_task(shelf.write(lambda tx: put(tx, 2)))
    await asyncio.sleep(0)
    assert await shelf.read(lambda tx: tx.scalar("SELECT count(*) FROM shelf")) == 0
    go_on.set()
    assert (await slow, await behind) == ((1, True), 1)


async def test_another_process_that_writes_is_waited_for_beside_the_event_loop(
    shelf: Database, empty_sqlite_url: str
) -> None:
    other = sqlite3.connect(sqlite_path(empty_sqlite_url), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = [asyncio.create_task(shelf.write(lambda tx, n=n: put(tx, n))) for n in range(3)]
    for _ in range(5):  # enough for the first to try
        await asyncio.sleep(0)
    other.execute("COMMIT")  # by the event loop: were it held up, nobody would come to this
    other.close()
    assert await asyncio.gather(*writing) == [1, 1, 1]


async def test_a_process_that_writes_on_and_on_is_not_waited_for_for_ever(empty_sqlite_url: str) -> None:
    database = await open_database(empty_sqlite_url, busy_seconds=0.2)
    await database.write(lambda tx: tx.execute("CREATE TABLE shelf (id INTEGER PRIMARY KEY, text TEXT)"))
    other = sqlite3.connect(sqlite_path(empty_sqlite_url), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refused = await together(database, lambda tx: put(tx, 1), lambda tx: put(tx, 2))
    assert [type(each) for each in refused] == [DatabaseUnavailable] * 2
    other.execute("ROLLBACK")
    other.close()
    assert await database.write(lambda tx: put(tx, 1)) == 1
    await database.close()


async def test_a_long_group_lets_others_have_their_turn(shelf: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_writer, "TURN_SECONDS", 0)
    turns: list[int] = []

    def note(tx: Transaction) -> None:
        put(tx, len(turns))
        turns.append(1)
        asyncio.get_running_loop().call_soon(turns.append, 0)

    await together(shelf, *[note] * 5)
    assert turns == [1, 0] * 5


async def test_what_waits_when_the_database_is_closed_is_written(empty_sqlite_url: str) -> None:
    database = await open_database(empty_sqlite_url)
    await database.write(lambda tx: tx.execute("CREATE TABLE shelf (id INTEGER PRIMARY KEY, text TEXT)"))
    writing = [asyncio.create_task(database.write(lambda tx, n=n: put(tx, n))) for n in range(100)]
    await asyncio.sleep(0)
    await asyncio.gather(database.close(), database.close())
    assert await asyncio.gather(*writing) == [1] * 100
    with pytest.raises(DatabaseUnavailable, match="closed"):
        await database.write(lambda tx: put(tx, 100))


async def test_on_a_full_disk_nobody_hears_of_a_success_that_is_not_there(shelf: Database) -> None:
    pages = await shelf.read(lambda tx: tx.scalar("PRAGMA page_count"))
    await shelf.write(lambda tx: tx.all(f"PRAGMA max_page_count = {pages + 8}"))
    results = await together(
        shelf,
        lambda tx: put(tx, 1),
        lambda tx: put(tx, 2, "x" * 1_000_000),
        lambda tx: put(tx, 3),
    )
    assert isinstance(results[1], DatabaseUnavailable)
    stored = await shelf.read(lambda tx: [row["id"] for row in tx.all("SELECT id FROM shelf")])
    assert stored == [book for book, result in enumerate(results, start=1) if result == 1]
    assert await shelf.write(lambda tx: put(tx, 4)) == 1


async def test_reads_cannot_write(shelf: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="readonly"):
        await shelf.read(lambda tx: put(tx, 1))


async def test_the_file_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "limner data.db"
    database = await open_database(sqlite_url(path))
    await database.write(lambda tx: tx.execute("CREATE TABLE secrets (value BLOB)"))
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    await database.close()
    assert [file.name for file in path.parent.iterdir()] == ["limner data.db"]


async def test_a_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("no directory")
    with pytest.raises(DatabaseUnavailable, match="occupied"):
        await open_database(f"sqlite://{tmp_path}/occupied/limner.db")


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary " * 1000)
    with pytest.raises(DatabaseUnavailable, match=r"notes\.txt"):
        await open_database(sqlite_url(path))


def test_three_and_four_slashes_are_the_same_file() -> None:
    assert sqlite_path("sqlite:///srv/limner.db") == sqlite_path("sqlite:////srv/limner.db") == Path("/srv/limner.db")
    assert sqlite_path(sqlite_url(Path("/srv/100% ours/limner.db"))) == Path("/srv/100% ours/limner.db")
