"""`limner backup` and `limner restore`: everything a server keeps, in one file, taken beside the running server.

The database is copied first and the pictures after it: a picture is stored before its row says so, so every
picture the copy knows is there, but for those that were deleted meanwhile. Restoring marks these as deleted.
"""

import asyncio
import mimetypes
import os
import tarfile
import tempfile
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path

import click

from limner.blobs.base import BlobInfo, BlobMissing, Blobs
from limner.blobs.open import open_blobs
from limner.cli.failures import CommandFailed
from limner.cli.output import json_option, print_facts
from limner.config import BadConfiguration, Config
from limner.db import dump
from limner.db.base import Database, Transaction
from limner.db.engine import open_database
from limner.db.lock import serving_lock
from limner.db.types import now
from limner.images import generations

DATABASE = (dump.SQLITE, "database/")
"""How the members of the archive are called that make up the database; the one of SQLite stands alone."""

PICTURES = "blobs/"
AT_ONCE = 16
"""Pictures that are under way to or from the store: one at a time would wait for a distant one."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def backup(file: Path, as_json: bool) -> None:
    """Write the database and every picture to FILE, a tar archive. The server may go on running."""
    config = Config.from_env()
    half = file.with_name(f".{file.name}.part")
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as written:
            with tarfile.open(fileobj=written, mode="w") as archive:
                _add_database(archive, config, file.absolute().parent)
                pictures = asyncio.run(_add_pictures(archive, config))
            os.fsync(written.fileno())
        half.replace(file)
    except dump.NothingToCopy as problem:
        raise CommandFailed(f"There is nothing to back up: {problem}") from None
    finally:
        half.unlink(missing_ok=True)
    print_facts({"file": file.absolute(), "pictures": pictures, "bytes": file.stat().st_size}, as_json=as_json)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def restore(file: Path, as_json: bool) -> None:
    """Put what FILE holds into an empty place: LIMNER_DATA_DIR, or the database and store that are configured."""
    config = Config.from_env()
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with serving_lock(config.database_url):
            dump.refuse_full(config.database_url)
            with (
                tarfile.open(file) as archive,
                tempfile.TemporaryDirectory(dir=config.data_dir, prefix=".restore-") as folder,
            ):
                _take_database(archive, Path(folder))
                pictures = asyncio.run(_restore_pictures(archive, config))
                dump.load(config.database_url, Path(folder))
        deleted = asyncio.run(_bury_missing(config, pictures))
    except dump.NotEmpty as problem:
        raise CommandFailed(f"{problem}") from None
    except (tarfile.TarError, KeyError, ValueError) as problem:
        raise CommandFailed(f"{file} cannot be restored: {problem}") from None
    facts = {"pictures": len(pictures), "deletedMeanwhile": deleted, "next": "limner audit"}
    print_facts(facts, as_json=as_json)


def _add_database(archive: tarfile.TarFile, config: Config, beside: Path) -> None:
    """The copy lies beside the archive for a moment, where there must be room for it anyway."""
    with tempfile.TemporaryDirectory(dir=beside, prefix=".backup-") as folder:
        dump.dump(config.database_url, Path(folder))
        for path in sorted(Path(folder).iterdir()):
            archive.add(path, path.name if path.name == dump.SQLITE else f"{DATABASE[1]}{path.name}")


async def _add_pictures(archive: tarfile.TarFile, config: Config) -> int:
    blobs = _open_blobs(config)
    count = 0
    async for batch in _in_batches(blobs):
        for info, data in zip(
            batch, await asyncio.gather(*(_bytes_of(blobs, info.key) for info in batch)), strict=True
        ):
            if data is None:
                continue
            member = tarfile.TarInfo(f"{PICTURES}{info.key}")
            member.size, member.mode, member.mtime = len(data), 0o600, int(info.modified_at.timestamp())
            archive.addfile(member, BytesIO(data))
            count += 1
    await blobs.close()
    return count


async def _in_batches(blobs: Blobs) -> AsyncIterator[list[BlobInfo]]:
    batch: list[BlobInfo] = []
    async for info in blobs.keys(""):
        batch.append(info)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    yield batch


async def _bytes_of(blobs: Blobs, key: str) -> bytes | None:
    try:
        return await blobs.get(key)
    except BlobMissing:  # deleted since it was listed
        return None


def _take_database(archive: tarfile.TarFile, folder: Path) -> None:
    """Out of the archive before anything is written: what is no backup changes nothing."""
    alone, inside = DATABASE
    for member in archive:
        name = member.name.removeprefix(inside)
        if member.isfile() and (member.name == alone or (member.name != name and "/" not in name)):
            file = archive.extractfile(member)
            assert file is not None
            with (folder / name).open("wb") as copy:
                while piece := file.read(1 << 20):
                    copy.write(piece)
                copy.flush()
                os.fsync(copy.fileno())
    if not any(folder.iterdir()):
        raise ValueError("it is not a backup of Limner")


async def _restore_pictures(archive: tarfile.TarFile, config: Config) -> set[str]:
    """Before the database, so that a restore that broke off leaves no server that misses pictures."""
    blobs = _open_blobs(config)
    keys: set[str] = set()
    for batch in _members(archive):
        await asyncio.gather(*(blobs.put(key, data, _media_type(key)) for key, data in batch))
        keys.update(key for key, _ in batch)
    await blobs.close()
    return keys


def _members(archive: tarfile.TarFile) -> Iterator[list[tuple[str, bytes]]]:
    batch: list[tuple[str, bytes]] = []
    for member in archive:
        if member.isfile() and member.name.startswith(PICTURES):
            file = archive.extractfile(member)
            assert file is not None
            batch.append((member.name.removeprefix(PICTURES), file.read()))
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    yield batch


def _media_type(key: str) -> str:
    return mimetypes.guess_type(key)[0] or "application/octet-stream"


async def _bury_missing(config: Config, keys: set[str]) -> int:
    """Pictures that were deleted while the backup was written: the copy of the database is a little older."""

    def bury(tx: Transaction) -> int:
        rows = tx.all("SELECT id, blob_key FROM generations WHERE status = 'succeeded' AND deleted_at IS NULL")
        missing = [generations.find(tx, row["id"]) for row in rows if row["blob_key"] not in keys]
        return sum(generations.bury(tx, row, now()) for row in missing if row is not None)

    database: Database = await open_database(config.database_url, connections=1)
    try:
        return await database.write(bury)
    finally:
        await database.close()


def _open_blobs(config: Config) -> Blobs:
    try:
        return open_blobs(config.blobs_url, endpoint=config.blobs_endpoint)
    except ValueError as problem:
        raise BadConfiguration(f"LIMNER_BLOBS_URL cannot be used: {problem}.") from None
