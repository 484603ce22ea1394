"""One connection to the SQLite file: how it is set up, its transaction, its failures in our words."""

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from limner.db.base import DatabaseUnavailable, Row, UniqueViolation
from limner.db.params import bound

T = TypeVar("T")

_UNIQUE = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
}
_UNAVAILABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
}
_PRIMARY_CODE = 0xFF


def connect_writer(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    """A connection that writes; makes the file (for its owner alone: it holds secrets) where there is none."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise DatabaseUnavailable(f"cannot write {path}: {error.strerror}") from error
    connection = _connect(path, busy_seconds, "synchronous = FULL", "journal_size_limit = 67108864")
    _write_ahead(connection, path, busy_seconds)
    return connection


def connect_reader(path: Path, *, busy_seconds: float) -> sqlite3.Connection:
    return _connect(path, busy_seconds, "query_only = ON")


def _connect(path: Path, busy_seconds: float, *pragmas: str) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            path, timeout=busy_seconds, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        connection.row_factory = sqlite3.Row
        for pragma in ("foreign_keys = ON", "mmap_size = 268435456", "temp_store = MEMORY", *pragmas):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error as error:
        raise DatabaseUnavailable(f"cannot open {path}: {error}") from error
    return connection


def _write_ahead(connection: sqlite3.Connection, path: Path, busy_seconds: float) -> None:
    """Switch the file to WAL. For this one step SQLite itself does not wait for another process."""
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.Error as error:
            if not isinstance(named(error), DatabaseUnavailable) or time.monotonic() > deadline:
                raise DatabaseUnavailable(f"cannot write {path}: {error}") from error
            time.sleep(0.01)


def named(error: sqlite3.Error) -> Exception:
    """The failure behind `error`; a mistake in our SQL stays what it is."""
    code: int = getattr(error, "sqlite_errorcode", 0)  # errors of the Python module itself carry none
    if code in _UNIQUE:
        return UniqueViolation(str(error))
    if code & _PRIMARY_CODE in _UNAVAILABLE:
        return DatabaseUnavailable(str(error))
    return error


class SqliteTransaction:
    """A `Transaction`; `failure` is that of the first statement that failed."""

    __slots__ = ("_connection", "failure")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.failure: Exception | None = None

    def execute(self, sql: str, /, **params: Any) -> int:
        return self._run(sql, params, _touched)

    def post(self, sql: str, /, **params: Any) -> None:
        self._run(sql, params, _touched)

    def first(self, sql: str, /, **params: Any) -> Row | None:
        return self._run(sql, params, sqlite3.Cursor.fetchone)

    def all(self, sql: str, /, **params: Any) -> list[Row]:
        return self._run(sql, params, sqlite3.Cursor.fetchall)

    def scalar(self, sql: str, /, **params: Any) -> Any:
        row: Any = self._run(sql, params, sqlite3.Cursor.fetchone)
        return None if row is None else row[0]

    def _run(self, sql: str, params: dict[str, Any], outcome: Callable[[sqlite3.Cursor], T]) -> T:
        if self.failure is not None:
            raise self.failure
        try:
            return outcome(self._connection.execute(sql, bound(params)))
        except sqlite3.Error as error:
            self.failure = named(error)
            raise self.failure from error


def _touched(cursor: sqlite3.Cursor) -> int:
    cursor.fetchall()  # a statement with RETURNING counts its rows as they are taken
    return max(cursor.rowcount, 0)
