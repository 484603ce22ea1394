"""Places to send a picture to, and what was sent."""

from typing import Literal

from limner.images.links import Link
from limner.images.uploads import MAX_BYTES as MAX_UPLOAD_BYTES
from limner.images.uploads import Upload
from limner.schemas.shapes import Shape, Time


class CreateUpload(Shape):
    media_type: Literal["image/png", "image/jpeg", "image/webp"]


class OpenUpload(Shape):
    """A place for one picture, and how to send it there."""

    id: str
    upload_url: str
    expires_at: Time
    max_bytes: int
    command: str

    @classmethod
    def of(cls, upload: Upload, link: Link) -> "OpenUpload":
        return cls(
            id=upload.id,
            upload_url=link.url,
            expires_at=link.expires_at,
            max_bytes=MAX_UPLOAD_BYTES,
            command=f"curl --fail-with-body -T FILE '{link.url}'",
        )


class SentUpload(Shape):
    """What was sent, as its bytes have it; `id` can be referred to until `expires_at`."""

    id: str
    media_type: str | None
    width: int | None
    height: int | None
    size_bytes: int | None
    sha256: str | None
    expires_at: Time

    @classmethod
    def of(cls, upload: Upload) -> "SentUpload":
        return cls(
            id=upload.id,
            media_type=upload.media_type,
            width=upload.width,
            height=upload.height,
            size_bytes=upload.size_bytes,
            sha256=upload.sha256,
            expires_at=upload.expires_at,
        )
