"""A picture, as every door shows it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from limner.images import embedded
from limner.images.generations import Generation
from limner.images.links import Link
from limner.schemas.shapes import Shape, Time


class Charge(Shape):
    charged: int
    remaining: int


class ContentCredentials(Shape):
    """C2PA. `untrusted`: intact, by somebody this server was not told to trust; `unchecked`: not looked into here."""

    state: Literal["valid", "untrusted", "invalid", "unchecked"]
    signer: str | None
    issuer: str | None
    tool: str | None


class Provenance(Shape):
    """What the picture's own bytes say of how it was made."""

    digital_source_type: str | None
    c2pa: Annotated[ContentCredentials | None, Field(alias="c2pa")]

    @classmethod
    def of(cls, read: embedded.Provenance) -> "Provenance":
        found = read.credentials
        c2pa = found and ContentCredentials(
            state=found.state, signer=found.signer, issuer=found.issuer, tool=found.tool
        )
        return cls(digital_source_type=read.digital_source_type, c2pa=c2pa)


class Image(Shape):
    """One generation and its picture; true values, read from the bytes, once it succeeded."""

    id: str
    status: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    prompt: str | None
    model_id: str
    provider_id: str
    served_by: str | None
    aspect_ratio: str | None
    style: str | None
    thinking_level: str | None
    seed: int | None
    media_type: str | None
    width: int | None
    height: int | None
    size_bytes: int | None
    sha256: str | None
    credits: Charge
    created_at: Time
    completed_at: Time | None
    image_url: str | None
    image_url_expires_at: Time | None
    warnings: tuple[str, ...]
    replayed: bool
    error: dict[str, Any] | None

    @classmethod
    def of(cls, row: Generation, link: Link | None, available: int, *, replayed: bool = False) -> "Image":
        return cls(
            id=row.id,
            status=row.status,
            prompt=row.prompt,
            model_id=row.model_id,
            provider_id=row.provider_id,
            served_by=row.served_by,
            aspect_ratio=row.options["aspectRatio"],
            style=row.style,
            thinking_level=row.options["thinkingLevel"],
            seed=row.options["seed"] if row.seed is None else row.seed,
            media_type=row.media_type,
            width=row.width,
            height=row.height,
            size_bytes=row.size_bytes,
            sha256=row.sha256,
            credits=Charge(charged=row.charged, remaining=available),
            created_at=row.created_at,
            completed_at=row.completed_at,
            image_url=link.url if link else None,
            image_url_expires_at=link.expires_at if link else None,
            warnings=row.warnings,
            replayed=replayed,
            error=dict(row.error) if row.error else None,
        )


class DescribedImage(Image):
    """With what its own bytes say of it; MCP's results, which a model pays for, go without."""

    provenance: Provenance | None

    @classmethod
    def of(cls, row: Generation, link: Link | None, available: int, *, replayed: bool = False) -> "DescribedImage":
        image = Image.of(row, link, available, replayed=replayed)
        return cls(**dict(image), provenance=Provenance.of(row.provenance) if row.provenance else None)
