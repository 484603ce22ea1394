"""What is remembered until the database changes: never longer, whoever changed it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from limner.db.base import Database, Transaction
from limner.db.engine import open_database
from limner.db.remembered import Remembered

START = datetime(2026, 1, 1, tzinfo=UTC)


class Copies:
    """How many copies of a book there are, as remembered; `asked` counts the looks into the table."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered = Remembered[int](database, lambda: self.moment)
        self.moment = START
        self.asked = 0

    async def of(self, book: str) -> int | None:
        async def look() -> int | None:
            self.asked += 1
            return await self._database.read(
                lambda tx: tx.scalar("SELECT copies FROM shelf WHERE id = :book", book=book)
            )

        return await self._remembered.get(book, look)


@pytest.fixture
async def copies(database: Database) -> Copies:
    await database.write(lambda tx: tx.execute("CREATE TABLE shelf (id TEXT PRIMARY KEY, copies BIGINT NOT NULL)"))
    await database.write(having("emma", 3))
    return Copies(database)


def having(book: str, copies: int) -> Callable[[Transaction], int]:
    return lambda tx: tx.execute(
        "INSERT INTO shelf (id, copies) VALUES (:book, :copies) ON CONFLICT (id) DO UPDATE SET copies = excluded.copies",
        book=book,
        copies=copies,
    )


async def test_what_does_not_change_is_asked_once_where_the_database_can_tell(
    copies: Copies, database: Database
) -> None:
    assert [await copies.of("emma") for _ in range(5)] == [3] * 5
    assert copies.asked == (1 if database.dialect == "sqlite" else 5)


async def test_a_change_counts_with_the_next_question(copies: Copies, database: Database) -> None:
    for number in range(5):
        await database.write(having("emma", number))
        assert await copies.of("emma") == number


async def test_a_change_of_another_process_counts_with_the_next_question(copies: Copies, database_url: str) -> None:
    other = await open_database(database_url)
    for number in range(5):
        await other.write(having("emma", number))
        assert await copies.of("emma") == number
    await other.close()


async def test_a_change_while_it_is_asked_counts_with_the_next_question(database: Database, copies: Copies) -> None:
    remembered = Remembered[int](database, lambda: START)

    async def look_slowly() -> int:
        await database.write(having("emma", 7))
        return 3

    assert await remembered.get("emma", look_slowly) == 3
    assert await remembered.get("emma", lambda: copies.of("emma")) == 7


async def test_nothing_is_remembered_longer_than_a_second(copies: Copies) -> None:
    for moment in (START, START + timedelta(seconds=1), START - timedelta(days=1)):
        copies.moment = moment
        await copies.of("emma")
    assert copies.asked == 3


async def test_what_was_not_found_is_looked_for_again(copies: Copies) -> None:
    assert [await copies.of("persuasion") for _ in range(2)] == [None, None]
    assert copies.asked == 2
