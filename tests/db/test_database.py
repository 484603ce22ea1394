"""The database port, the same promises on SQLite and PostgreSQL."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from limner.db.base import Database, DatabaseUnavailable, Transaction, UniqueViolation
from limner.db.engine import open_database
from limner.db.types import utc


@pytest.fixture
async def shelf(database: Database) -> Database:
    await database.write(
        lambda tx: tx.execute("CREATE TABLE shelf (id TEXT PRIMARY KEY, copies BIGINT NOT NULL, data BYTEA)")
    )
    return database


def put(tx: Transaction, book: str, copies: int = 0) -> int:
    return tx.execute("INSERT INTO shelf (id, copies) VALUES (:book, :copies)", book=book, copies=copies)


def books(tx: Transaction) -> list[str]:
    return [row["id"] for row in tx.all("SELECT id FROM shelf ORDER BY id")]


async def test_write_returns_what_its_function_returned_and_reads_see_it(shelf: Database) -> None:
    assert await shelf.write(lambda tx: put(tx, "emma")) == 1
    assert await shelf.read(books) == ["emma"]
    assert await shelf.read_slowly(books) == ["emma"]


async def test_a_failing_function_undoes_its_own_statements_alone(shelf: Database) -> None:
    def fail(tx: Transaction) -> None:
        put(tx, "lost")
        raise LookupError("no such reader")

    good = [shelf.write(lambda tx, n=n: put(tx, f"book{n}")) for n in range(5)]
    results = await asyncio.gather(*good[:2], shelf.write(fail), *good[2:], return_exceptions=True)
    assert [type(result) for result in results] == [int, int, LookupError, int, int, int]
    assert await shelf.read(books) == [f"book{n}" for n in range(5)]


async def test_a_second_row_with_the_same_key_is_a_unique_violation(shelf: Database) -> None:
    await shelf.write(lambda tx: put(tx, "emma"))
    with pytest.raises(UniqueViolation):
        await shelf.write(lambda tx: put(tx, "emma"))
    await shelf.write(lambda tx: tx.execute("CREATE UNIQUE INDEX one_of_each ON shelf (copies)"))
    with pytest.raises(UniqueViolation):
        await shelf.write(lambda tx: put(tx, "persuasion"))


async def test_a_caught_failure_of_a_statement_still_fails_its_function(shelf: Database) -> None:
    def swallow(tx: Transaction) -> None:
        put(tx, "emma")
        with suppress(UniqueViolation):
            put(tx, "emma")

    with pytest.raises(UniqueViolation):
        await shelf.write(swallow)
    assert await shelf.read(books) == []


async def test_a_slow_write_is_a_write(shelf: Database) -> None:
    assert await shelf.write_slowly(lambda tx: put(tx, "emma")) == 1
    with pytest.raises(UniqueViolation):
        await shelf.write_slowly(lambda tx: (put(tx, "sanditon"), put(tx, "emma")))
    mixed = [shelf.write if n % 3 else shelf.write_slowly for n in range(30)]
    await asyncio.gather(*(write(lambda tx, n=n: put(tx, f"book {n:02}")) for n, write in enumerate(mixed)))
    assert await shelf.read(books) == sorted(["emma", *(f"book {n:02}" for n in range(30))])


async def test_what_was_posted_is_seen_by_what_is_asked_next_and_stands_after_the_commit(shelf: Database) -> None:
    def fill(tx: Transaction) -> int:
        tx.post("INSERT INTO shelf (id, copies) VALUES (:id, 1)", id="emma")
        tx.post("UPDATE shelf SET copies = copies + 1")
        copies = tx.scalar("SELECT copies FROM shelf")
        tx.post("UPDATE shelf SET copies = copies + 1")
        return copies

    assert await shelf.write(fill) == 2
    assert await shelf.read(lambda tx: tx.scalar("SELECT copies FROM shelf")) == 3


@pytest.mark.parametrize("asks", [False, True])
async def test_a_posted_statement_that_fails_fails_its_function(shelf: Database, *, asks: bool) -> None:
    await shelf.write(lambda tx: put(tx, "emma"))

    def fill(tx: Transaction) -> None:
        tx.post("INSERT INTO shelf (id, copies) VALUES ('persuasion', 1)")
        tx.post("INSERT INTO shelf (id, copies) VALUES ('emma', 1)")
        tx.post("INSERT INTO shelf (id, copies) VALUES ('sanditon', 1)")
        if asks:
            tx.scalar("SELECT count(*) FROM shelf")

    for _ in range(3):  # and it leaves nothing behind that would spoil the next
        with pytest.raises(UniqueViolation):
            await shelf.write(fill)
        assert await shelf.read(books) == ["emma"]
    await shelf.write(lambda tx: tx.execute("DELETE FROM shelf"))
    await shelf.write(fill)
    assert await shelf.read(books) == ["emma", "persuasion", "sanditon"]


async def test_a_function_that_raises_undoes_what_it_posted(shelf: Database) -> None:
    def fail(tx: Transaction) -> None:
        tx.post("INSERT INTO shelf (id, copies) VALUES ('emma', 1)")
        raise LookupError("no such reader")

    with pytest.raises(LookupError):
        await shelf.write(fail)
    assert await shelf.read(books) == []


async def test_megabytes_travel_both_ways_in_one_transaction(shelf: Database) -> None:
    page = bytes(range(256)) * 4096

    def fill(tx: Transaction) -> list[bytes]:
        for n in range(12):
            tx.post("INSERT INTO shelf VALUES (:id, 1, :page)", id=f"{n:02}", page=page)
            tx.post("SELECT data FROM shelf")
        return [bytes(row["data"]) for row in tx.all("SELECT data FROM shelf ORDER BY id")]

    assert await shelf.write(fill) == [page] * 12


async def test_datetimes_bools_bytes_and_nulls_read_back_as_stored(shelf: Database) -> None:
    moment = datetime(2026, 11, 20, 23, 59, 59, 999000, tzinfo=UTC)
    await shelf.write(
        lambda tx: tx.execute("INSERT INTO shelf VALUES (:id, :at, :data)", id="a", at=moment, data=b"\0\xff")
    )
    await shelf.write(lambda tx: tx.execute("INSERT INTO shelf VALUES (:id, :yes, :data)", id="b", yes=True, data=None))
    first, second = await shelf.read(lambda tx: tx.all("SELECT * FROM shelf ORDER BY id"))
    assert (utc(first["copies"]), first["data"]) == (moment, b"\0\xff")
    assert (second["copies"], second["data"]) == (1, None)


async def test_a_naive_datetime_is_refused(shelf: Database) -> None:
    with pytest.raises(ValueError, match="zone"):
        await shelf.read(lambda tx: tx.all("SELECT * FROM shelf WHERE copies = :at", at=datetime(2026, 1, 1)))  # noqa: DTZ001


async def test_sums_and_averages_are_plain_numbers(shelf: Database) -> None:
    await shelf.write(lambda tx: [put(tx, "a", 1), put(tx, "b", 2)])
    row = await shelf.read(lambda tx: tx.first("SELECT sum(copies) AS total, avg(copies) AS mean FROM shelf"))
    assert row is not None
    assert (row["total"], type(row["total"])) == (3, int)
    assert (row["mean"], type(row["mean"])) == (1.5, float)


async def test_a_colon_or_percent_inside_a_literal_is_no_parameter(shelf: Database) -> None:
    found = await shelf.read(lambda tx: tx.first("SELECT 'it''s :not 100%' AS a, :n % 7 AS b -- :nor this", n=9))
    assert found is not None
    assert (found["a"], found["b"]) == ("it's :not 100%", 2)


async def test_execute_counts_rows_also_with_returning(shelf: Database) -> None:
    await shelf.write(lambda tx: [put(tx, "a"), put(tx, "b")])
    assert await shelf.write(lambda tx: tx.execute("UPDATE shelf SET copies = 2")) == 2
    assert await shelf.write(lambda tx: tx.execute("UPDATE shelf SET copies = 3 RETURNING id")) == 2
    assert await shelf.write(lambda tx: tx.scalar("DELETE FROM shelf WHERE id = 'a' RETURNING copies")) == 3
    assert await shelf.write(lambda tx: tx.first("SELECT * FROM shelf WHERE id = 'a'")) is None
    assert await shelf.write(lambda tx: tx.scalar("SELECT id FROM shelf WHERE id = 'a'")) is None


async def test_guarded_decrements_never_go_below_zero(shelf: Database) -> None:
    await shelf.write(lambda tx: put(tx, "emma", 1000))

    def lend(tx: Transaction) -> int:
        return tx.execute("UPDATE shelf SET copies = copies - 7 WHERE id = 'emma' AND copies >= 7")

    assert sum(await asyncio.gather(*(shelf.write(lend) for _ in range(2000)))) == 142
    assert await shelf.read(lambda tx: tx.scalar("SELECT copies FROM shelf")) == 6


async def test_a_cancelled_caller_loses_only_the_answer(shelf: Database, database_url: str) -> None:
    writes = [asyncio.create_task(shelf.write(lambda tx, n=n: put(tx, f"book{n:02}"))) for n in range(40)]
    await asyncio.sleep(0)
    for write in writes:
        write.cancel()
    await asyncio.gather(*writes, return_exceptions=True)
    await shelf.close()  # waits for what was handed over
    again = await open_database(database_url)
    assert len(await again.read(books)) == 40
    await again.close()


async def test_slow_reads_see_one_moment(shelf: Database) -> None:
    loop = asyncio.get_running_loop()

    def count_twice(tx: Transaction) -> tuple[int, int]:
        before = len(books(tx))
        asyncio.run_coroutine_threadsafe(shelf.write(lambda tx: put(tx, "meanwhile")), loop).result()
        return before, len(books(tx))

    assert await shelf.read_slowly(count_twice) == (0, 0)
    assert await shelf.read(books) == ["meanwhile"]


async def test_whatever_a_function_raises_reaches_its_caller(shelf: Database) -> None:
    with pytest.raises(RuntimeError, match="StopIteration"):
        await shelf.write(lambda tx: next(iter(())))
    assert await shelf.write(lambda tx: put(tx, "emma")) == 1


async def test_a_closed_database_says_so(shelf: Database) -> None:
    await shelf.close()
    with pytest.raises(DatabaseUnavailable):
        await shelf.write(books)
    with pytest.raises(DatabaseUnavailable):
        await shelf.read(books)


async def test_url_of_another_kind_is_refused_without_its_password() -> None:
    for url in ("mysql://me:hunter2@host/db", "postgresql://me:hunter2@host/db?such=none", "sqlite://host/a.db"):
        with pytest.raises(ValueError, match=r"^(?!.*hunter2)"):
            await open_database(url)
