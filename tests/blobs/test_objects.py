"""What only an object store can get wrong: addresses, buckets, and servers that do not answer."""

import socket

import pytest
from obstore.store import S3Store
from tests.object_store import CREDENTIALS, ObjectStore
from tests.subprocesses import run_python

from limner.blobs.open import open_blobs

KEY = "images/0190aaaa/original.png"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


def bucket(s3: ObjectStore) -> S3Store:
    return S3Store("pictures", endpoint=s3.endpoint, client_options={"allow_http": True})


async def test_the_store_is_told_the_media_type(s3: ObjectStore) -> None:
    blobs = open_blobs("s3://pictures/typed", endpoint=s3.endpoint)
    await blobs.put(KEY, b"x", "image/webp")
    result = await bucket(s3).get_async(f"typed/{KEY}")
    assert result.attributes["Content-Type"] == "image/webp"


async def test_what_else_lies_in_the_bucket_is_not_listed(s3: ObjectStore) -> None:
    for path in ("shared/other.txt", "shared/limner/not ours.txt"):
        await bucket(s3).put_async(path, b"x")
    blobs = open_blobs("s3://pictures/shared/limner", endpoint=s3.endpoint)
    await blobs.put(KEY, b"x", "image/png")
    assert [info.key async for info in blobs.keys("")] == [KEY]


async def test_a_missing_bucket_is_an_os_error_that_names_the_store(s3: ObjectStore) -> None:
    blobs = open_blobs("s3://nowhere/limner", endpoint=s3.endpoint)
    with pytest.raises(OSError, match=r"The blob store s3://nowhere/limner failed: .*not found"):
        await blobs.put(KEY, b"x", "image/png")
    with pytest.raises(OSError, match="s3://nowhere/limner failed"):
        await blobs.check()


async def test_a_store_that_does_not_answer_is_an_os_error_everywhere() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # bound but not listening: refused at once
        blobs = open_blobs("s3://pictures", endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(OSError, match="s3://pictures failed"):
            await blobs.put(KEY, b"x", "image/png")
        with pytest.raises(OSError, match="s3://pictures failed"):
            await blobs.get(KEY)
        with pytest.raises(OSError, match="s3://pictures failed"):
            [_ async for _ in blobs.stream(KEY)]
        with pytest.raises(OSError, match="s3://pictures failed"):
            await blobs.size_bytes(KEY)
        with pytest.raises(OSError, match="s3://pictures failed"):
            await blobs.delete(KEY)
        with pytest.raises(OSError, match="s3://pictures failed"):
            [_ async for _ in blobs.keys("images")]
        with pytest.raises(OSError, match="s3://pictures failed"):
            await blobs.check()


@pytest.mark.parametrize("url", ["gs://pictures/limner", "az://pictures/limner"])
async def test_other_clouds_are_opened_by_their_urls(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    blobs = open_blobs(url)
    assert blobs.path(KEY) is None
    await blobs.close()


@pytest.mark.parametrize(
    ("url", "endpoint", "message"),
    [
        ("s3://", None, "names no bucket"),
        ("s3:///prefix", None, "cannot be used|names no bucket"),
        ("s3://pictures", "ftp://host", "not the http"),
        ("s3://pictures", "minio:9000", "not the http"),
        ("az://pictures", None, "Account must be specified"),
    ],
)
def test_a_store_that_cannot_be_meant_is_refused_with_a_reason(url: str, endpoint: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_blobs(url, endpoint=endpoint)


def test_a_start_on_disk_does_not_load_the_cloud_library() -> None:
    program = "import sys, limner.blobs.open; sys.exit('obstore' in sys.modules)"
    assert run_python(program).returncode == 0
