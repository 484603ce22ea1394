"""One serving process per SQLite file: held by a file lock, which ends with its process however that dies."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager

from limner.db.base import DatabaseUnavailable
from limner.db.url import sqlite_path


class AlreadyServed(Exception):
    """Another process serves this SQLite file."""


@contextmanager
def serving_lock(url: str) -> Generator[None]:
    """Hold the right to serve the database at `url` while the block runs; PostgreSQL has room for many.

    Raises `AlreadyServed` at once where another process holds it, OSError where the lock file beside
    the database cannot be written.
    """
    path = sqlite_path(url)
    if path is None:
        yield
        return
    lock = path.with_name(f"{path.name}.lock")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DatabaseUnavailable(f"cannot write {lock}: {error.strerror}") from error
    try:
        _take(descriptor, f"{path}")
        yield
    finally:
        os.close(descriptor)  # the file stays: deleting it would let two processes lock two files


def _take(descriptor: int, database: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
        raise AlreadyServed(
            f"Process {holder} already serves {database}, and a SQLite file has one serving process. "
            "Stop it first, or use PostgreSQL (LIMNER_DATABASE_URL=postgresql://…) to run several."
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
