"""Pictures that users send: once, in time, whole, and for themselves alone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.images.samples import encoded, noise, photo, pixel_bomb

from limner.accounts import accounts
from limner.accounts.principal import DEFAULT_SCOPES, Principal
from limner.blobs.base import Blobs
from limner.blobs.open import open_blobs
from limner.db.base import Database
from limner.db.types import new_id
from limner.errors import AccountSuspended, InsufficientScope, NotFound, PayloadTooLarge, UnsupportedMedia, UploadUsed
from limner.images.picture_pool import PicturePool
from limner.images.pictures import NotAPicture, sha256
from limner.images.uploads import MAX_BYTES, TIME_TO_SEND, TIME_TO_USE, Uploads

PNG = encoded(photo(40, 30, alpha=True))


@dataclass(slots=True)
class Desk:
    """Uploads on real parts, and the time there, which a test can move."""

    database: Database
    blobs: Blobs
    pool: PicturePool
    ada: str
    bob: str
    now: datetime

    @property
    def uploads(self) -> Uploads:
        return Uploads(database=self.database, blobs=self.blobs, pool=self.pool, clock=lambda: self.now)

    async def stored(self) -> list[str]:
        return [info.key async for info in self.blobs.keys("uploads")]


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> AsyncIterator[Desk]:
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    ada, _ = await database.write(lambda tx: accounts.create(tx, "ada@example.com", now))
    bob, _ = await database.write(lambda tx: accounts.create(tx, "bob@example.com", now))
    desk = Desk(database, open_blobs(str(tmp_path / "blobs")), PicturePool(), ada, bob, now)
    yield desk
    desk.pool.close()


def maker(account_id: str) -> Principal:
    return Principal(account_id, "key", DEFAULT_SCOPES)


async def body(data: bytes, piece: int = 1_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), piece):
        yield data[start : start + piece]


async def test_what_is_sent_is_kept_untouched_and_described_from_its_bytes(desk: Desk) -> None:
    upload = await desk.uploads.create(maker(desk.ada), "image/jpeg")
    assert upload.expires_at == desk.now + TIME_TO_SEND
    assert upload.used_at is upload.blob_key is None

    received = await desk.uploads.receive(upload.id, body(PNG))

    assert (received.media_type, received.width, received.height) == ("image/png", 40, 30)
    assert (received.size_bytes, received.sha256) == (len(PNG), sha256(PNG))
    assert received.declared_media_type == "image/jpeg"
    assert received.expires_at == desk.now + TIME_TO_USE
    assert await desk.uploads.find(desk.ada, upload.id) == received
    image = await desk.uploads.load(received)
    assert image
    assert (image.data, image.media_type, image.width, image.height) == (PNG, "image/png", 40, 30)
    [key] = await desk.stored()
    assert key.startswith(f"uploads/{upload.id}/")
    assert key.endswith("/original.png")


async def test_a_link_takes_one_picture_once(desk: Desk) -> None:
    upload = await desk.uploads.create(maker(desk.ada), "image/png")
    await desk.uploads.receive(upload.id, body(PNG))
    with pytest.raises(UploadUsed):
        await desk.uploads.receive(upload.id, body(encoded(photo(9, 9))))
    found = await desk.uploads.find(desk.ada, upload.id)
    assert found
    assert found.width == 40


async def test_of_many_who_send_at_once_one_wins_and_the_others_leave_nothing(desk: Desk) -> None:
    upload = await desk.uploads.create(maker(desk.ada), "image/png")
    pictures = [encoded(photo(10 + number, 10)) for number in range(8)]
    results = await asyncio.gather(
        *(desk.uploads.receive(upload.id, body(data)) for data in pictures), return_exceptions=True
    )
    [winner] = [each for each in results if not isinstance(each, BaseException)]
    assert sum(isinstance(each, UploadUsed) for each in results) == 7
    assert await desk.stored() == [winner.blob_key]
    image = await desk.uploads.load(winner)
    assert image
    assert sha256(image.data) == winner.sha256


async def test_another_account_sees_no_more_than_of_an_unknown_id(desk: Desk) -> None:
    upload = await desk.uploads.create(maker(desk.ada), "image/png")
    await desk.uploads.receive(upload.id, body(PNG))
    assert await desk.uploads.find(desk.bob, upload.id) is None
    assert await desk.uploads.find(desk.bob, new_id()) is None


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        (b"", NotAPicture),
        (b"GIF89a and so on", NotAPicture),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", NotAPicture),
        (pixel_bomb(), NotAPicture),
        (encoded(noise(64, 64))[:2_000], NotAPicture),
        (bytes(MAX_BYTES + 1), PayloadTooLarge),
    ],
    ids=["empty", "gif", "svg", "bomb", "cut off", "too large"],
)
async def test_what_is_refused_leaves_nothing_and_the_link_is_still_good(
    desk: Desk, data: bytes, failure: type[Exception]
) -> None:
    upload = await desk.uploads.create(maker(desk.ada), "image/png")
    with pytest.raises(failure):
        await desk.uploads.receive(upload.id, body(data, 100_000))
    assert await desk.stored() == []
    assert (await desk.uploads.receive(upload.id, body(PNG))).width == 40


async def test_an_endless_body_is_read_no_further_than_the_limit(desk: Desk) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1_000_000
            yield bytes(1_000_000)

    upload = await desk.uploads.create(maker(desk.ada), "image/png")
    with pytest.raises(PayloadTooLarge, match="20,000,000 bytes"):
        await desk.uploads.receive(upload.id, endless())
    assert sent == MAX_BYTES + 1_000_000


async def test_a_sender_who_hangs_up_has_sent_nothing(desk: Desk) -> None:
    async def broken_off() -> AsyncIterator[bytes]:
        yield PNG[:500]
        raise ConnectionError

    upload = await desk.uploads.create(maker(desk.ada), "image/png")
    with pytest.raises(ConnectionError):
        await desk.uploads.receive(upload.id, broken_off())
    assert (await desk.uploads.receive(upload.id, body(PNG))).width == 40


async def test_after_its_time_a_link_is_as_if_it_had_never_been(desk: Desk) -> None:
    upload = await desk.uploads.create(maker(desk.ada), "image/png")
    desk.now += TIME_TO_SEND
    with pytest.raises(NotFound):
        await desk.uploads.receive(upload.id, body(PNG))
    with pytest.raises(NotFound):
        await desk.uploads.receive(new_id(), body(PNG))
    assert await desk.uploads.find(desk.ada, upload.id) is None
    assert await desk.stored() == []


async def test_a_body_that_arrives_too_late_is_not_kept(desk: Desk) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield PNG[:500]
        desk.now += TIME_TO_SEND
        yield PNG[500:]

    upload = await desk.uploads.create(maker(desk.ada), "image/png")
    with pytest.raises(NotFound):
        await desk.uploads.receive(upload.id, slowly())
    assert await desk.stored() == []


async def test_a_picture_that_was_sent_can_be_used_for_a_day(desk: Desk) -> None:
    upload = await desk.uploads.create(maker(desk.ada), "image/png")
    await desk.uploads.receive(upload.id, body(PNG))
    desk.now += TIME_TO_USE - timedelta(seconds=1)
    assert await desk.uploads.find(desk.ada, upload.id)
    desk.now += timedelta(seconds=1)
    assert await desk.uploads.find(desk.ada, upload.id) is None


async def test_the_sweep_takes_what_has_expired_and_nothing_else(desk: Desk) -> None:
    old = [await desk.uploads.create(maker(desk.ada), "image/png") for _ in range(103)]
    await desk.uploads.receive(old[0].id, body(PNG))
    desk.now += TIME_TO_SEND
    assert await desk.uploads.sweep() == 102
    young = await desk.uploads.create(maker(desk.ada), "image/png")
    await desk.uploads.receive(young.id, body(PNG))
    desk.now += TIME_TO_USE - TIME_TO_SEND
    assert await desk.uploads.sweep() == 1
    assert [key.split("/")[1] for key in await desk.stored()] == [young.id]
    assert await desk.uploads.sweep() == 0


async def test_only_the_types_we_take_can_be_announced(desk: Desk) -> None:
    for media_type in ("image/gif", "image/svg+xml", "application/pdf", ""):
        with pytest.raises(UnsupportedMedia, match="image/png, image/jpeg, image/webp"):
            await desk.uploads.create(maker(desk.ada), media_type)


async def test_a_picture_whose_bytes_are_gone_is_nothing(desk: Desk) -> None:
    upload = await desk.uploads.create(maker(desk.ada), "image/png")
    assert await desk.uploads.load(upload) is None
    received = await desk.uploads.receive(upload.id, body(PNG))
    await desk.blobs.delete(received.blob_key or "")
    assert await desk.uploads.load(received) is None


async def test_only_those_who_may_make_pictures_may_send_some(desk: Desk) -> None:
    reader = Principal(desk.ada, "key", frozenset({"images:read"}))
    with pytest.raises(InsufficientScope):
        await desk.uploads.create(reader, "image/png")
    suspended = Principal(desk.ada, "key", DEFAULT_SCOPES, suspended_reason="unpaid")
    with pytest.raises(AccountSuspended):
        await desk.uploads.create(suspended, "image/png")
