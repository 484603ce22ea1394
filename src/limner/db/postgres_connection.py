"""One connection to PostgreSQL: how it is set up, its transactions, its failures in our words."""

from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg.types.numeric import Int8Dumper

from limner.db.base import DatabaseUnavailable, Row, Transaction, UniqueViolation
from limner.db.params import bound, to_pyformat
from limner.db.run import run

T = TypeVar("T")
Connection = psycopg.Connection[DictRow]

_PREPARE_AFTER = 2
_PREPARED_MAX = 512


# A server that vanished is noticed within half a minute, not after the kernel's two hours.
_NETWORK = {
    "application_name": "limner",
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}


class TryAgain(DatabaseUnavailable):
    """PostgreSQL undid the transaction (deadlock, serialization, connection lost before COMMIT): nothing happened."""


class _PlainNumber(Loader):
    """`sum()` of whole numbers is a numeric here and an integer on SQLite: both read as int."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data).decode()
        return int(text) if text.lstrip("-").isdigit() else float(text)


def conninfo_of(url: str) -> str:
    try:
        return make_conninfo("", **{**_NETWORK, **conninfo_to_dict(url)})
    except psycopg.Error:
        raise ValueError("the PostgreSQL URL cannot be read: postgresql://user:password@host:port/name") from None


def connect(conninfo: str, *, lock_seconds: float) -> Connection:
    try:
        connection = Connection.connect(
            conninfo, autocommit=True, row_factory=dict_row, prepare_threshold=_PREPARE_AFTER
        )
        connection.execute(f"SET lock_timeout = {round(lock_seconds * 1000)}".encode())
    except psycopg.Error as error:
        raise DatabaseUnavailable(f"PostgreSQL does not answer: {error}") from error
    connection.prepared_max = _PREPARED_MAX
    # One type for every whole number, so that a statement is prepared once and not once per magnitude.
    connection.adapters.register_dumper(int, Int8Dumper)
    connection.adapters.register_loader("numeric", _PlainNumber)
    return connection


def write(connection: Connection, fn: Callable[[Transaction], T]) -> T:
    _control(connection, b"BEGIN")
    try:
        result = run(fn, PostgresTransaction(connection))
    except BaseException:
        _abandon(connection)
        raise
    try:
        connection.execute(b"COMMIT")
    except (errors.SerializationFailure, errors.DeadlockDetected) as error:
        raise TryAgain(str(error)) from error
    except psycopg.OperationalError as error:  # lost on the way: it may have happened, so it is not run again
        raise DatabaseUnavailable(f"PostgreSQL did not confirm the commit: {error}") from error
    return result


def read_now(connection: Connection, fn: Callable[[Transaction], T]) -> T:
    return run(fn, PostgresTransaction(connection))


def read_one_moment(connection: Connection, fn: Callable[[Transaction], T]) -> T:
    _control(connection, b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        return run(fn, PostgresTransaction(connection))
    finally:
        _abandon(connection)


def named(error: psycopg.Error) -> Exception:
    """The failure behind `error`; a mistake in our SQL stays what it is."""
    match error:
        case errors.UniqueViolation():
            return UniqueViolation(str(error))
        case errors.SerializationFailure() | errors.DeadlockDetected() | errors.FeatureNotSupported():
            return TryAgain(str(error))
        case errors.LockNotAvailable() | errors.DiskFull() | errors.ReadOnlySqlTransaction():
            return DatabaseUnavailable(str(error))
        case psycopg.OperationalError():
            return TryAgain(str(error))
        case _:
            return error


class PostgresTransaction:
    """A `Transaction`; `failure` is that of the first statement that failed."""

    __slots__ = ("_connection", "failure")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.failure: Exception | None = None

    def execute(self, sql: str, /, **params: Any) -> int:
        return max(self._run(sql, params).rowcount, 0)

    def first(self, sql: str, /, **params: Any) -> Row | None:
        return self._run(sql, params).fetchone()

    def all(self, sql: str, /, **params: Any) -> list[Row]:
        return list(self._run(sql, params).fetchall())

    def scalar(self, sql: str, /, **params: Any) -> Any:
        row = self._run(sql, params).fetchone()
        return None if row is None else next(iter(row.values()))

    def _run(self, sql: str, params: dict[str, Any]) -> psycopg.Cursor[DictRow]:
        if self.failure is not None:
            raise self.failure
        try:
            return self._connection.execute(to_pyformat(sql), bound(params))
        except psycopg.Error as error:
            if isinstance(error, errors.FeatureNotSupported):
                self._connection.close()  # a prepared statement from before a migration: start with none
            self.failure = named(error)
            raise self.failure from error


def _control(connection: Connection, statement: bytes) -> None:
    try:
        connection.execute(statement)
    except psycopg.Error as error:
        raise named(error) from error


def _abandon(connection: Connection) -> None:
    """Roll back; a connection that cannot even do that is given up."""
    try:
        connection.execute(b"ROLLBACK")
    except psycopg.Error:
        connection.close()
