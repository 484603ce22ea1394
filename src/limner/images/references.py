"""What callers point at, as checked pictures: image ids, upload ids, links to our own images, https URLs, bytes.

Everything that can be refused without fetching is refused first, and nothing is fetched for a request that is wrong.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from limner.blobs.base import BlobMissing, Blobs
from limner.db.base import Database
from limner.errors import Detail, InvalidRequest, NotFound, PayloadTooLarge
from limner.fetching.fetcher import Fetcher
from limner.images import generations
from limner.images.generations import Generation
from limner.images.links import ImageLinks
from limner.images.picture_pool import PicturePool
from limner.images.pictures import MEDIA_TYPES, NotAPicture, inspect
from limner.images.requests import NewImages, Reference
from limner.images.uploads import MAX_BYTES, Upload, Uploads
from limner.providers.base import InputImage

MAX_TOTAL_BYTES = 64_000_000
"""Of all inputs of one call together."""

_FETCHED_AT_ONCE = 4
_CLAIMED_TYPES = frozenset({*MEDIA_TYPES.values(), "image/jpg", "application/octet-stream", "binary/octet-stream", ""})
"""What a server may say it sends; what it is, the bytes say."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A reference that leads somewhere: the request's field, the size in pixels where it is known, the way to the bytes."""

    field: str
    size: tuple[int, int] | None
    load: Callable[[], Awaitable[InputImage]]


class PictureReferences:
    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        uploads: Uploads,
        fetcher: Fetcher,
        pool: PicturePool,
        links: ImageLinks,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._uploads = uploads
        self._fetcher = fetcher
        self._pool = pool
        self._links = links

    async def resolve(self, account_id: str, new: NewImages) -> tuple[tuple[InputImage, ...], InputImage | None]:
        """The inputs of a request, images before references, and its mask, which has the first input's size.

        InvalidRequest, NotFound, PayloadTooLarge and UnsupportedMedia, each with the field it is about.
        """
        found = [await self._find(account_id, field, reference) for field, reference in _fields(new)]
        _check_mask(new, [each.size for each in found])
        images = await _loaded(found)
        _check_mask(new, [(image.width, image.height) for image in images])
        return (images[:-1], images[-1]) if new.mask is not None else (images, None)

    async def _find(self, account_id: str, field: str, reference: Reference) -> _Found:
        if isinstance(reference, bytes):
            return self._sent(field, reference)
        if (linked := self._links.generation_id(reference)) is not None:
            return self._made(field, await self._database.read(lambda tx: generations.find(tx, linked)))
        if "://" in reference:
            self._fetcher.check_form(reference, field=field)
            return _Found(field, None, partial(self._fetch, field, reference))
        return await self._own(account_id, field, _id(field, reference))

    async def _own(self, account_id: str, field: str, own_id: str) -> _Found:
        upload = await self._uploads.find(account_id, own_id)
        if upload is not None:
            return self._uploaded(field, upload)
        return self._made(
            field, await self._database.read(lambda tx: generations.get(tx, own_id, account_id=account_id))
        )

    def _made(self, field: str, row: Generation | None) -> _Found:
        if row is None or row.deleted_at is not None:
            raise _missing(field)
        if not row.has_ended:
            message = f"The image {row.id} is still being made."
            raise _invalid(field, message, "not_ready", next_step="Wait for it with get_image; then send this again.")
        if row.blob_key is None or row.media_type is None or row.width is None or row.height is None:
            raise _invalid(field, f"There is no picture behind {row.id}: it {row.status}.", "no_picture")
        load = partial(self._stored, field, row.blob_key, row.media_type, row.width, row.height)
        return _Found(field, (row.width, row.height), load)

    def _uploaded(self, field: str, upload: Upload) -> _Found:
        if upload.blob_key is None or upload.media_type is None or upload.width is None or upload.height is None:
            message = f"Nothing was sent to the upload {upload.id} yet."
            raise _invalid(field, message, "nothing_sent", next_step="Send the picture to its uploadUrl first.")
        load = partial(self._stored, field, upload.blob_key, upload.media_type, upload.width, upload.height)
        return _Found(field, (upload.width, upload.height), load)

    def _sent(self, field: str, data: bytes) -> _Found:
        if len(data) > MAX_BYTES:
            raise _too_large(field, f"A picture is at most {MAX_BYTES:,} bytes.")
        with _named(field):
            picture = inspect(data)
        return _Found(field, (picture.width, picture.height), partial(self._checked, field, data))

    async def _stored(self, field: str, key: str, media_type: str, width: int, height: int) -> InputImage:
        try:
            return InputImage(await self._blobs.get(key), media_type, width, height)
        except BlobMissing:
            raise _missing(field) from None

    async def _fetch(self, field: str, url: str) -> InputImage:
        fetched = await self._fetcher.fetch(url, max_bytes=MAX_BYTES, media_types=_CLAIMED_TYPES, field=field)
        return await self._checked(field, fetched.data)

    async def _checked(self, field: str, data: bytes) -> InputImage:
        with _named(field):
            picture = await self._pool.decode_check(data)
        return InputImage(data, picture.media_type, picture.width, picture.height)


def _fields(new: NewImages) -> list[tuple[str, Reference]]:
    return [
        *((f"images.{index}", each) for index, each in enumerate(new.images)),
        *((f"references.{index}", each) for index, each in enumerate(new.references)),
        *([("mask", new.mask)] if new.mask is not None else []),
    ]


def _id(field: str, text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        message = f"{field} is neither an image id, an upload id nor an https URL."
        raise _invalid(field, message, "invalid_reference") from None


def _check_mask(new: NewImages, sizes: list[tuple[int, int] | None]) -> None:
    """Sizes that are not known yet are compared once they are."""
    if new.mask is None:
        return
    if len(sizes) < 2:
        raise _invalid("mask", "A mask needs a picture to lie on.", "mask_alone")
    picture, mask = sizes[0], sizes[-1]
    if picture and mask and picture != mask:
        message = (
            f"The mask is {mask[0]}x{mask[1]} and the first picture {picture[0]}x{picture[1]}; they must be alike."
        )
        raise _invalid("mask", message, "mask_size")


async def _loaded(found: list[_Found]) -> tuple[InputImage, ...]:
    """A few at a time; the first failure ends the others."""
    places, total = asyncio.Semaphore(_FETCHED_AT_ONCE), 0

    async def load(each: _Found) -> InputImage:
        nonlocal total
        async with places:
            image = await each.load()
        total += len(image.data)
        if total > MAX_TOTAL_BYTES:
            raise _too_large(each.field, f"All pictures of a call together are at most {MAX_TOTAL_BYTES:,} bytes.")
        return image

    try:
        async with asyncio.TaskGroup() as tasks:
            loading = [tasks.create_task(load(each)) for each in found]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return tuple(task.result() for task in loading)


@contextmanager
def _named(field: str) -> Generator[None]:
    try:
        yield
    except NotAPicture as error:
        raise NotAPicture(error.message, details=[Detail(field, error.message, error.code)]) from None


def _missing(field: str) -> NotFound:
    message = "There is no image or upload with that id."
    return NotFound(message, details=[Detail(field, message, "not_found")])


def _too_large(field: str, message: str) -> PayloadTooLarge:
    return PayloadTooLarge(message, details=[Detail(field, message, "payload_too_large")])


def _invalid(field: str, message: str, code: str, *, next_step: str | None = None) -> InvalidRequest:
    return InvalidRequest(message, next_step=next_step, details=[Detail(field, message, code)])
