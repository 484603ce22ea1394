"""What callers point at, as checked pictures: an own image by id."""

import asyncio
from collections.abc import Sequence

from limner.blobs.base import Blobs
from limner.db.base import Database
from limner.db.types import Clock
from limner.errors import NotFound
from limner.fetching.fetcher import Fetcher
from limner.images import generations, pictures
from limner.images.requests import Reference
from limner.providers.base import InputImage


class PictureReferences:
    def __init__(self, *, database: Database, blobs: Blobs, fetcher: Fetcher, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs

    async def resolve(
        self, account_id: str, images: Sequence[Reference], mask: Reference | None
    ) -> tuple[tuple[InputImage, ...], InputImage | None]:
        found = [await self._one(account_id, each) for each in images]
        return tuple(found), None if mask is None else await self._one(account_id, mask)

    async def _one(self, account_id: str, reference: Reference) -> InputImage:
        data = reference if isinstance(reference, bytes) else await self._own(account_id, reference)
        picture = await asyncio.to_thread(pictures.inspect, data)
        return InputImage(data, picture.media_type, picture.width, picture.height)

    async def _own(self, account_id: str, image_id: str) -> bytes:
        row = await self._database.read(lambda tx: generations.get(tx, image_id, account_id=account_id))
        if row is None or row.blob_key is None:
            raise NotFound("There is no picture with that id.")
        return await self._blobs.get(row.blob_key)
