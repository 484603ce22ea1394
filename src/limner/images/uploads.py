"""Uploads: reference pictures and masks that users send; each link takes one picture once; owns the `uploads` table."""

import asyncio
from collections.abc import AsyncIterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from limner.accounts.principal import Principal
from limner.blobs.base import BlobMissing, Blobs
from limner.db.base import Database, Row, Transaction
from limner.db.types import Clock, new_id, utc, utc_or_none
from limner.errors import Detail, NotFound, PayloadTooLarge, UnsupportedMedia, UploadUsed
from limner.images.picture_pool import PicturePool
from limner.images.pictures import EXTENSIONS, Picture, sha256
from limner.images.requests import check_may_make
from limner.providers.base import InputImage

MAX_BYTES = 20_000_000
TIME_TO_SEND = timedelta(minutes=15)
TIME_TO_USE = timedelta(hours=24)
"""How long a picture can be referred to after it was sent."""

_SWEPT_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Upload:
    """Before anything was sent, what is read from the bytes is None and `expires_at` ends the link; then the picture."""

    id: str
    account_id: str
    declared_media_type: str
    blob_key: str | None
    media_type: str | None
    width: int | None
    height: int | None
    size_bytes: int | None
    sha256: str | None
    expires_at: datetime
    used_at: datetime | None
    created_at: datetime


class Uploads:
    def __init__(self, *, database: Database, blobs: Blobs, pool: PicturePool, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._pool = pool
        self._clock = clock

    async def create(self, principal: Principal, media_type: str) -> Upload:
        """A place for one picture of whoever may make pictures. UnsupportedMedia for a type we do not take."""
        check_may_make(principal)
        if media_type not in EXTENSIONS:
            message = f"'{media_type[:60]}' is not one of {', '.join(EXTENSIONS)}."
            raise UnsupportedMedia(message, details=[Detail("mediaType", message, "unsupported_media")])
        now = self._clock()
        return await self._database.write(lambda tx: _add(tx, principal.account_id, media_type, now))

    async def receive(self, upload_id: str, pieces: AsyncIterable[bytes]) -> Upload:
        """Take the bytes as they are, whichever of our types they were announced as.

        NotFound when the link's time is over, UploadUsed when something was sent before, PayloadTooLarge,
        NotAPicture: after the last two the link is still good. OSError when the bytes cannot be stored.
        """
        await self._check_open(upload_id)
        data = await _gathered(pieces)
        picture = await self._pool.decode_check(data)
        key = f"uploads/{upload_id}/{token_hex(8)}/original.{EXTENSIONS[picture.media_type]}"
        await self._blobs.put(key, data, picture.media_type)
        digest, now = await asyncio.to_thread(sha256, data), self._clock()
        upload = await self._database.write(lambda tx: _fill(tx, upload_id, key, picture, len(data), digest, now))
        if upload is None:  # another was faster, and each wrote to a key of its own
            await self._blobs.delete(key)
            await self._check_open(upload_id)
            raise UploadUsed
        return upload

    async def find(self, account_id: str, upload_id: str) -> Upload | None:
        """The account's own upload while its time lasts; None for another's, an unknown or an expired one alike."""
        now = self._clock()
        return await self._database.read(lambda tx: _of_account(tx, upload_id, account_id, now))

    async def load(self, upload: Upload) -> InputImage | None:
        """The picture that was sent; None where nothing was, or no longer is."""
        if upload.blob_key is None:
            return None
        try:
            data = await self._blobs.get(upload.blob_key)
        except BlobMissing:
            return None
        return InputImage(data, upload.media_type or "", upload.width or 0, upload.height or 0)

    async def sweep(self) -> int:
        """Delete what has expired, bytes first; how many uploads that were."""
        swept = 0
        while ids := await self._database.read(lambda tx: _expired(tx, self._clock())):
            for upload_id in ids:
                async for blob in self._blobs.keys(f"uploads/{upload_id}/"):
                    await self._blobs.delete(blob.key)
            await self._database.write_slowly(lambda tx, gone=ids: _remove(tx, gone))
            swept += len(ids)
        return swept

    async def _check_open(self, upload_id: str) -> None:
        upload, now = await self._database.read(lambda tx: _get(tx, upload_id)), self._clock()
        if upload is not None and upload.used_at is not None:
            raise UploadUsed
        if upload is None or upload.expires_at <= now:
            raise NotFound("There is no such upload link, or its time is over.", next_step="Create a new upload.")


async def _gathered(pieces: AsyncIterable[bytes]) -> bytes:
    data = bytearray()
    async for piece in pieces:
        data += piece
        if len(data) > MAX_BYTES:
            raise PayloadTooLarge(f"An upload is at most {MAX_BYTES:,} bytes.", next_step="Send a smaller picture.")
    return bytes(data)


def _add(tx: Transaction, account_id: str, media_type: str, now: datetime) -> Upload:
    row = tx.first(
        """INSERT INTO uploads (id, account_id, declared_media_type, expires_at, created_at)
           VALUES (:id, :account_id, :media_type, :expires_at, :now) RETURNING *""",
        id=new_id(),
        account_id=account_id,
        media_type=media_type,
        expires_at=now + TIME_TO_SEND,
        now=now,
    )
    assert row is not None
    return _upload(row)


def _get(tx: Transaction, upload_id: str) -> Upload | None:
    row = tx.first("SELECT * FROM uploads WHERE id = :id", id=upload_id)
    return None if row is None else _upload(row)


def _of_account(tx: Transaction, upload_id: str, account_id: str, now: datetime) -> Upload | None:
    upload = _get(tx, upload_id)
    return upload if upload and upload.account_id == account_id and upload.expires_at > now else None


def _fill(
    tx: Transaction, upload_id: str, key: str, picture: Picture, size_bytes: int, digest: str, now: datetime
) -> Upload | None:
    """The one time anything is sent; None when that time is over."""
    row = tx.first(
        """UPDATE uploads SET blob_key = :key, media_type = :media_type, width = :width, height = :height,
                  size_bytes = :size_bytes, sha256 = :digest, used_at = :now, expires_at = :expires_at
           WHERE id = :id AND used_at IS NULL AND expires_at > :now RETURNING *""",
        id=upload_id,
        key=key,
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
        size_bytes=size_bytes,
        digest=digest,
        now=now,
        expires_at=now + TIME_TO_USE,
    )
    return None if row is None else _upload(row)


def _expired(tx: Transaction, now: datetime) -> list[str]:
    sql = "SELECT id FROM uploads WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit"
    return [row["id"] for row in tx.all(sql, now=now, limit=_SWEPT_AT_ONCE)]


def _remove(tx: Transaction, ids: list[str]) -> None:
    for upload_id in ids:
        tx.execute("DELETE FROM uploads WHERE id = :id", id=upload_id)


def _upload(row: Row) -> Upload:
    return Upload(
        id=row["id"],
        account_id=row["account_id"],
        declared_media_type=row["declared_media_type"],
        blob_key=row["blob_key"],
        media_type=row["media_type"],
        width=row["width"],
        height=row["height"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        expires_at=utc(row["expires_at"]),
        used_at=utc_or_none(row["used_at"]),
        created_at=utc(row["created_at"]),
    )
