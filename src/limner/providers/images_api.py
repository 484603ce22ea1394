"""The image API that OpenAI made and others copied: its answers, its partial pictures, its refusals."""

from collections.abc import Callable
from contextlib import suppress

from limner.errors import ModelUnavailable, NoImage
from limner.providers import failures
from limner.providers.base import InputImage, Watch
from limner.providers.wire import Files, Json, Reply, from_base64, rows, table, text

QUALITY = {"draft": "low", "standard": "medium", "high": "high"}

FailureOf = Callable[[int, Json, float | None], Exception]
"""Names a refusal from its HTTP status, its `error` object and the pause it asked for."""

_REFUSED = {"moderation_blocked", "content_policy_violation", "content_filter"}
_ACCOUNT = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "account_deactivated"}
_SIGNATURES = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"RIFF", "image/webp"))


async def finished(reply: Reply, watch: Watch, failure_of: FailureOf) -> Json:
    """The object that holds the finished picture; previews go to `watch` as they come."""
    if reply.streams:
        return await _last_event(reply, watch, failure_of)
    answer = await reply.read()
    body = answer.json() if answer.ok else answer.error_json()
    if not answer.ok or body.get("error"):
        raise failure_of(answer.status, table(body.get("error")), answer.asked_pause_seconds)
    return body


def picture(body: Json) -> bytes:
    """The first picture of an answer, or the one of a `completed` event; `NoImage` without one."""
    data = rows(body.get("data"))
    return from_base64((data[0] if data else body).get("b64_json"))


def upload(image: InputImage, name: str) -> tuple[str, bytes, str]:
    """A picture as a part of a multipart form."""
    return (f"{name}.{image.media_type.removeprefix('image/')}", image.data, image.media_type)


def uploads(images: tuple[InputImage, ...], mask: InputImage | None) -> Files:
    files = [("image[]", upload(image, f"image-{place}")) for place, image in enumerate(images, 1)]
    return [*files, ("mask", upload(mask, "mask"))] if mask else files


def refusal(supplier: str) -> FailureOf:
    """How OpenAI and its look-alikes word their refusals."""

    def failure_of(status: int, error: Json, delay_seconds: float | None) -> Exception:
        code, words = text(error.get("code")), text(error.get("message"))
        if code in _REFUSED or status == 451:
            return failures.moderated("output" if "generated image" in words.lower() else "input", words)
        if code in _ACCOUNT:
            return failures.operator_trouble(supplier, "quota_exhausted", f"{code}: {words}")
        if code == "model_not_found" and status != 403:
            return ModelUnavailable(f"{supplier} no longer offers this model.")
        return failures.by_status(supplier, status, words, delay_seconds)

    return failure_of


async def _last_event(reply: Reply, watch: Watch, failure_of: FailureOf) -> Json:
    async for event in reply.events():
        kind = text(event.get("type"))
        if kind.endswith(".completed"):
            return event
        if kind.endswith(".partial_image"):
            await _tell(watch, event)
        elif "error" in event:
            raise failures.after_the_order(failure_of(500, table(event["error"]), None))
    raise failures.no_image("its stream ended before the picture was finished")


async def _tell(watch: Watch, event: Json) -> None:
    """A preview that cannot be read is not worth losing the picture for."""
    with suppress(NoImage):
        data = from_base64(event.get("b64_json"))
        await watch.partial(data, _media_type(data))


def _media_type(data: bytes) -> str:
    return next((kind for start, kind in _SIGNATURES if data.startswith(start)), "application/octet-stream")
