"""Blobs in one directory: each a plain file, written beside its place and renamed into it.

`images/0190…/original/x.png` lies in `images/3f/0190…~original~x.png`: a few directories that are made once and stay,
because making and flushing one for each picture costs more than writing a small picture does.
"""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from io import FileIO
from itertools import count, islice
from pathlib import Path
from stat import S_ISREG
from zlib import crc32

from limner.blobs.base import BlobInfo, BlobMissing
from limner.blobs.keys import checked, is_key, is_segment, split_prefix

PIECE_BYTES = 96 * 1024
"""Also what each of many slow readers keeps in memory, twice."""

UNFINISHED = "~unfinished"
"""Where files are written before they get their name; no key can say `~`."""

ABANDONED_SECONDS = 24 * 3600
"""What has been unfinished for so long belongs to a writer that was killed."""

_ALONE = "~"
"""The directory of keys that are one segment."""

_LISTED_AT_ONCE = 500
_AT_ONCE: int = getattr(os, "RWF_NOWAIT", -1)  # Linux; an unknown flag is refused, and a thread reads
_NOT_A_FILE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class DiskBlobs:
    """The store of a single machine; files are 0600 and directories 0700."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self._unfinished = self._root / UNFINISHED
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._unfinished.mkdir(mode=0o700, exist_ok=True)
        self._durable: set[str] = set()  # directories that outlive a power cut; nobody removes one
        self._writer = secrets.token_hex(8)
        self._numbers = count()
        _sweep(self._unfinished)

    async def put(self, key: str, data: bytes, media_type: str) -> None:
        """The media type is not kept: the key's ending says it."""
        await asyncio.to_thread(self._write, self._place(key), data)

    async def get(self, key: str) -> bytes:
        path = self._place(key)
        try:
            return await asyncio.to_thread(_read, path)
        except _NOT_A_FILE:
            raise BlobMissing(key) from None

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        path = self._place(key)
        try:
            file = FileIO(path)
        except _NOT_A_FILE:
            raise BlobMissing(key) from None
        with file:
            while piece := await _read_at(file, start, end):
                yield piece
                start += len(piece)

    async def size_bytes(self, key: str) -> int | None:
        status = _status(self._place(key))
        return status.st_size if status else None

    def path(self, key: str) -> str | None:
        return _path(key) if _status(self._place(key)) else None

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(_remove, self._place(key))

    async def keys(self, prefix: str) -> AsyncIterator[BlobInfo]:
        split_prefix(prefix)  # refuses what begins no key
        found = self._walk(prefix)
        while batch := await asyncio.to_thread(lambda: list(islice(found, _LISTED_AT_ONCE))):
            for info in batch:
                yield info

    async def check(self) -> None:
        await asyncio.to_thread(self._probe)

    async def close(self) -> None:
        """Nothing is held open."""

    def _place(self, key: str) -> str:
        return f"{self._root}/{_path(key)}"

    def _name(self) -> str:
        """Of a file that nobody else writes."""
        return f"{self._unfinished}/{self._writer}-{next(self._numbers)}"

    def _write(self, place: str, data: bytes) -> None:
        unfinished = self._name()
        try:
            _write_durably(unfinished, data)
            try:
                self._give_place(unfinished, place)
            except FileNotFoundError:  # somebody has cleared the store away under us
                self._durable.clear()
                self._give_place(unfinished, place)
        except OSError as error:
            _forget(unfinished)
            raise _said_clearly(error, self._root) from error

    def _give_place(self, unfinished: str, place: str) -> None:
        directory = os.path.dirname(place)
        if directory not in self._durable:
            self._make_directories(directory)
        os.rename(unfinished, place)
        _sync_directory(directory)

    def _make_directories(self, directory: str) -> None:
        """Like `mkdir -p`, each for its owner alone; one that another process has just made is made durable too."""
        kind = os.path.dirname(directory)
        for each in (kind, directory):
            Path(each).mkdir(mode=0o700, exist_ok=True)
        for each in (kind, self._root):
            _sync_directory(each)
        self._durable.add(directory)

    def _walk(self, prefix: str) -> Iterator[BlobInfo]:
        """Names no key can have are not ours (`lost+found`); a directory of ours that cannot be read is an error."""
        kind, deeper, rest = prefix.partition("/")
        group, whole, _ = rest.partition("/")
        for name in [kind] if deeper else _names(self._root):
            if name != _ALONE and not is_segment(name):
                continue
            beginning = "" if name == _ALONE else f"{name}/"
            for shard in [_shard(group)] if whole else _names(f"{self._root}/{name}"):
                directory = f"{self._root}/{name}/{shard}"
                for file in _names(directory):
                    key = beginning + file.replace("~", "/")
                    if key.startswith(prefix) and is_key(key) and (status := _status(f"{directory}/{file}")):
                        yield BlobInfo(key, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def _probe(self) -> None:
        probe = self._name()
        try:
            _write_durably(probe, b"can this be written?")
        except OSError as error:
            raise _said_clearly(error, self._root) from error
        finally:
            _forget(probe)


def _path(key: str) -> str:
    kind, _, rest = checked(key).partition("/")
    kind, rest = (kind, rest) if rest else (_ALONE, kind)
    return f"{kind}/{_shard(rest)}/{rest.replace('/', '~')}"


def _shard(rest: str) -> str:
    """What belongs to one picture lies together: only that directory is looked through to find it all."""
    return f"{crc32(rest.partition('/')[0].encode()) & 0xFF:02x}"


def _sweep(directory: Path) -> None:
    """Remove what writers left when they were killed."""
    for path in directory.iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - ABANDONED_SECONDS:
                path.unlink()


def _names(directory: Path | str) -> list[str]:
    try:
        return os.listdir(directory)
    except _NOT_A_FILE:
        return []


def _status(path: str) -> os.stat_result | None:
    """None where there is no file; in the calling thread, because a look costs microseconds and a hop more."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status if S_ISREG(status.st_mode) else None


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


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


def _write_durably(path: str, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_directory(directory: Path | str) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(place: str) -> None:
    with suppress(*_NOT_A_FILE):
        os.unlink(place)
        _sync_directory(os.path.dirname(place))


def _forget(unfinished: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(unfinished)


def _said_clearly(error: OSError, root: Path) -> OSError:
    reason = error.strerror or str(error)
    return OSError(error.errno, f"The blob directory cannot be written: {reason}", str(root))
