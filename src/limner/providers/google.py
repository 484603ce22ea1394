"""Google's Gemini image models: `POST /v1/models/{id}:generateContent`, whose refusals are mostly HTTP 200."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx2

from limner.errors import UpstreamTimeout
from limner.providers import failures
from limner.providers.base import ImageRequest, InputImage, ProviderImage, Watch
from limner.providers.wire import Answer, Json, Wire, deadline, first, from_base64, rows, table, text, to_base64

THINKING = {"deep": "HIGH"}

_REFUSED = {
    *("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION", "MODEL_ARMOR"),
    *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
}
_BAD_KEY = {"API_KEY_INVALID", "API_KEY_SERVICE_BLOCKED", "API_KEY_HTTP_REFERRER_BLOCKED"}


class Google:
    name = "google"
    safe_to_repeat = False
    cancellable = False

    def __init__(self, pool: httpx2.AsyncClient, *, api_key: str, base_url: str) -> None:
        self._wire = Wire(self.name, pool, base_url, {"x-goog-api-key": api_key})

    async def generate(self, request: ImageRequest, watch: Watch) -> ProviderImage:
        async with deadline(request.timeout_seconds):
            answer = await self._wire.post(f"/v1/models/{request.model}:generateContent", to_wire(request))
        if not answer.ok:
            raise _failure(answer)
        body = answer.json()
        return ProviderImage(
            data=_picture(body),
            served_by=text(body.get("modelVersion")) or request.model,
            request_id=text(body.get("responseId")) or None,
            usage=table(body.get("usageMetadata")),
        )

    async def resume(self, request: ImageRequest, handle: str, watch: Watch) -> ProviderImage:
        raise UpstreamTimeout

    async def discover(self) -> Sequence[Mapping[str, Any]]:
        return ()

    async def close(self) -> None:
        """The pool is shared and closed by whoever opened it."""


def to_wire(request: ImageRequest) -> Json:
    """Without a thinking level the model thinks as much as it likes: 3-pro's thinking cannot be switched off."""
    config: Json = {**table(request.options.get("generationConfig")), "responseModalities": ["IMAGE"]}
    image = {"aspectRatio": request.aspect_ratio, "imageSize": request.resolution}
    if chosen := {name: value for name, value in image.items() if value}:
        config["imageConfig"] = chosen
    if request.thinking_level in THINKING:
        config["thinkingConfig"] = {"thinkingLevel": THINKING[request.thinking_level]}
    if request.seed is not None:
        config["seed"] = request.seed
    parts = [{"text": request.prompt}, *(_inline(image) for image in request.images)]
    return {**request.options, "contents": [{"role": "user", "parts": parts}], "generationConfig": config}


def _inline(image: InputImage) -> Json:
    return {"inlineData": {"mimeType": image.media_type, "data": to_base64(image.data)}}


def _picture(body: Json) -> bytes:
    """The picture among the parts. Pictures in thoughts are drafts and are billed with the real one: skipped."""
    feedback = table(body.get("promptFeedback"))
    if blocked := text(feedback.get("blockReason")):
        raise failures.moderated("input", _words(blocked, feedback.get("blockReasonMessage")))
    candidate = first(body.get("candidates"))
    parts = [part for part in rows(table(candidate.get("content")).get("parts")) if not part.get("thought")]
    for part in parts:
        if inline := table(part.get("inlineData")):
            return from_base64(inline.get("data"))
    raise _without_picture(candidate, parts)


def _without_picture(candidate: Json, parts: list[Json]) -> Exception:
    finish, message = text(candidate.get("finishReason")), candidate.get("finishMessage")
    if finish in _REFUSED:
        return failures.moderated("output", _words(finish, message))
    said = " ".join(text(part.get("text")) for part in parts)
    return failures.no_image(_words(finish, message or said))


def _failure(answer: Answer) -> Exception:
    """Google words its account troubles as 400 and 429, so the details decide before the status does."""
    error = table(answer.error_json().get("error"))
    words, details = text(error.get("message")), rows(error.get("details"))
    if any(text(detail.get("reason")) in _BAD_KEY for detail in details):
        return failures.operator_trouble(answer.supplier, "bad_key", words)
    if error.get("status") == "FAILED_PRECONDITION":
        return failures.operator_trouble(answer.supplier, "not_permitted", words)
    if answer.status == 429 and _day_is_used_up(details):
        return failures.operator_trouble(answer.supplier, "quota_exhausted", words)
    pause = _retry_info_seconds(details)
    return failures.by_status(
        answer.supplier, answer.status, words, answer.asked_pause_seconds if pause is None else pause
    )


def _day_is_used_up(details: list[Json]) -> bool:
    """A minute's quota comes back by itself; a day's is the operator's affair."""
    violations = [violation for detail in details for violation in rows(detail.get("violations"))]
    return any("PerDay" in text(violation.get("quotaId")) for violation in violations)


def _retry_info_seconds(details: list[Json]) -> float | None:
    """`google.rpc.RetryInfo.retryDelay`, such as "7s" or "0.5s"; Google sends no Retry-After."""
    for detail in details:
        seconds = text(detail.get("retryDelay")).removesuffix("s")
        if seconds.replace(".", "", 1).isdigit():
            return float(seconds)
    return None


def _words(reason: str, message: object) -> str:
    return ": ".join(part for part in (reason, text(message).strip()) if part)
