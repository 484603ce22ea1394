"""Brings a database to the schema this version knows, and refuses one that is newer.

Reading where a database stands is plain SQL, and so is making a new SQLite file: Alembic and
SQLAlchemy take a second to load, so they are loaded only where there is something to upgrade.
"""

from pathlib import Path
from typing import Any

from limner.db.url import sqlite_path

_VERSIONS = Path(__file__).parent / "migrations" / "versions"

REVISIONS = tuple(sorted(file.stem for file in _VERSIONS.glob("[0-9]*.py")))
"""Every step of the schema, oldest first; a revision is named as its file."""


class DatabaseTooNew(Exception):
    """A newer version has changed the schema; this one would not know what it does."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"A newer Limner has upgraded this database (to {revision}); this one knows it up to {REVISIONS[-1]}. "
            "Run the newer version, or restore a backup from before the upgrade."
        )


def migrate(url: str) -> bool:
    """Apply what is missing, in one transaction; True if anything was.

    Safe at any time and from any number of processes: one does the work, the others wait for it.
    OSError when the database cannot be reached or written, `DatabaseTooNew` when it is ahead of us.
    """
    revision = current_revision(url)
    if revision == REVISIONS[-1]:
        return False
    if revision is not None and revision not in REVISIONS:
        raise DatabaseTooNew(revision)
    if revision is None and _create(url):
        return True
    from limner.db.upgrade import upgrade  # loads Alembic

    upgrade(url)
    return True


def current_revision(url: str) -> str | None:
    """The last step that was applied, or None for an empty database. OSError when nothing answers."""
    path = sqlite_path(url)
    return _of_postgres(url) if path is None else _of_sqlite(path)


def _create(url: str) -> bool:
    from limner.db.first_start import create

    path = sqlite_path(url)
    return path is not None and create(path, REVISIONS[-1])


_REVISION = "SELECT version_num FROM alembic_version"


def _of_sqlite(path: Path) -> str | None:
    from limner.db.sqlite_connection import SqliteTransaction, connect_reader

    if not path.exists():
        return None
    connection = connect_reader(path, busy_seconds=10)
    try:
        tx = SqliteTransaction(connection)
        known: Any = tx.first("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
        return known and tx.scalar(_REVISION)
    finally:
        connection.close()


def _of_postgres(url: str) -> str | None:
    from limner.db.postgres_connection import connect, conninfo_of

    with connect(conninfo_of(url), lock_seconds=10) as connection:
        known: Any = connection.execute("SELECT to_regclass('alembic_version') AS name").fetchone()
        row: Any = known["name"] and connection.execute(_REVISION).fetchone()
        return row and row["version_num"]
