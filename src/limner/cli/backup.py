"""`limner backup` and `limner restore`: everything a server keeps, in one file, taken beside the running server.

The database is copied first and the pictures after it: a picture is stored before its row says so, so every
picture the copy knows is there.
"""

import asyncio
import os
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from io import BytesIO
from pathlib import Path

import click

from limner.blobs.base import BlobMissing, Blobs
from limner.blobs.open import open_blobs
from limner.cli.failures import CommandFailed
from limner.cli.output import json_option, print_facts
from limner.config import BadConfiguration, Config
from limner.db.lock import serving_lock
from limner.db.url import sqlite_path

DATABASE = "limner.db"
PICTURES = "blobs/"


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def backup(file: Path, as_json: bool) -> None:
    """Write the database and every picture to FILE, a tar archive. The server may go on running."""
    config = Config.from_env()
    database = _sqlite_file(config)
    if not database.exists():
        raise CommandFailed(f"There is nothing to back up: {database} does not exist")
    half = file.with_name(f".{file.name}.part")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as written:
        with tarfile.open(fileobj=written, mode="w") as archive:
            _add_database(archive, database)
            pictures = asyncio.run(_add_pictures(archive, config))
        os.fsync(written.fileno())
    half.replace(file)
    print_facts({"file": file.absolute(), "pictures": pictures, "bytes": file.stat().st_size}, as_json=as_json)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def restore(file: Path, as_json: bool) -> None:
    """Put what FILE holds into an empty place: LIMNER_DATA_DIR, and LIMNER_BLOBS_URL where that is set."""
    config = Config.from_env()
    database = _sqlite_file(config)
    with serving_lock(config.database_url):
        if database.exists():
            raise CommandFailed(f"{database} is there already: restore into an empty LIMNER_DATA_DIR, or move it away")
        try:
            with tarfile.open(file) as archive:
                pictures = asyncio.run(_restore_pictures(archive, config))
                _restore_database(archive, database)
        except (tarfile.TarError, KeyError, ValueError) as problem:
            raise CommandFailed(f"{file} is not a backup of Limner: {problem}") from None
    print_facts({"database": database, "pictures": pictures, "next": "limner audit"}, as_json=as_json)


def _sqlite_file(config: Config) -> Path:
    path = sqlite_path(config.database_url)
    if path is None:
        raise CommandFailed(
            "A PostgreSQL database is backed up with pg_dump and restored with pg_restore, "
            "and its pictures with the tools of their store (docs/operate/backup.md)"
        )
    return path


def _add_database(archive: tarfile.TarFile, database: Path) -> None:
    """SQLite's own copy: whole and of one moment, whatever is written meanwhile."""
    with tempfile.TemporaryDirectory(dir=database.parent, prefix=".backup-") as directory:
        copy = Path(directory) / DATABASE
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        archive.add(copy, DATABASE)


async def _add_pictures(archive: tarfile.TarFile, config: Config) -> int:
    blobs = _open_blobs(config)
    count = 0
    async for info in blobs.keys(""):
        try:
            data = await blobs.get(info.key)
        except BlobMissing:  # deleted since it was listed
            continue
        member = tarfile.TarInfo(f"{PICTURES}{info.key}")
        member.size, member.mode, member.mtime = len(data), 0o600, int(info.modified_at.timestamp())
        archive.addfile(member, BytesIO(data))
        count += 1
    await blobs.close()
    return count


async def _restore_pictures(archive: tarfile.TarFile, config: Config) -> int:
    blobs = _open_blobs(config)
    members = [member for member in archive if member.isfile() and member.name.startswith(PICTURES)]
    for member in members:
        file = archive.extractfile(member)
        assert file is not None
        await blobs.put(member.name.removeprefix(PICTURES), file.read(), "application/octet-stream")
    await blobs.close()
    return len(members)


def _restore_database(archive: tarfile.TarFile, database: Path) -> None:
    """Last, so that a restore that broke off leaves no server that misses pictures."""
    file = archive.extractfile(DATABASE)
    assert file is not None
    half = database.with_name(f".{database.name}.part")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as written:
        while piece := file.read(1 << 20):
            written.write(piece)
        os.fsync(written.fileno())
    half.replace(database)


def _open_blobs(config: Config) -> Blobs:
    try:
        return open_blobs(config.blobs_url, endpoint=config.blobs_endpoint)
    except ValueError as problem:
        raise BadConfiguration(f"LIMNER_BLOBS_URL cannot be used: {problem}.") from None
