"""The public shapes, written once: what callers send and what every door answers, camelCase on the wire."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError
from pydantic.alias_generators import to_camel

from limner.catalog.models import Catalog, Model, Options
from limner.credits.caps import Cap
from limner.credits.ledger import Balance, CreditTransaction
from limner.errors import Detail, InvalidRequest
from limner.images.generations import Generation
from limner.images.links import LEAST_TTL_SECONDS, MOST_TTL_SECONDS, Link
from limner.images.requests import NewImages
from limner.images.uploads import MAX_BYTES as MAX_UPLOAD_BYTES
from limner.images.uploads import Upload

PROMPT_CHARACTERS = 8000
WAIT_SECONDS = 780


def iso(moment: datetime) -> str:
    """ISO 8601 UTC with milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _well_formed(value: Any) -> Any:
    """What no database stores and no wire carries is its own clear error."""
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("must not contain NUL characters")
    if isinstance(value, str) and re.search(r"[\ud800-\udfff]", value):
        raise ValueError("must not contain unpaired surrogates")
    return value


WELL_FORMED = BeforeValidator(_well_formed)
Time = Annotated[datetime, PlainSerializer(iso, return_type=str)]


class Shape(BaseModel):
    """Strict: no unknown fields, no guessing at types."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        strict=True,
        frozen=True,
        protected_namespaces=(),
    )

    def data(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True)


# --- what callers send --------------------------------------------------------------------------


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


class PageOf(Shape):
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    offset: Annotated[int, Field(ge=0, le=2**53)] = 0


class GetImage(Shape):
    id: Annotated[str, Field(max_length=100), WELL_FORMED]
    wait_seconds: Annotated[int, Field(ge=0, le=WAIT_SECONDS, description="Wait this long for a running one.")] = 0
    inline: Literal["auto", "full", "none"] = "auto"
    ttl_seconds: Annotated[
        int, Field(ge=LEAST_TTL_SECONDS, le=MOST_TTL_SECONDS, description="How long the link works.")
    ] = 900


class CreateUpload(Shape):
    media_type: Literal["image/png", "image/jpeg", "image/webp"]


class Nothing(Shape):
    pass


# --- what we answer -----------------------------------------------------------------------------


class Charge(Shape):
    charged: int
    remaining: int


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
            seed=row.options["seed"],
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


class CapLeft(Shape):
    limit: int
    period: Literal["day", "week", "month", "total"]
    remaining: int
    resets_at: Time | None

    @classmethod
    def of(cls, cap: Cap) -> "CapLeft":
        return cls(limit=cap.limit, period=cap.period, remaining=cap.remaining, resets_at=cap.resets_at)


class Account(Shape):
    user_id: str | None
    email: str | None
    credit_balance: int
    credits_held: int
    cap: CapLeft | None

    @classmethod
    def of(cls, user_id: str | None, email: str | None, balance: Balance, cap: Cap | None) -> "Account":
        return cls(
            user_id=user_id,
            email=email,
            credit_balance=balance.available,
            credits_held=balance.held,
            cap=CapLeft.of(cap) if cap else None,
        )


class UsageLine(Shape):
    id: str
    amount: int
    type: str
    description: str
    reference_id: str | None
    key_id: str | None
    connection_id: str | None
    generation_id: str | None
    model_id: str | None
    balance_after: int
    created_at: Time

    @classmethod
    def of(cls, line: CreditTransaction) -> "UsageLine":
        return cls(
            id=line.id,
            amount=line.amount,
            type=line.type,
            description=line.description,
            reference_id=line.reference_id,
            key_id=line.api_key_id,
            connection_id=line.connection_id,
            generation_id=line.reference_id if line.type in ("charge", "refund") else None,
            model_id=line.model_id,
            balance_after=line.balance_after,
            created_at=line.created_at,
        )


class ModelPrice(Shape):
    base: int
    options: Mapping[str, Mapping[str, int]]


class ModelEntry(Shape):
    id: str
    name: str
    description: str
    available: bool
    reason: str | None
    status: str
    shutdown_at: str | None
    replaced_by: str | None
    credits: ModelPrice
    parameters: Mapping[str, Any]
    expected_seconds: float

    @classmethod
    def of(cls, model: Model, catalog: Catalog) -> "ModelEntry":
        reason = catalog.reason(model)
        return cls(
            id=model.id,
            name=model.name,
            description=model.description,
            available=reason is None,
            reason=reason,
            status=model.status,
            shutdown_at=model.shutdown_at.isoformat() if model.shutdown_at else None,
            replaced_by=model.replaced_by,
            credits=ModelPrice(base=model.credits.base, options=model.credits.options),
            parameters={
                name: each.model_dump(mode="json", exclude_none=True) for name, each in model.parameters.items()
            },
            expected_seconds=model.expected_seconds,
        )


def models_data(catalog: Catalog) -> dict[str, Any]:
    return {
        "models": [ModelEntry.of(model, catalog).data() for model in catalog.models()],
        "default": catalog.default.id,
    }


# --- reading ------------------------------------------------------------------------------------


S = TypeVar("S", bound=Shape)


def parse(shape: type[S], data: Any) -> S:
    """`data` as `shape`; raises InvalidRequest that names every wrong path."""
    try:
        return shape.model_validate(data)
    except ValidationError as problem:
        raise _invalid(problem) from None


def json_schema(shape: type[Shape], *, mode: Literal["validation", "serialization"] = "validation") -> dict[str, Any]:
    """The JSON Schema of a shape without what a model would pay tokens for and learn nothing from."""
    whole = shape.model_json_schema(by_alias=True, mode=mode)
    if mode == "serialization":
        return whole
    schema = _required_first(_lean(whole))
    schema.pop("description", None)
    return schema


def _required_first(schema: dict[str, Any]) -> dict[str, Any]:
    """Models fill arguments in the order they read them."""
    required = schema.get("required", ())
    fields = sorted(schema.get("properties", {}).items(), key=lambda field: field[0] not in required)
    return {**schema, "properties": dict(fields)}


def _invalid(problem: ValidationError) -> InvalidRequest:
    details = [
        Detail(
            ".".join(str(part) for part in each["loc"]) or "(body)",
            each["msg"].removeprefix("Value error, "),
            each["type"],
        )
        for each in problem.errors(include_url=False, include_context=False, include_input=False)
    ]
    first = details[0]
    return InvalidRequest(f"{first.path}: {first.message}.", details=details[:20])


def _lean(node: Any) -> Any:
    if isinstance(node, dict):
        return _lean_object({str(name): value for name, value in node.items()})  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_lean(each) for each in node]  # pyright: ignore[reportUnknownVariableType]
    return node


def _lean_object(node: dict[str, Any]) -> dict[str, Any]:
    """Optional fields say so by not being required: no null branches, no null defaults, no titles."""
    branches = [each for each in node.get("anyOf", ()) if each != {"type": "null"}]
    if len(branches) == 1:
        node = {**branches[0], **{name: value for name, value in node.items() if name != "anyOf"}}
    if node.get("default", ...) is None or node.get("default") == []:
        node.pop("default")
    lean = {name: _lean(value) for name, value in node.items() if name != "title" or not isinstance(value, str)}
    if "properties" in node:
        lean["properties"] = {name: _lean(value) for name, value in node["properties"].items()}
    return lean
