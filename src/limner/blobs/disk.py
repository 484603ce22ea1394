"""Blobs in one directory: each a plain file, written beside its place and renamed into it."""

import asyncio
import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from errno import EAGAIN
from io import FileIO
from itertools import islice
from pathlib import Path
from stat import S_ISREG

from limner.blobs.base import BlobInfo, BlobMissing
from limner.blobs.keys import checked, is_segment, split_prefix

PIECE_BYTES = 96 * 1024
"""Also what each of many slow readers keeps in memory, twice."""

UNFINISHED = "~unfinished"
"""Where files are written before they get their name; no key can say `~`."""

_LISTED_AT_ONCE = 500
_ATTEMPTS = 20
_AT_ONCE: int = getattr(os, "RWF_NOWAIT", -1)  # Linux; an unknown flag is refused, and a thread reads
_NOT_A_FILE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class DiskBlobs:
    """The store of a single machine; files are 0600 and directories 0700."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._unfinished = self._root / UNFINISHED
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._unfinished.mkdir(mode=0o700, exist_ok=True)
        _sweep(self._unfinished)

    async def put(self, key: str, data: bytes, media_type: str) -> None:
        """The media type is not kept: the key's ending says it."""
        await asyncio.to_thread(self._write, self._root / checked(key), data)

    async def get(self, key: str) -> bytes:
        path = self._root / checked(key)
        try:
            return await asyncio.to_thread(path.read_bytes)
        except _NOT_A_FILE:
            raise BlobMissing(key) from None

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        path = self._root / checked(key)
        try:
            file = FileIO(path)
        except _NOT_A_FILE:
            raise BlobMissing(key) from None
        with file:
            while piece := await _read_at(file, start, end):
                yield piece
                start += len(piece)

    async def size_bytes(self, key: str) -> int | None:
        status = _status(self._root / checked(key))
        return status.st_size if status else None

    def path(self, key: str) -> Path | None:
        path = self._root / checked(key)
        return path if _status(path) else None

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._remove, self._root / checked(key))

    async def keys(self, prefix: str) -> AsyncIterator[BlobInfo]:
        directory, start = split_prefix(prefix)
        found = self._walk(self._root / directory, start)
        while batch := await asyncio.to_thread(lambda: list(islice(found, _LISTED_AT_ONCE))):
            for info in batch:
                yield info

    async def check(self) -> None:
        await asyncio.to_thread(self._probe)

    async def close(self) -> None:
        """Nothing is held open."""

    def _write(self, target: Path, data: bytes) -> None:
        try:
            for _ in range(_ATTEMPTS):
                if self._try_write(target, data):
                    return
            raise OSError(EAGAIN, "something else keeps deleting there")
        except OSError as error:
            raise _said_clearly(error, self._root) from error

    def _try_write(self, target: Path, data: bytes) -> bool:
        """False when a directory or our file vanished on the way: a delete or another process's sweep was faster."""
        unfinished = self._unfinished / secrets.token_hex(16)
        try:
            _write_durably(unfinished, data)
            _make_directories(target.parent)
            unfinished.rename(target)
            self._make_names_durable(target)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            if isinstance(error, FileNotFoundError):
                return False
            raise
        return True

    def _make_names_durable(self, target: Path) -> None:
        """All the way up: a directory that another writer has just made is not durable by being there.

        The first of these flushes carries, in a file system with a journal, what the others would.
        """
        for directory in target.parents:
            _sync_directory(directory)
            if directory == self._root:
                return

    def _remove(self, target: Path) -> None:
        try:
            target.unlink()
            _sync_directory(target.parent)
        except _NOT_A_FILE:
            return
        for directory in target.parents:
            if directory == self._root or not _removed_empty(directory):
                return

    def _walk(self, directory: Path, start: str = "") -> Iterator[BlobInfo]:
        """Names no key can have are not ours (`lost+found`); a directory of ours that cannot be read is an error."""
        try:
            entries = os.scandir(directory)
        except (FileNotFoundError, NotADirectoryError):
            return
        with entries:
            for entry in entries:
                path = Path(entry.path)
                if not is_segment(entry.name) or not entry.name.startswith(start):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from self._walk(path)
                elif status := _status(path):
                    modified_at = datetime.fromtimestamp(status.st_mtime, UTC)
                    yield BlobInfo(path.relative_to(self._root).as_posix(), status.st_size, modified_at)

    def _probe(self) -> None:
        probe = self._unfinished / secrets.token_hex(16)
        try:
            _write_durably(probe, b"can this be written?")
        except OSError as error:
            raise _said_clearly(error, self._root) from error
        finally:
            probe.unlink(missing_ok=True)


def _sweep(directory: Path) -> None:
    """Remove what writers left when they were killed; a living writer still holds the lock on its file."""
    for path in directory.iterdir():
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
        except (BlockingIOError, FileNotFoundError):
            continue


def _status(path: Path) -> os.stat_result | None:
    """None where there is no file; in the calling thread, because a look costs microseconds and a hop more."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status if S_ISREG(status.st_mode) else None


async def _read_at(file: FileIO, start: int, end: int | None) -> bytes:
    """What the kernel has at hand comes at once, and only what lies on the disk takes the hop to a thread."""
    size = PIECE_BYTES if end is None else min(PIECE_BYTES, end - start)
    if size <= 0:
        return b""
    buffer = bytearray(size)
    try:
        count = os.preadv(file.fileno(), [buffer], start, _AT_ONCE)
    except OSError:  # nothing of it is in memory, or this file system cannot tell
        return await asyncio.to_thread(os.pread, file.fileno(), size, start)
    return bytes(memoryview(buffer)[:count])


def _write_durably(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())


def _make_directories(directory: Path) -> None:
    """Like `mkdir -p`, each for its owner alone."""
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
    except FileNotFoundError:
        _make_directories(directory.parent)
        directory.mkdir(mode=0o700, exist_ok=True)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _removed_empty(directory: Path) -> bool:
    try:
        directory.rmdir()
    except OSError:
        return False
    return True


def _said_clearly(error: OSError, root: Path) -> OSError:
    reason = error.strerror or str(error)
    return OSError(error.errno, f"The blob directory cannot be written: {reason}", str(root))
