"""What callers send to make, edit, get and list pictures."""

from typing import Annotated, Literal

from pydantic import Field

from limner.catalog.models import Options
from limner.images.links import LEAST_TTL_SECONDS, MOST_TTL_SECONDS
from limner.images.requests import NewImages
from limner.schemas.shapes import WELL_FORMED, Id, Shape

PROMPT_CHARACTERS = 8000
WAIT_SECONDS = 780


class _Making(Shape):
    """What generating and editing share."""

    model_id: (
        Annotated[str, Field(max_length=200, description="See list_models; default: the server's."), WELL_FORMED] | None
    ) = None
    aspect_ratio: Annotated[str, Field(max_length=16, description="Such as 1:1, 3:2, 16:9."), WELL_FORMED] | None = None
    resolution: Literal["1K", "2K", "4K"] | None = None
    quality: Literal["draft", "standard", "high"] | None = None
    style: Annotated[str, Field(max_length=500, description="Added to the prompt."), WELL_FORMED] | None = None
    thinking_level: Literal["default", "deep"] | None = None
    background: Literal["auto", "opaque", "transparent"] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    n: Annotated[int, Field(ge=1, le=8, description="How many pictures; each is charged.")] = 1
    inline: Annotated[
        Literal["auto", "full", "none"], Field(description="Picture in the answer: preview, original bytes, none.")
    ] = "auto"
    wait_seconds: (
        Annotated[int, Field(ge=0, le=WAIT_SECONDS, description="How long to wait; 0 returns the id at once.")] | None
    ) = None
    idempotency_key: (
        Annotated[
            str,
            Field(
                min_length=1, max_length=255, description="Same key, same pictures, paid once; new key, new pictures."
            ),
            WELL_FORMED,
        ]
        | None
    ) = None
    dry_run: Annotated[bool, Field(description="Only tell the price.")] = False

    def _options(self) -> Options:
        return Options(
            aspect_ratio=self.aspect_ratio,
            resolution=self.resolution,
            quality=self.quality,
            thinking_level=self.thinking_level,
            background=self.background,
            output_format=self.output_format,
            seed=self.seed,
        )


_Pointer = Annotated[str, Field(min_length=1, max_length=2048), WELL_FORMED]


class Generate(_Making):
    prompt: Annotated[str, Field(min_length=1, max_length=PROMPT_CHARACTERS), WELL_FORMED]
    references: Annotated[
        tuple[_Pointer, ...],
        Field(max_length=16, strict=False, description="Image ids, upload ids or https URLs to draw on."),
    ] = ()

    def new_images(self, *, nearest_size: bool = False) -> NewImages:
        return NewImages(
            prompt=self.prompt,
            model_id=self.model_id,
            options=self._options(),
            style=self.style,
            n=self.n,
            references=self.references,
            idempotency_key=self.idempotency_key,
            nearest_size=nearest_size,
            waits=self.wait_seconds != 0,
        )


class Edit(_Making):
    instruction: Annotated[
        str, Field(min_length=1, max_length=PROMPT_CHARACTERS, description="What to change or combine."), WELL_FORMED
    ]
    images: Annotated[
        tuple[_Pointer, ...],
        Field(min_length=1, max_length=16, strict=False, description="Image ids, upload ids or https URLs to edit."),
    ]
    mask: (
        Annotated[_Pointer, Field(description="PNG as large as the first image; its transparent part is repainted.")]
        | None
    ) = None
    references: Annotated[tuple[_Pointer, ...], Field(max_length=16, strict=False)] = ()

    def new_images(self, *, nearest_size: bool = False) -> NewImages:
        return NewImages(
            prompt=self.instruction,
            operation="edit",
            model_id=self.model_id,
            options=self._options(),
            style=self.style,
            n=self.n,
            references=self.references,
            images=self.images,
            mask=self.mask,
            idempotency_key=self.idempotency_key,
            nearest_size=nearest_size,
            waits=self.wait_seconds != 0,
        )


class GetImage(Shape):
    id: Id
    wait_seconds: Annotated[int, Field(ge=0, le=WAIT_SECONDS, description="Wait this long for a running one.")] = 0
    inline: Literal["auto", "full", "none"] = "auto"
    ttl_seconds: Annotated[
        int, Field(ge=LEAST_TTL_SECONDS, le=MOST_TTL_SECONDS, description="How long the link works.")
    ] = 900


class PageOf(Shape):
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    offset: Annotated[int, Field(ge=0, le=2**53)] = 0
