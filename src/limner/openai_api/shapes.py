"""What OpenAI's clients send and expect, in our words and back (platform.openai.com/docs/api-reference/images)."""

import re
import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pybase64
from pydantic import BeforeValidator, ConfigDict, Field

from limner.catalog.models import Options
from limner.errors import Detail, InvalidRequest, ServiceError
from limner.images.generations import Generation
from limner.images.requests import NewImages, Reference
from limner.schemas import PROMPT_CHARACTERS, WELL_FORMED, Shape

QUALITIES: Mapping[str, str | None] = {
    "auto": None,
    "low": "draft",
    "medium": "standard",
    "high": "high",
    "standard": "standard",
    "hd": "high",
}

_SIZE = re.compile(r"([1-9][0-9]{1,4})x([1-9][0-9]{1,4})")


def _number(value: Any) -> Any:
    """Form fields are text."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _switch(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


Number = BeforeValidator(_number)


class ImagesRequest(Shape):
    """`/v1/images/generations`, and the fields of `/v1/images/edits` beside its files. OpenAI's names are snake_case."""

    model_config = ConfigDict(alias_generator=None)

    prompt: Annotated[str, Field(min_length=1, max_length=PROMPT_CHARACTERS), WELL_FORMED]
    model: Annotated[str, Field(max_length=200), WELL_FORMED] | None = None
    n: Annotated[int, Number, Field(ge=1, le=8)] | None = None
    size: Annotated[str, Field(max_length=20), WELL_FORMED] | None = None
    quality: Literal["auto", "low", "medium", "high", "standard", "hd"] | None = None
    background: Literal["auto", "opaque", "transparent"] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    output_compression: Annotated[int, Number, Field(ge=0, le=100)] | None = None
    response_format: Literal["b64_json", "url"] | None = None
    stream: Annotated[bool, BeforeValidator(_switch)] | None = None
    partial_images: Annotated[int, Number, Field(ge=0, le=3)] | None = None
    user: Annotated[str, Field(max_length=500), WELL_FORMED] | None = None
    safety_identifier: Annotated[str, Field(max_length=500), WELL_FORMED] | None = None
    moderation: Literal["auto"] | None = None

    def new_images(
        self,
        *,
        images: tuple[Reference, ...] = (),
        mask: Reference | None = None,
        idempotency_key: str | None = None,
    ) -> NewImages:
        return NewImages(
            prompt=self.prompt,
            operation="edit" if images else "generate",
            model_id=self.model,
            options=Options(
                size_px=_size_px(self.size),
                quality=QUALITIES[self.quality or "auto"],
                background=self.background,
                output_format=self.output_format,
            ),
            n=self.n or 1,
            images=images,
            mask=mask,
            idempotency_key=idempotency_key,
            partial_images=self.partial_images or 0 if self.stream else 0,
        )

    def check(self) -> None:
        """What only makes sense together; raises InvalidRequest."""
        if self.stream and (self.n or 1) > 1:
            raise _wrong("n", "must be 1 when streaming")
        if self.partial_images and not self.stream:
            raise _wrong("partial_images", "needs stream: true")
        if self.stream and self.response_format == "url":
            raise _wrong("response_format", "must be b64_json when streaming")
        if self.output_compression not in (None, 100) and self.output_format not in ("jpeg", "webp"):
            raise _wrong("output_compression", "needs output_format jpeg or webp")
        if self.output_compression is not None and self.response_format == "url":
            raise _wrong("output_compression", "needs response_format b64_json")


class PictureReference(Shape):
    """A picture by address: https, a link of ours, or a data URL."""

    model_config = ConfigDict(alias_generator=None)

    image_url: Annotated[str, Field(min_length=1, max_length=30_000_000), WELL_FORMED]

    def picture(self, path: str) -> Reference:
        if not self.image_url.startswith("data:"):
            return self.image_url
        head, _, data = self.image_url.partition(",")
        if not head.endswith(";base64"):
            raise _wrong(path, "must be base64 when it is a data URL")
        try:
            return pybase64.b64decode(data, validate=True)
        except ValueError:
            raise _wrong(path, "is not valid base64") from None


class EditRequest(ImagesRequest):
    """`/v1/images/edits` as JSON."""

    images: Annotated[tuple[PictureReference, ...], Field(min_length=1, max_length=16, strict=False)]
    mask: PictureReference | None = None

    def pictures(self) -> tuple[Reference, ...]:
        return tuple(each.picture(f"images.{index}.image_url") for index, each in enumerate(self.images))

    def mask_picture(self) -> Reference | None:
        return self.mask.picture("mask.image_url") if self.mask else None


def picture_facts(row: Generation, request: ImagesRequest) -> dict[str, Any]:
    """What OpenAI says of a picture besides its bytes: true values, and `auto` for what was left to the model."""
    quality = request.quality or "auto"
    facts = {
        "background": row.options["background"] or "auto",
        "output_format": (row.media_type or "image/png").removeprefix("image/"),
        "quality": {"hd": "high", "standard": "medium"}.get(quality, quality),
        "size": f"{row.width}x{row.height}",
    }
    whom = request.safety_identifier or request.user
    return {**facts, "safety_identifier": whom} if whom else facts


def decided(facts: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's whole answers, unlike its events, have no `auto`: what was not decided is left out."""
    return {name: value for name, value in facts.items() if value != "auto"}


def model_data(model_id: str, provider: str) -> dict[str, Any]:
    return {"id": model_id, "object": "model", "created": 0, "owned_by": provider}


def now_seconds() -> int:
    return int(time.time())


_TYPES: Mapping[str, str] = {
    "unauthorized": "authentication_error",
    "insufficient_credits": "insufficient_quota",
    "spend_cap_exceeded": "insufficient_quota",
    "rate_limited": "rate_limit_error",
    "moderation_blocked": "image_generation_user_error",
    "insufficient_scope": "permission_error",
    "model_not_allowed": "permission_error",
    "account_suspended": "permission_error",
    "confirmation_required": "permission_error",
}
_CODES: Mapping[str, str] = {
    "insufficient_credits": "insufficient_quota",
    "spend_cap_exceeded": "insufficient_quota",
    "unauthorized": "invalid_api_key",
    "unknown_model": "model_not_found",
    "rate_limited": "rate_limit_exceeded",
}
_STATUSES: Mapping[str, int] = {
    "insufficient_credits": 429,
    "spend_cap_exceeded": 429,
    "moderation_blocked": 400,
    "unknown_model": 404,
}


def error_status(error: ServiceError) -> int:
    return _STATUSES.get(error.code, error.status)


def error_body(error: ServiceError, request_id: str) -> dict[str, Any]:
    """OpenAI's four fields first, then ours, for those who know them."""
    kind = _TYPES.get(error.code, "invalid_request_error" if error.status < 500 else "server_error")
    data = error.as_data()
    return {
        "error": {
            "message": f"{error.message} {error.next_step}".strip(),
            "type": kind,
            "code": _CODES.get(error.code, error.code),
            "param": _param(error.details[0].path) if error.details else None,
            "creditsCharged": 0,
            "nextStep": error.next_step,
            "requestId": request_id,
            **({"generationId": error.generation_id} if error.generation_id else {}),
            **{name: data[name] for name in error.extra},
        }
    }


_PARAMS: Mapping[str, str] = {
    "modelId": "model",
    "images": "image",
    "instruction": "prompt",
    "outputFormat": "output_format",
    "aspectRatio": "size",
    "sizePx": "size",
}
"""What our core calls a field, as OpenAI's clients know it."""


def _param(path: str) -> str:
    name = path.partition(".")[0]
    return _PARAMS.get(name, name)


def _size_px(size: str | None) -> tuple[int, int] | None:
    if size is None or size == "auto":
        return None
    match = _SIZE.fullmatch(size)
    if match is None:
        raise _wrong("size", "must be auto or WIDTHxHEIGHT")
    return int(match[1]), int(match[2])


def _wrong(name: str, what: str) -> InvalidRequest:
    return InvalidRequest(f"{name} {what}.", details=[Detail(name, what)])
