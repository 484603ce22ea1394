"""Makes a new SQLite database in one step, from the schema that all migrations end in.

Loading Alembic and SQLAlchemy takes a second, which would be most of a first start.
`tools/draft_migration.py` writes the file, and a test holds it against what the migrations make.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from limner.db.base import DatabaseUnavailable
from limner.db.sqlite_connection import connect_writer

NEWEST = Path(__file__).parent / "migrations" / "newest.sql"


def create(path: Path, revision: str) -> bool:
    """Make every table, as after `revision`; False where something is in the file already."""
    with closing(connect_writer(path, busy_seconds=60)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            empty = connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None
            if empty:
                for statement in NEWEST.read_text().split("\n\n"):
                    connection.execute(statement)
                connection.execute("INSERT INTO alembic_version VALUES (?)", [revision])
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise DatabaseUnavailable(f"cannot create {path}: {error}") from error
    return empty


def snapshot(connection: sqlite3.Connection) -> str:
    """The statements that make the schema of `connection`, with an empty line between them."""
    found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
    statements = ["\n".join(line.rstrip() for line in row[0].splitlines() if line.strip()) for row in found]
    return "\n\n".join(statements) + "\n"
