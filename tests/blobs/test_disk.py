"""What only a directory can get wrong: permissions, full disks, and writers that are killed."""

import asyncio
import os
import shutil
import signal
import stat
from pathlib import Path

import pytest
from tests.subprocesses import run_python, start_python

from limner.blobs.base import BlobMissing
from limner.blobs.disk import UNFINISHED, DiskBlobs
from limner.blobs.open import open_blobs

KEY = "images/0190aaaa/original.png"


async def test_only_the_owner_can_read_what_is_stored(tmp_path: Path) -> None:
    root = tmp_path / "new" / "blobs"
    before = os.umask(0)
    try:
        await DiskBlobs(root).put(KEY, b"x", "image/png")
    finally:
        os.umask(before)
    [file] = root.rglob("*.png")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for directory in (root, *file.parents[:2]):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


async def test_the_path_of_a_blob_is_a_file_with_its_bytes(tmp_path: Path) -> None:
    blobs = DiskBlobs(tmp_path)
    await blobs.put(KEY, b"bytes", "image/png")
    path = blobs.path(KEY)
    assert path
    assert (tmp_path / path).read_bytes() == b"bytes"


async def test_a_thousand_pictures_lie_in_few_directories(tmp_path: Path) -> None:
    blobs = DiskBlobs(tmp_path)
    await asyncio.gather(*(blobs.put(f"images/{n}/original/x.png", b"x", "image/png") for n in range(1_000)))
    assert len(list((tmp_path / "images").iterdir())) <= 256


async def test_a_store_that_was_cleared_away_under_it_is_made_again(tmp_path: Path) -> None:
    blobs = DiskBlobs(tmp_path)
    await blobs.put(KEY, b"x", "image/png")
    shutil.rmtree(tmp_path / "images")
    await blobs.put(KEY, b"y", "image/png")
    assert await blobs.get(KEY) == b"y"


async def test_names_that_are_no_keys_are_not_listed(tmp_path: Path) -> None:
    blobs = DiskBlobs(tmp_path)
    await blobs.put(KEY, b"x", "image/png")
    (tmp_path / "lost+found").mkdir(mode=0o000)
    (tmp_path / "images" / "notes.txt").write_text("mine")
    [directory] = (each for each in (tmp_path / "images").iterdir() if each.is_dir())
    (directory / "Thumbs db").write_text("somebody's")
    assert [info.key async for info in blobs.keys("")] == [KEY]


FULL_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
from limner.blobs.disk import DiskBlobs

async def main():
    blobs = DiskBlobs(Path(sys.argv[1]))
    await blobs.put("images/1/original.png", b"old", "image/png")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    try:
        await blobs.put("images/1/original.png", bytes(3_000_000), "image/png")
    except OSError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 1_000_000))
    try:
        await blobs.check()
    except OSError as error:
        print("check:", error)

asyncio.run(main())
"""


async def test_a_full_disk_is_said_clearly_and_spoils_nothing(tmp_path: Path) -> None:
    result = run_python(FULL_DISK, str(tmp_path))
    assert "The blob directory cannot be written: File too large" in result.stdout, result.stderr
    assert "check:" in result.stdout
    assert await DiskBlobs(tmp_path).get("images/1/original.png") == b"old"
    assert list((tmp_path / UNFINISHED).iterdir()) == []


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from limner.blobs.disk import DiskBlobs

real = os.fsync
def die(descriptor):
    os.kill(os.getpid(), signal.SIGKILL)
os.fsync = die
asyncio.run(DiskBlobs(Path(sys.argv[1])).put("images/1/original.png", bytes(3_000_000), "image/png"))
"""


async def test_a_writer_killed_before_its_bytes_are_durable_leaves_nothing_visible(tmp_path: Path) -> None:
    assert run_python(KILLED, str(tmp_path)).returncode == -signal.SIGKILL
    [left] = (tmp_path / UNFINISHED).iterdir()
    os.utime(left, times=(0, 0))

    blobs = DiskBlobs(tmp_path)

    assert [info async for info in blobs.keys("")] == []
    with pytest.raises(BlobMissing):
        await blobs.get("images/1/original.png")
    assert list((tmp_path / UNFINISHED).iterdir()) == []


WRITING = """
import asyncio, os, sys
from pathlib import Path
from limner.blobs.disk import DiskBlobs

real = os.fsync
def wait_for_the_other(descriptor):
    os.fsync = real
    print("writing", flush=True)
    sys.stdin.readline()
    real(descriptor)
os.fsync = wait_for_the_other
asyncio.run(DiskBlobs(Path(sys.argv[1])).put("images/1/original.png", b"whole", "image/png"))
"""


async def test_opening_the_store_spares_what_another_process_is_writing(tmp_path: Path) -> None:
    with start_python(WRITING, str(tmp_path)) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "writing\n"
        DiskBlobs(tmp_path)
        writer.communicate("go on\n", timeout=20)
    assert writer.returncode == 0
    assert await DiskBlobs(tmp_path).get("images/1/original.png") == b"whole"


@pytest.mark.parametrize("form", ["{}", "file://{}"])
async def test_a_directory_is_opened_by_path_or_file_url(tmp_path: Path, form: str) -> None:
    root = tmp_path / "with space"
    url = form.format(str(root).replace(" ", "%20") if "file" in form else root)
    await open_blobs(url).put(KEY, b"x", "image/png")
    assert await DiskBlobs(root).get(KEY) == b"x"


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [("ftp://host/x", None), ("file://host/x", None), ("/somewhere", "http://127.0.0.1:1")],
)
def test_a_url_that_is_no_store_is_refused(url: str, endpoint: str | None) -> None:
    with pytest.raises(ValueError, match=r"store|host|endpoint"):
        open_blobs(url, endpoint=endpoint)


def test_a_directory_that_cannot_be_made_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        open_blobs(str(tmp_path / "file" / "blobs"))
