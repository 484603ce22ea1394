"""One connection to PostgreSQL: how it is set up, and its failures in our words."""

import psycopg
from psycopg import errors
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import DictRow, dict_row
from psycopg.types.numeric import Int8Dumper

from limner.db.base import DatabaseUnavailable, UniqueViolation

Connection = psycopg.Connection[DictRow]

# A server that vanished is noticed within half a minute, not after the kernel's two hours.
_NETWORK = {
    "application_name": "limner",
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}


ATTEMPTS = 10
"""How often a transaction is run that PostgreSQL undoes."""


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
        connection = Connection.connect(conninfo, autocommit=True, row_factory=dict_row)
        connection.execute(f"SET lock_timeout = {round(lock_seconds * 1000)}".encode())
    except psycopg.Error as error:
        raise DatabaseUnavailable(f"PostgreSQL does not answer: {error}") from error
    # One type for every whole number, so that a statement is prepared once and not once per magnitude.
    connection.adapters.register_dumper(int, Int8Dumper)
    connection.adapters.register_loader("numeric", _PlainNumber)
    return connection


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
