"""What only PostgreSQL needs: lost connections, deadlocks, commits that nobody confirmed, migrations meanwhile."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from limner.db.base import Database, DatabaseUnavailable, Transaction, UniqueViolation
from limner.db.engine import open_database
from limner.db.params import to_numbered
from limner.db.postgres_pipeline import PREPARED_MAX

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
    runs: list[str] = []
    holding: set[str] = set()

    def take(first: str, second: str) -> int:
        def fn(tx: Transaction) -> int:
            runs.append(first)
            tx.execute("SET LOCAL deadlock_timeout = '20ms'")
            tx.execute("UPDATE shelf SET copies = copies + 1 WHERE id = :id", id=first)
            holding.add(first)
            while len(holding) < 2:  # until both hold one
                tx.scalar("SELECT 1")
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
    others: list[asyncio.Task[int]] = []

    def hold(tx: Transaction) -> BaseException | None:
        tx.execute("UPDATE shelf SET copies = 9")
        others.append(asyncio.ensure_future(impatient.write(lambda tx: tx.execute("UPDATE shelf SET copies = 1"))))
        while not others[0].done():
            tx.scalar("SELECT 1")
        return others[0].exception()

    assert isinstance(await shelf.write(hold), DatabaseUnavailable)
    await impatient.close()


async def test_who_waits_for_a_lock_holds_up_nobody_else(shelf: Database) -> None:
    reads: list[asyncio.Task[int]] = []
    takes_long = "SELECT pg_sleep(0.2), copies FROM shelf WHERE id = 'a'"

    def wait(tx: Transaction) -> bool:
        reads.append(asyncio.ensure_future(shelf.read(lambda tx: tx.scalar("SELECT count(*) FROM shelf"))))
        tx.all(takes_long)
        return reads[0].done()

    assert await shelf.write(wait)
    assert await reads[0] == 2


async def test_with_one_connection_everybody_has_a_turn_and_who_gave_up_spoils_nothing(
    empty_postgresql_url: str,
) -> None:
    narrow = await open_database(empty_postgresql_url, connections=1)
    asked = [asyncio.create_task(narrow.read(lambda tx, n=n: tx.scalar("SELECT :n::int", n=n))) for n in range(20)]
    await asyncio.sleep(0)
    for gone in asked[::2]:
        gone.cancel()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [answer for answer in answers if isinstance(answer, int)] == list(range(1, 20, 2))
    await narrow.close()


async def test_more_statements_than_are_kept_prepared_go_on_working(empty_postgresql_url: str) -> None:
    narrow = await open_database(empty_postgresql_url, connections=1)

    def ask_much(tx: Transaction) -> int:
        return sum(tx.scalar(f"SELECT {n} + :one", one=1) for n in range(PREPARED_MAX + 20))

    expected = sum(range(1, PREPARED_MAX + 21))
    assert [await narrow.write(ask_much) for _ in range(2)] == [expected, expected]
    assert await narrow.read(lambda tx: tx.scalar("SELECT count(*) FROM pg_prepared_statements")) <= PREPARED_MAX
    await narrow.close()


async def test_a_statement_that_always_fails_is_prepared_once(empty_postgresql_url: str) -> None:
    narrow = await open_database(empty_postgresql_url, connections=1)
    await narrow.write(lambda tx: tx.execute("CREATE TABLE once (id INTEGER PRIMARY KEY)"))
    await narrow.write(lambda tx: tx.execute("INSERT INTO once VALUES (1)"))

    def again(tx: Transaction) -> None:
        tx.post("INSERT INTO once VALUES (1)")
        tx.scalar("SELECT 'behind the failure'")

    for _ in range(5):
        with pytest.raises(UniqueViolation):
            await narrow.write(again)
    inserts = "SELECT count(*) FROM pg_prepared_statements WHERE statement = 'INSERT INTO once VALUES (1)'"
    assert await narrow.read(lambda tx: tx.scalar(inserts)) == 1
    await narrow.close()


async def test_a_commit_that_a_deferred_constraint_refuses_is_undone_and_says_why(shelf: Database) -> None:
    await shelf.write(
        lambda tx: (
            tx.execute("ALTER TABLE shelf ADD CONSTRAINT late UNIQUE (copies) DEFERRABLE INITIALLY DEFERRED")
            if tx.execute("UPDATE shelf SET copies = 1 WHERE id = 'b'")
            else None
        )
    )
    with pytest.raises(UniqueViolation):
        await shelf.write(lambda tx: tx.post("UPDATE shelf SET copies = 7"))
    assert await shelf.read(lambda tx: tx.scalar("SELECT max(copies) FROM shelf")) == 1


async def test_a_server_that_is_not_there_is_unavailable_and_no_password_is_told() -> None:
    with pytest.raises(DatabaseUnavailable) as failure:
        await open_database("postgresql://limner:hunter2@127.0.0.1:1/limner")
    assert "hunter2" not in str(failure.value)


@pytest.mark.parametrize(
    ("sql", "translated"),
    [
        ("SELECT :a, :b_2", "SELECT $1, $2"),
        ("SELECT x::text, :a::int", "SELECT x::text, $1::int"),
        ("SELECT ':a', 'it''s :b', \":c\"", "SELECT ':a', 'it''s :b', \":c\""),
        ("SELECT 5 % :a, '50%'", "SELECT 5 % $1, '50%'"),
        ("-- :a\nSELECT /* :b\n:c */ :d", "-- :a\nSELECT /* :b\n:c */ $1"),
        ("SELECT :b, :a, :b", "SELECT $1, $2, $1"),
        ("SELECT a[1:2]", "SELECT a[1:2]"),
    ],
)
def test_parameters_are_translated_where_they_are_parameters(sql: str, translated: str) -> None:
    assert to_numbered(sql)[0].decode() == translated
