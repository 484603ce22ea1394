"""Copies of a whole database in files: SQLite's own copy, or PostgreSQL's tables as COPY writes them.

A copy is of one moment, whatever is written meanwhile, and names the step of the schema it was made at: it is loaded
into that step and then upgraded. PostgreSQL's needs no program beside us, and does not care for its version.
"""

import json
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from limner.db.migrate import REVISIONS, current_revision, migrate
from limner.db.url import sqlite_path

SQLITE = "limner.db"
MANIFEST = "postgresql.json"
_PIECE_BYTES = 1 << 20


class NothingToCopy(Exception):
    """There is no database yet, or one that this version does not know."""


class NotEmpty(Exception):
    """A copy is never loaded over something."""


def dump(url: str, folder: Path) -> None:
    """Write a copy of the database at `url` into `folder`. Raises NothingToCopy, OSError."""
    path = sqlite_path(url)
    revision = current_revision(url)
    if revision is None:
        raise NothingToCopy("there is no database of Limner yet")
    if path is None:
        _dump_postgres(url, revision, folder)
        return
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(folder / SQLITE)) as target:
        source.backup(target)


def load(url: str, folder: Path) -> None:
    """Make the database at `url` from the copy in `folder`, and upgrade it. Raises NotEmpty, ValueError, OSError."""
    path = sqlite_path(url)
    wanted = MANIFEST if path is None else SQLITE
    if not (folder / wanted).exists():
        if not (folder / MANIFEST).exists() and not (folder / SQLITE).exists():
            raise ValueError("it holds no database")
        holds, names = ("SQLite", "PostgreSQL") if path is None else ("PostgreSQL", "SQLite")
        raise ValueError(f"it holds a {holds} database, and LIMNER_DATABASE_URL names {names}")
    refuse_full(url)
    if path is None:
        _load_postgres(url, folder)
    else:
        (folder / SQLITE).chmod(0o600)
        (folder / SQLITE).replace(path)
    migrate(url)


def refuse_full(url: str) -> None:
    """Raises NotEmpty where something is there already."""
    path = sqlite_path(url)
    if path is not None and path.exists():
        raise NotEmpty(f"{path} is there already: restore into an empty LIMNER_DATA_DIR, or move it away")
    if path is None and current_revision(url) is not None:
        raise NotEmpty("there is a database of Limner already: restore into an empty one")


def _dump_postgres(url: str, revision: str, folder: Path) -> None:
    if revision != REVISIONS[-1]:
        raise NothingToCopy(f"the database is at {revision} and this version at {REVISIONS[-1]}: run its own version")
    with _one_moment(url) as connection:
        tables = _tables(connection)
        for name, columns in tables.items():
            with (
                (folder / name).open("wb") as file,
                connection.cursor().copy(_copy(name, columns, "TO STDOUT")) as rows,
            ):
                for piece in rows:
                    file.write(piece)
    (folder / MANIFEST).write_text(json.dumps({"revision": revision, "tables": tables}))


def _load_postgres(url: str, folder: Path) -> None:
    from alembic import command

    from limner.db.upgrade import alembic_config, schema_transaction

    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    if manifest["revision"] not in REVISIONS:
        raise ValueError(f"it was made by a newer version ({manifest['revision']})")
    with schema_transaction(url) as connection:
        command.upgrade(alembic_config(connection), manifest["revision"])
        postgres: Any = connection.connection.driver_connection
        for name, columns in manifest["tables"].items():
            with postgres.cursor().copy(_copy(name, columns, "FROM STDIN")) as rows, (folder / name).open("rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    rows.write(piece)


@contextmanager
def _one_moment(url: str) -> Generator[Any]:
    import psycopg

    from limner.db.postgres_connection import conninfo_of

    with psycopg.connect(conninfo_of(url)) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield connection


def _tables(connection: Any) -> dict[str, list[str]]:
    """Our tables, each after those it refers to, and their columns.

    What a queue engine keeps is made anew, and what a trigger keeps follows the table it is on.
    """
    from limner.db.tables import metadata

    found = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() "
        "AND is_generated = 'NEVER' ORDER BY ordinal_position"
    ).fetchall()
    copied = [table for table in metadata.sorted_tables if "follows" not in table.info]
    return {table.name: [column for name, column in found if name == table.name] for table in copied}


def _copy(table: str, columns: list[str], direction: str) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    return f'COPY "{table}" ({names}) {direction}'
