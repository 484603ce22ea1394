"""What callers point at: resolved for them alone, checked before anything is fetched, never more than fits."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.images.samples import encoded, noise, photo, pixel_bomb
from tests.peers.https import Authority, Peer, Request, response

from limner.accounts import accounts
from limner.accounts.principal import DEFAULT_SCOPES, Principal
from limner.blobs.base import Blobs
from limner.blobs.open import open_blobs
from limner.db.base import Database, Transaction
from limner.db.types import new_id
from limner.errors import InvalidRequest, NotFound, PayloadTooLarge, ServiceError, UnsupportedMedia
from limner.fetching.fetcher import Fetcher
from limner.images import calls, generations, transitions
from limner.images.calls import Call
from limner.images.generations import Generation, Outcome
from limner.images.links import ImageLinks
from limner.images.picture_pool import PicturePool
from limner.images.pictures import NotAPicture
from limner.images.references import MAX_TOTAL_BYTES, PictureReferences
from limner.images.requests import NewImages, Reference
from limner.images.secrets import from_texts
from limner.images.uploads import MAX_BYTES, Uploads
from limner.providers.base import InputImage

PNG = encoded(photo(40, 30))
OTHER = encoded(photo(40, 30, seed=7), "JPEG")
SMALLER = encoded(photo(20, 15))
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass(slots=True)
class Desk:
    database: Database
    blobs: Blobs
    references: PictureReferences
    uploads: Uploads
    links: ImageLinks
    peer: Peer
    ada: str
    bob: str

    def url(self, path: str = "/picture.png") -> str:
        return f"https://files.test:{self.peer.port}{path}"

    async def resolve(self, *images: Reference, mask: Reference | None = None) -> tuple[InputImage, ...]:
        found, _ = await self.references.resolve(self.ada, NewImages("x", images=images, mask=mask))
        return found

    async def image(self, account_id: str, data: bytes = PNG, *, status: str = "succeeded") -> Generation:
        """A generation as the runner leaves it."""
        call = Call(new_id(), account_id, "key", "digest", None, NOW)
        row = Generation(
            id=new_id(), call_id=call.id, position=0, account_id=account_id, api_key_id=None, connection_id=None,
            status="queued", operation="generate", prompt="x", style=None, model_id="limner:sketch",
            provider_id="limner", options={}, inputs=None, credits=1, warnings=(), error=None, created_at=NOW,
            deadline_at=NOW,
        )  # fmt: skip
        key = f"images/{row.id}/original-lease.png"
        outcome = Outcome(key, "image/png", 40, 30, len(data), "digest", "sketch")

        def write(tx: Transaction) -> None:
            calls.add(tx, call, waiter=None, wait_name=None)
            generations.add(tx, row)
            transitions.claim(tx, row.id, "lease", now=NOW, until=NOW + timedelta(minutes=1), deadline_at=NOW)
            if status == "succeeded":
                transitions.succeed(tx, row.id, "lease", outcome, NOW)
            elif status == "failed":
                transitions.fail(tx, row.id, "lease", {"code": "no_image"}, NOW)

        await self.blobs.put(key, data, "image/png")
        await self.database.write(write)
        found = await self.database.read(lambda tx: generations.find(tx, row.id))
        assert found
        return found

    async def upload(self, account_id: str, data: bytes = PNG) -> str:
        upload = await self.uploads.create(maker(account_id), "image/png")
        await self.uploads.receive(upload.id, body(data))
        return upload.id


def maker(account_id: str) -> Principal:
    return Principal(account_id, "key", DEFAULT_SCOPES)


async def body(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def resolve_name(host: str, port: int) -> list[str]:
    return ["127.0.0.1"] if host == "files.test" else ["10.0.0.1"]


@pytest.fixture
async def desk(database: Database, tmp_path: Path, authority: Authority, peer: Peer) -> AsyncIterator[Desk]:
    ada, _ = await database.write(lambda tx: accounts.create(tx, "ada@example.com", NOW))
    bob, _ = await database.write(lambda tx: accounts.create(tx, "bob@example.com", NOW))
    pool, blobs = PicturePool(), open_blobs(str(tmp_path / "blobs"))
    fetcher = Fetcher(allow=["127.0.0.1/32"], ports=[peer.port], ssl_context=authority.client, resolve=resolve_name)
    uploads = Uploads(database=database, blobs=blobs, pool=pool, clock=lambda: NOW)
    links = ImageLinks(public_url="http://127.0.0.1:8000", secrets=lambda: from_texts(["secret"]), clock=lambda: NOW)
    references = PictureReferences(
        database=database, blobs=blobs, uploads=uploads, fetcher=fetcher, pool=pool, links=links
    )
    yield Desk(database, blobs, references, uploads, links, peer, ada, bob)
    pool.close()


def details(error: ServiceError) -> list[tuple[str, str]]:
    return [(detail.path, detail.code) for detail in error.details]


async def test_every_kind_of_reference_becomes_its_picture(desk: Desk) -> None:
    desk.peer.answer = response(PNG, content_type="application/octet-stream")
    image = await desk.image(desk.ada)
    asked = (
        image.id,
        image.id.upper(),
        desk.links.sign(image).url,
        await desk.upload(desk.ada),
        desk.url(),
        PNG,
    )
    found = await desk.resolve(*asked)
    assert found == (InputImage(PNG, "image/png", 40, 30),) * len(asked)


async def test_images_come_before_references_and_the_mask_stands_alone(desk: Desk) -> None:
    new = NewImages("x", images=(PNG,), references=(OTHER, SMALLER), mask=PNG)
    images, mask = await desk.references.resolve(desk.ada, new)
    assert [image.data for image in images] == [PNG, OTHER, SMALLER]
    assert mask == InputImage(PNG, "image/png", 40, 30)
    assert await desk.references.resolve(desk.ada, NewImages("x")) == ((), None)


async def test_another_accounts_pictures_are_as_unknown_as_no_pictures(desk: Desk) -> None:
    hers, sent = await desk.image(desk.bob), await desk.upload(desk.bob)
    seen = set()
    for reference in (hers.id, sent, new_id()):
        with pytest.raises(NotFound) as refused:
            await desk.resolve(PNG, reference)
        seen.add((str(refused.value), tuple(details(refused.value))))
    assert seen == {("not_found: There is no image or upload with that id.", (("images.1", "not_found"),))}


async def test_a_picture_that_is_not_there_yet_or_never_will_be_is_said(desk: Desk) -> None:
    running, failed = await desk.image(desk.ada, status="running"), await desk.image(desk.ada, status="failed")
    empty = await desk.uploads.create(maker(desk.ada), "image/png")
    for reference, code in ((running.id, "not_ready"), (failed.id, "no_picture"), (empty.id, "nothing_sent")):
        with pytest.raises(InvalidRequest) as refused:
            await desk.resolve(reference)
        assert details(refused.value) == [("images.0", code)]


async def test_a_deleted_picture_is_unknown_by_its_id_and_by_its_link(desk: Desk) -> None:
    image = await desk.image(desk.ada)
    link = desk.links.sign(image).url
    await desk.database.write(lambda tx: generations.bury(tx, image, NOW))
    for reference in (image.id, link):
        with pytest.raises(NotFound):
            await desk.resolve(reference)


async def test_a_picture_whose_bytes_are_gone_is_unknown(desk: Desk) -> None:
    image = await desk.image(desk.ada)
    await desk.blobs.delete(image.blob_key or "")
    with pytest.raises(NotFound) as refused:
        await desk.resolve(image.id)
    assert details(refused.value) == [("images.0", "not_found")]


async def test_a_link_whose_signature_does_not_hold_is_just_a_url(desk: Desk) -> None:
    url = desk.links.sign(await desk.image(desk.ada)).url
    with pytest.raises(InvalidRequest) as refused:
        await desk.resolve(url[:-1] + "x")
    assert details(refused.value) == [("images.0", "url_not_allowed")]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("", "invalid_reference"),
        ("a red boat", "invalid_reference"),
        ("../../etc/passwd", "invalid_reference"),
        ("data:image/png;base64,AAAA", "invalid_reference"),
        ("http://files.test/picture.png", "url_not_allowed"),
        ("https://files.test:22/picture.png", "url_not_allowed"),
        ("https://user@files.test/picture.png", "url_not_allowed"),
        ("file:///etc/passwd", "url_not_allowed"),
    ],
)
async def test_nothing_is_fetched_for_a_request_that_is_wrong(desk: Desk, wrong: str, code: str) -> None:
    desk.peer.answer = response(PNG)
    with pytest.raises(InvalidRequest) as refused:
        await desk.resolve(desk.url(), desk.url(), wrong)
    assert details(refused.value) == [("images.2", code)]
    assert desk.peer.server_names == []


@pytest.mark.parametrize("wrong", [b"GIF89a", b"", pixel_bomb()], ids=["gif", "empty", "bomb"])
async def test_bytes_that_are_no_picture_are_refused_before_a_url_is_fetched(desk: Desk, wrong: bytes) -> None:
    desk.peer.answer = response(PNG)
    with pytest.raises(NotAPicture) as refused:
        await desk.resolve(desk.url(), wrong)
    assert details(refused.value) == [("images.1", "unsupported_media")]
    assert desk.peer.server_names == []


async def test_a_picture_that_breaks_off_is_refused_wherever_it_comes_from(desk: Desk) -> None:
    broken = encoded(noise(64, 64))[:3_000]
    desk.peer.answer = response(broken, content_type="image/png")
    for reference in (broken, desk.url()):
        with pytest.raises(NotAPicture, match="broken") as refused:
            await desk.resolve(PNG, reference)
        assert details(refused.value) == [("images.1", "unsupported_media")]


async def test_a_page_instead_of_a_picture_is_refused_by_what_it_says_and_by_what_it_is(desk: Desk) -> None:
    for claimed in ("text/html", "image/png"):
        desk.peer.answer = response(b"<!doctype html><title>Sign in</title>", content_type=claimed)
        with pytest.raises(UnsupportedMedia) as refused:
            await desk.resolve(desk.url())
        assert details(refused.value) == [("images.0", "unsupported_media")]


async def test_a_url_that_leads_inside_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await desk.resolve(f"https://intranet.test:{desk.peer.port}/x.png")
    assert details(refused.value) == [("images.0", "url_not_allowed")]


async def test_a_picture_may_be_large_but_not_too_large(desk: Desk) -> None:
    with pytest.raises(PayloadTooLarge) as refused:
        await desk.resolve(PNG, PNG + bytes(MAX_BYTES))
    assert details(refused.value) == [("images.1", "payload_too_large")]
    desk.peer.answer = response(PNG, content_length=str(MAX_BYTES + 1))
    with pytest.raises(PayloadTooLarge):
        await desk.resolve(desk.url())


async def test_all_pictures_of_a_call_together_have_a_limit(desk: Desk) -> None:
    large = PNG + bytes(MAX_TOTAL_BYTES // 4)
    assert len(await desk.resolve(large, large, large)) == 3
    with pytest.raises(PayloadTooLarge, match="together"):
        await desk.resolve(large, large, large, large)


async def test_a_mask_has_the_size_of_the_first_picture(desk: Desk) -> None:
    desk.peer.answer = response(SMALLER)
    image = await desk.image(desk.ada)
    assert len(await desk.resolve(image.id, SMALLER, mask=PNG)) == 2
    for mask in (SMALLER, await desk.upload(desk.ada, SMALLER), desk.url()):
        with pytest.raises(InvalidRequest, match="20x15 and the first picture 40x30") as refused:
            await desk.resolve(image.id, SMALLER, mask=mask)
        assert details(refused.value) == [("mask", "mask_size")]


async def test_a_mask_that_cannot_fit_is_refused_before_anything_is_fetched(desk: Desk) -> None:
    with pytest.raises(InvalidRequest):
        await desk.resolve(PNG, desk.url(), mask=SMALLER)
    with pytest.raises(InvalidRequest) as refused:
        await desk.resolve(mask=PNG)
    assert details(refused.value) == [("mask", "mask_alone")]
    assert desk.peer.server_names == []


async def test_the_first_failure_ends_the_other_fetches(desk: Desk) -> None:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        if "missing" in request.line:
            await response(status="404 Not Found")(request, writer)
        else:
            await asyncio.Event().wait()

    desk.peer.answer = answer
    with pytest.raises(InvalidRequest, match="status 404") as refused:
        await desk.resolve(desk.url("/slow"), desk.url("/missing"), desk.url("/slow"))
    assert details(refused.value) == [("images.1", "url_unreachable")]


async def test_many_urls_come_back_in_their_order(desk: Desk) -> None:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        number = int(request.line.split()[1].removeprefix("/"))
        await response(encoded(photo(10 + number, 10)))(request, writer)

    desk.peer.answer = answer
    found = await desk.resolve(*(desk.url(f"/{number}") for number in range(16)))
    assert [image.width for image in found] == list(range(10, 26))
