"""What only SQLite promises: one writer thread, group commit, a private file."""

import asyncio
import sqlite3
import stat
from pathlib import Path
from threading import Event

import pytest

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
    """Run the functions in one group: they queue up while the writer is busy."""
    started, go_on = Event(), Event()

    def occupy(tx: Transaction) -> None:
        started.set()
        go_on.wait()

    busy = asyncio.create_task(database.write(occupy))
    await asyncio.to_thread(started.wait)
    waiting = [asyncio.create_task(database.write(function)) for function in functions]
    await asyncio.sleep(0)  # each has handed its function over
    go_on.set()
    await busy
    return await asyncio.gather(*waiting, return_exceptions=True)


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
