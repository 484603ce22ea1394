"""Migrations: the schema they make is the one in `tables`, and nothing can go wrong by starting twice."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from limner.db.base import Database, Transaction
from limner.db.first_start import snapshot
from limner.db.migrate import REVISIONS, DatabaseTooNew, current_revision, migrate
from limner.db.tables import metadata
from limner.db.types import now
from limner.db.upgrade import alembic_config, schema_transaction, upgrade
from limner.db.url import sqlite_path


def test_migrating_again_changes_nothing(empty_database_url: str) -> None:
    assert current_revision(empty_database_url) is None
    assert migrate(empty_database_url)
    assert current_revision(empty_database_url) == REVISIONS[-1]
    assert not migrate(empty_database_url)


def test_two_processes_may_migrate_at_once(empty_database_url: str) -> None:
    program = [sys.executable, "-c", "import sys; from limner.db.migrate import migrate; migrate(sys.argv[1])"]
    processes = [subprocess.Popen([*program, empty_database_url]) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert current_revision(empty_database_url) == REVISIONS[-1]


def test_starting_on_sqlite_needs_no_alembic_first_or_later(empty_sqlite_url: str) -> None:
    program = (
        "import asyncio, sys; from limner.db.engine import open_database; from limner.db.migrate import migrate\n"
        "migrate(sys.argv[1]); asyncio.run(asyncio.wait_for(open_database(sys.argv[1]), 10))\n"
        "sys.exit(any(name.startswith(('alembic', 'sqlalchemy', 'psycopg')) for name in sys.modules))"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", program, empty_sqlite_url], check=True)


def test_a_new_sqlite_file_is_what_the_migrations_make(sqlite_url: str, empty_sqlite_url: str) -> None:
    """After a migration was edited by hand: `python tools/draft_migration.py`."""
    upgrade(empty_sqlite_url)
    schemas = []
    for url in (sqlite_url, empty_sqlite_url):
        with closing(sqlite3.connect(sqlite_path(url))) as connection:
            schemas.append(snapshot(connection))
    assert schemas[0] == schemas[1]
    assert current_revision(sqlite_url) == current_revision(empty_sqlite_url)


async def test_a_newer_database_is_refused(database: Database, database_url: str) -> None:
    await database.write(lambda tx: tx.execute("UPDATE alembic_version SET version_num = '9999_from_tomorrow'"))
    with pytest.raises(DatabaseTooNew, match="9999_from_tomorrow"):
        migrate(database_url)


def test_revisions_are_one_line_named_as_their_files(empty_sqlite_url: str) -> None:
    with schema_transaction(empty_sqlite_url) as connection:
        script = ScriptDirectory.from_config(alembic_config(connection))
        assert tuple(step.revision for step in script.walk_revisions())[::-1] == REVISIONS
    assert {Path(step.path).stem for step in script.walk_revisions()} == set(REVISIONS)


def test_the_migrated_schema_is_the_one_in_tables(database_url: str) -> None:
    """After a change of db/tables: `python tools/draft_migration.py WHAT_IT_DOES`."""
    with schema_transaction(database_url) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        migrated = described(connection)
        metadata.drop_all(connection)
        metadata.create_all(connection)
        assert described(connection) == migrated


def described(connection: Connection) -> dict[str, Any]:
    inspector = inspect(connection)
    return {
        table: {
            "columns": [{**column, "type": str(column["type"])} for column in inspector.get_columns(table)],
            "key": inspector.get_pk_constraint(table),
            "unique": sorted(inspector.get_unique_constraints(table), key=str),
            "checks": sorted(inspector.get_check_constraints(table), key=str),
            "references": sorted(inspector.get_foreign_keys(table), key=str),
            "indexes": sorted((_readable(index) for index in inspector.get_indexes(table)), key=str),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def _readable(index: Any) -> dict[str, Any]:
    return {**index, "dialect_options": {name: str(value) for name, value in index.get("dialect_options", {}).items()}}


CHANGES = ["UPDATE credit_transactions SET amount = 0", "DELETE FROM credit_transactions"]


@pytest.mark.parametrize("change", CHANGES)
async def test_a_credit_transaction_can_be_neither_changed_nor_deleted(database: Database, change: str) -> None:
    def grant(tx: Transaction) -> None:
        tx.execute("INSERT INTO accounts (id, name, created_at) VALUES ('a', 'A', :at)", at=now())
        tx.execute(
            "INSERT INTO credit_transactions (id, account_id, amount, type, description, balance_after, created_at) "
            "VALUES ('t', 'a', 5, 'grant', 'Welcome', 5, :at)",
            at=now(),
        )

    await database.write(grant)
    with pytest.raises(Exception, match="credit_transactions is append-only"):
        await database.write(lambda tx: tx.execute(change))
    assert await database.read(lambda tx: tx.scalar("SELECT amount FROM credit_transactions")) == 5


async def test_the_ledger_cannot_be_truncated(postgresql_url: str) -> None:
    with (
        pytest.raises(Exception, match="append-only"),
        schema_transaction(postgresql_url) as connection,
    ):
        connection.exec_driver_sql("TRUNCATE credit_transactions")
