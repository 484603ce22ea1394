"""What only PostgreSQL needs: lost connections, deadlocks, commits that nobody confirmed, migrations meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from threading import Barrier

import pytest

from limner.db.base import Database, DatabaseUnavailable, Transaction
from limner.db.engine import open_database
from limner.db.params import to_pyformat

BACKENDS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
async def shelf(empty_postgresql_url: str) -> AsyncIterator[Database]:
    database = await open_database(empty_postgresql_url)
    await database.write(lambda tx: tx.execute("CREATE TABLE shelf (id TEXT PRIMARY KEY, copies BIGINT)"))
    await database.write(lambda tx: tx.execute("INSERT INTO shelf VALUES ('a', 0), ('b', 0)"))
    yield database
    await database.close()


async def hang_up(url: str) -> None:
    """Cut every connection but our own, as a restarting server does."""
    operator = await open_database(url)
    await operator.write(lambda tx: tx.all(f"SELECT pg_terminate_backend(pid) {BACKENDS}"))
    await operator.close()


async def test_a_lost_connection_is_replaced_before_anyone_notices(shelf: Database, empty_postgresql_url: str) -> None:
    await hang_up(empty_postgresql_url)
    assert await shelf.write(lambda tx: tx.execute("UPDATE shelf SET copies = 1")) == 2
    await hang_up(empty_postgresql_url)
    assert await shelf.read(lambda tx: tx.scalar("SELECT sum(copies) FROM shelf")) == 2
    assert await shelf.read_slowly(lambda tx: tx.scalar("SELECT sum(copies) FROM shelf")) == 2


async def test_a_deadlock_is_run_again(shelf: Database) -> None:
    both_hold_one = Barrier(2, timeout=10)
    runs: list[str] = []

    def take(first: str, second: str) -> int:
        def fn(tx: Transaction) -> int:
            runs.append(first)
            tx.execute("SET LOCAL deadlock_timeout = '20ms'")
            tx.execute("UPDATE shelf SET copies = copies + 1 WHERE id = :id", id=first)
            if len(runs) <= 2:
                both_hold_one.wait()
            return tx.execute("UPDATE shelf SET copies = copies + 1 WHERE id = :id", id=second)

        return fn

    assert await asyncio.gather(shelf.write(take("a", "b")), shelf.write(take("b", "a"))) == [1, 1]
    assert len(runs) > 2
    assert await shelf.read(lambda tx: tx.scalar("SELECT sum(copies) FROM shelf")) == 4


async def test_a_commit_that_nobody_confirmed_is_not_run_again(shelf: Database) -> None:
    """The connection breaks while COMMIT runs: whether it happened is unknown, so only the caller may decide."""

    def break_at_commit(tx: Transaction) -> None:
        tx.execute(
            "CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$"
        )
        tx.execute(
            "CREATE CONSTRAINT TRIGGER breaks AFTER UPDATE ON shelf DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION break()"
        )

    await shelf.write(break_at_commit)
    runs: list[int] = []

    def change(tx: Transaction) -> None:
        runs.append(tx.execute("UPDATE shelf SET copies = 1"))

    with pytest.raises(DatabaseUnavailable, match="did not confirm"):
        await shelf.write(change)
    assert runs == [2]
    assert await shelf.read(lambda tx: tx.scalar("SELECT count(*) FROM shelf")) == 2


async def test_prepared_statements_survive_a_migration_by_another_process(
    shelf: Database, empty_postgresql_url: str
) -> None:
    async def columns() -> int:
        return len(await shelf.read(lambda tx: dict(tx.first("SELECT * FROM shelf"))))

    assert [await columns() for _ in range(5)] == [2] * 5
    newer = await open_database(empty_postgresql_url)
    await newer.write(lambda tx: tx.execute("ALTER TABLE shelf ADD COLUMN title TEXT"))
    await newer.close()
    assert [await columns() for _ in range(5)] == [3] * 5


async def test_a_row_that_stays_locked_is_given_up(shelf: Database, empty_postgresql_url: str) -> None:
    impatient = await open_database(empty_postgresql_url, busy_seconds=0.05)
    loop = asyncio.get_running_loop()

    def hold(tx: Transaction) -> Exception:
        tx.execute("UPDATE shelf SET copies = 9")
        other = impatient.write(lambda tx: tx.execute("UPDATE shelf SET copies = 1"))
        return asyncio.run_coroutine_threadsafe(other, loop).exception()

    assert isinstance(await shelf.write(hold), DatabaseUnavailable)
    await impatient.close()


async def test_a_server_that_is_not_there_is_unavailable_and_no_password_is_told() -> None:
    with pytest.raises(DatabaseUnavailable) as failure:
        await open_database("postgresql://limner:hunter2@127.0.0.1:1/limner")
    assert "hunter2" not in str(failure.value)


@pytest.mark.parametrize(
    ("sql", "translated"),
    [
        ("SELECT :a, :b_2", "SELECT %(a)s, %(b_2)s"),
        ("SELECT x::text, :a::int", "SELECT x::text, %(a)s::int"),
        ("SELECT ':a', 'it''s :b', \":c\"", "SELECT ':a', 'it''s :b', \":c\""),
        ("SELECT 5 % :a, '50%'", "SELECT 5 %% %(a)s, '50%%'"),
        ("-- :a\nSELECT /* :b\n:c */ :d", "-- :a\nSELECT /* :b\n:c */ %(d)s"),
        ("SELECT a[1:2]", "SELECT a[1:2]"),
    ],
)
def test_parameters_are_translated_where_they_are_parameters(sql: str, translated: str) -> None:
    assert to_pyformat(sql).decode() == translated
