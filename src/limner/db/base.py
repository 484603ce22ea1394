"""The database port: a transaction is a plain function, handed to `write` or `read`.

Nothing can be awaited inside it, so no transaction is ever long, and one hop serves the whole of it.
A function may be run again, so it has no side effects but its statements.
"""

from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeVar

T = TypeVar("T")


class Row(Protocol):
    """One result row, read by column name."""

    def __getitem__(self, name: str, /) -> Any: ...


class Transaction(Protocol):
    """SQL with `:name` parameters, the same text on SQLite and PostgreSQL.

    Parameters are str, int, float, bytes or None; a datetime is stored as UTC milliseconds since the
    epoch (`types.utc` reads it back), a bool as 0 or 1.

    A statement that failed has failed its function, even where the function caught the failure:
    PostgreSQL goes on with nothing after it, so SQLite does not either. `ON CONFLICT` asks first.
    """

    def execute(self, sql: str, /, **params: Any) -> int:
        """Run a statement; how many rows it touched."""
        ...

    def post(self, sql: str, /, **params: Any) -> None:
        """Run a statement that nobody waits for: how many rows it touched is not told.

        On PostgreSQL it travels with the next statement that is waited for, or with COMMIT, and so may its failure
        be heard only then. It fails its function all the same.
        """
        ...

    def first(self, sql: str, /, **params: Any) -> Row | None: ...

    def all(self, sql: str, /, **params: Any) -> list[Row]: ...

    def scalar(self, sql: str, /, **params: Any) -> Any:
        """The first column of the first row, or None."""
        ...


class UniqueViolation(Exception):
    """A statement would have broken a UNIQUE or PRIMARY KEY constraint."""


class DatabaseUnavailable(OSError):
    """The database cannot be reached, read or written now; its message names no password."""


class Database(Protocol):
    dialect: Literal["sqlite", "postgresql"]

    async def write(self, fn: Callable[[Transaction], T]) -> T:
        """Run `fn` in a transaction and return what it returned, once the commit is durable.

        It touches few rows by their indexes: on SQLite its statements run on the event loop (microseconds).

        Whatever `fn` raises rolls back its own statements alone and is raised here. A caller that is
        cancelled meanwhile loses only the answer. OSError (`DatabaseUnavailable`) when the database
        cannot be reached or written; was the connection lost during the commit itself, the outcome
        is unknown.
        """
        ...

    async def write_slowly(self, fn: Callable[[Transaction], T]) -> T:
        """The same for many rows at once, off the event loop; others who write wait for it meanwhile."""
        ...

    async def read(self, fn: Callable[[Transaction], T]) -> T:
        """Run a short, indexed read; on SQLite in the calling thread (microseconds).

        Each statement sees what was committed when it began.
        """
        ...

    async def read_slowly(self, fn: Callable[[Transaction], T]) -> T:
        """Run a read that may take long (audit, export) off the event loop; all of it sees one moment."""
        ...

    def version(self) -> int | None:
        """Another number after every commit, whoever made it; None where telling would cost as much as reading.

        Asked on the event loop.
        """
        ...

    async def close(self) -> None: ...
