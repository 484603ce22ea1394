"""What every blob store does; the stores differ only in where the bytes end up."""

import asyncio
import hashlib
import os
from datetime import UTC, datetime, timedelta

import pytest

from limner.blobs.base import BlobMissing, Blobs

KEY = "images/0190aaaa/original.png"
MIB = 1024 * 1024


async def collected(blobs: Blobs, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in blobs.stream(key, start, end)])


async def listed(blobs: Blobs, prefix: str) -> dict[str, int]:
    return {info.key: info.size_bytes async for info in blobs.keys(prefix)}


@pytest.mark.parametrize("size", [0, 1, 70_000, 9 * MIB + 17])
async def test_what_was_put_comes_back_untouched(blobs: Blobs, size: int) -> None:
    data = os.urandom(size)
    await blobs.put(KEY, data, "image/png")
    assert await blobs.get(KEY) == data
    assert await collected(blobs, KEY) == data
    assert await blobs.size_bytes(KEY) == size


async def test_a_second_put_replaces_the_first(blobs: Blobs) -> None:
    await blobs.put(KEY, b"first, and longer", "image/png")
    await blobs.put(KEY, b"second", "image/png")
    assert await blobs.get(KEY) == b"second"
    assert await listed(blobs, "") == {KEY: 6}


async def test_a_key_without_bytes_is_missing_everywhere(blobs: Blobs) -> None:
    await blobs.put(KEY, b"x", "image/png")
    for key in ("images/0190bbbb/original.png", "images/0190aaaa", "images", f"{KEY}/deeper"):
        with pytest.raises(BlobMissing):
            await blobs.get(key)
        with pytest.raises(BlobMissing):
            await collected(blobs, key)
        with pytest.raises(BlobMissing):
            await collected(blobs, key, 3, 5)
        assert await blobs.size_bytes(key) is None
        assert blobs.path(key) is None


async def test_deleting_twice_is_deleting_once(blobs: Blobs) -> None:
    await blobs.put(KEY, b"x", "image/png")
    await blobs.put("images/0190aaaa/preview.webp", b"y", "image/webp")
    await blobs.delete(KEY)
    await blobs.delete(KEY)
    await blobs.delete("never/was/there.png")
    with pytest.raises(BlobMissing):
        await blobs.get(KEY)
    assert await blobs.get("images/0190aaaa/preview.webp") == b"y"


async def test_a_deleted_key_can_be_written_again(blobs: Blobs) -> None:
    for data in (b"one", b"two"):
        await blobs.put(KEY, data, "image/png")
        assert await blobs.get(KEY) == data
        await blobs.delete(KEY)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../secret",
        "images/../../secret",
        "images/./x.png",
        "images//x.png",
        "images/x.png/",
        "images/..",
        "images\\..\\secret",
        "images/x.png\x00",
        "images/x.png\n",
        "images/ü.png",
        "images/a b.png",
        "images/%2e%2e/secret",
        "~unfinished/x",
        "~",
        "x" * 201,
        "/".join(["abcdefgh"] * 80),
    ],
)
async def test_a_key_that_is_not_plain_segments_is_refused(blobs: Blobs, key: str) -> None:
    with pytest.raises(ValueError, match="not a blob key"):
        await blobs.put(key, b"x", "image/png")
    with pytest.raises(ValueError, match="not a blob key"):
        await blobs.get(key)
    with pytest.raises(ValueError, match="not a blob key"):
        await collected(blobs, key)
    with pytest.raises(ValueError, match="not a blob key"):
        await blobs.size_bytes(key)
    with pytest.raises(ValueError, match="not a blob key"):
        await blobs.delete(key)
    with pytest.raises(ValueError, match="not a blob key"):
        blobs.path(key)
    assert await listed(blobs, "") == {}


async def test_listing_goes_by_the_beginning_of_keys(blobs: Blobs) -> None:
    stored = {
        "images/1/original.png": 1,
        "images/1/preview.webp": 2,
        "images/10/original.png": 3,
        "uploads/1/original.png": 4,
    }
    for key, size in stored.items():
        await blobs.put(key, b"x" * size, "image/png")
    for prefix in (
        "",
        "i",
        "images",
        "images/",
        "images/1",
        "images/1/",
        "images/1/or",
        "images/2",
        "images/1/original.png",
    ):
        assert await listed(blobs, prefix) == {k: v for k, v in stored.items() if k.startswith(prefix)}
    for prefix in ("../images", "/", "images//", "images/../uploads/", "i*"):
        with pytest.raises(ValueError, match="not a blob key"):
            await listed(blobs, prefix)


async def test_a_listed_blob_says_when_it_was_written(blobs: Blobs) -> None:
    await blobs.put(KEY, b"x", "image/png")
    [info] = [info async for info in blobs.keys("images")]
    assert abs(info.modified_at - datetime.now(UTC)) < timedelta(minutes=5)


async def test_more_keys_than_one_page_are_all_listed(blobs: Blobs) -> None:
    keys = [f"images/{number}/original.png" for number in range(1_203)]
    for start in range(0, len(keys), 50):
        await asyncio.gather(*(blobs.put(key, b"x", "image/png") for key in keys[start : start + 50]))
    assert set(await listed(blobs, "images")) == set(keys)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (0, None),
        (0, 1),
        (1, None),
        (5, 5),
        (MIB - 1, MIB + 1),
        (100, 5 * MIB),
        (0, 99 * MIB),
        (6 * MIB, None),
        (7 * MIB, 8 * MIB),
    ],
)
async def test_a_range_is_exactly_that_part_of_the_bytes(blobs: Blobs, start: int, end: int | None) -> None:
    data = os.urandom(6 * MIB)
    await blobs.put(KEY, data, "image/png")
    assert await collected(blobs, KEY, start, end) == data[start:end]


async def test_large_blobs_are_streamed_in_large_pieces(blobs: Blobs) -> None:
    await blobs.put(KEY, bytes(6 * MIB), "image/png")
    *pieces, _ = [len(piece) async for piece in blobs.stream(KEY)]
    assert pieces
    assert min(pieces) >= 64 * 1024
    assert max(pieces) <= 4 * MIB


async def test_a_reader_never_sees_two_values_mixed(blobs: Blobs) -> None:
    await blobs.put(KEY, b"a" * 6 * MIB, "image/png")
    pieces = blobs.stream(KEY)
    first = await anext(pieces)
    await blobs.put(KEY, b"b" * 6 * MIB, "image/png")
    try:
        whole = first + b"".join([piece async for piece in pieces])
    except OSError:
        return  # it may say that the value changed
    assert whole == b"a" * 6 * MIB


async def test_concurrent_puts_to_one_key_leave_one_whole_value(blobs: Blobs) -> None:
    values = [bytes([letter]) * (300_000 + letter) for letter in range(24)]
    await asyncio.gather(*(blobs.put(KEY, value, "image/png") for value in values))
    digests = {hashlib.sha256(value).digest() for value in values}
    assert hashlib.sha256(await blobs.get(KEY)).digest() in digests
    assert list(await listed(blobs, "")) == [KEY]


async def test_puts_and_deletes_at_once_disturb_nobody(blobs: Blobs) -> None:
    async def come_and_go(number: int) -> None:
        key = f"images/shared/{number}.png"
        for _ in range(20):
            await blobs.put(key, bytes([number]), "image/png")
            assert await blobs.get(key) == bytes([number])
            await blobs.delete(key)

    await asyncio.gather(*(come_and_go(number) for number in range(8)))
    assert await listed(blobs, "") == {}


async def test_a_working_store_passes_its_check_and_keeps_nothing_of_it(blobs: Blobs) -> None:
    await blobs.check()
    assert await listed(blobs, "") == {}
