"""Which bytes a picture is delivered as: the original untouched, or a smaller or other form made once and kept."""

import asyncio
from dataclasses import dataclass

from limner.blobs.base import BlobMissing, Blobs
from limner.images.content_credentials import Signer
from limner.images.generations import Generation
from limner.images.picture_pool import PicturePool
from limner.images.pictures import EXTENSIONS
from limner.images.provenance import source_of
from limner.images.renditions import check_form

MEDIA_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class PictureFile:
    """Bytes in the blob store and what to say about them; `tag` changes whenever they would."""

    key: str
    media_type: str
    size_bytes: int
    tag: str


class PictureDelivery:
    def __init__(self, blobs: Blobs, pool: PicturePool, signer: Signer | None = None) -> None:
        self._blobs = blobs
        self._pool = pool
        self._signer = signer

    async def file(self, row: Generation, *, width: int | None = None, form: str | None = None) -> PictureFile:
        """The picture of a succeeded generation, at most `width` pixels wide, as `form` (png, jpeg, webp).

        InvalidRequest for a width or form that is not offered, BlobMissing when the bytes are gone.
        """
        assert row.blob_key is not None
        assert row.media_type is not None
        assert row.size_bytes is not None
        media_type = MEDIA_TYPES.get(form, form) if form is not None else None
        check_form(width, media_type)
        if (width is None or width >= (row.width or 0)) and media_type in (None, row.media_type):
            return PictureFile(row.blob_key, row.media_type, row.size_bytes, f"{row.sha256}")
        return await self._variant(row, width, media_type or row.media_type)

    async def _variant(self, row: Generation, width: int | None, media_type: str) -> PictureFile:
        name = f"{width or 'full'}.{EXTENSIONS[media_type]}"
        key = f"images/{row.id}/variants/{name}"
        size_bytes = await self._blobs.size_bytes(key) or await self._make(row, width, media_type, key)
        return PictureFile(key, media_type, size_bytes, f"{row.sha256}-{name}")

    async def _make(self, row: Generation, width: int | None, media_type: str, key: str) -> int:
        assert row.blob_key is not None
        original = await self._blobs.get(row.blob_key)
        made = await self._pool.variant(original, source_of(row.provider_id), width=width, media_type=media_type)
        data = await self._signed(made.data, media_type, original, row.media_type or "")
        await self._blobs.put(key, data, media_type)
        if await self._blobs.size_bytes(row.blob_key) is None:  # deleted meanwhile: leave nothing behind
            await self._blobs.delete(key)
            raise BlobMissing(row.blob_key)
        return len(data)

    async def _signed(self, data: bytes, media_type: str, original: bytes, original_media_type: str) -> bytes:
        if self._signer is None:
            return data
        return await asyncio.to_thread(self._signer.changed, data, media_type, original, original_media_type)
