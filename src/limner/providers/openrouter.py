"""OpenRouter: its images API, and the older chat wire for models that the images API does not know."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import httpx2

from limner.errors import ModelUnavailable, ServiceError, UnsupportedOption, UpstreamTimeout
from limner.providers import failures, images_api, openrouter_models
from limner.providers.base import ImageRequest, InputImage, ProviderImage, Unbilled, Watch
from limner.providers.wire import Json, Wire, data_url, deadline, first, from_base64, rows, table, text, words

_DISCOVERY_SECONDS = 15.0
_QUESTIONS_AT_ONCE = 8
_REFUSED = {"content_policy_violation", "refusal", "moderation_blocked"}


class OpenRouter:
    name = "openrouter"
    safe_to_repeat = False
    cancellable = False

    def __init__(self, pool: httpx2.AsyncClient, *, api_key: str, base_url: str) -> None:
        self._wire = Wire(self.name, pool, base_url, {"authorization": f"Bearer {api_key}"})
        self._chat_only: set[str] = set()
        self._asking = asyncio.Semaphore(_QUESTIONS_AT_ONCE)

    async def generate(self, request: ImageRequest, watch: Watch) -> ProviderImage:
        async with deadline(request.timeout_seconds):
            if request.model not in self._chat_only:
                try:
                    return await self._by_images_api(request, watch)
                except ModelUnavailable:
                    _refuse_what_chat_cannot_say(request)
            image = await self._by_chat(request)
            self._chat_only.add(request.model)
            return image

    async def resume(self, request: ImageRequest, handle: str, watch: Watch) -> ProviderImage:
        raise UpstreamTimeout

    async def discover(self) -> Sequence[Mapping[str, Any]]:
        """Every image model OpenRouter lists with a price."""
        try:
            async with deadline(_DISCOVERY_SECONDS):
                models = rows((await self._wire.get("/images/models")).json().get("data"))
                entries = await asyncio.gather(*(self._entry(model) for model in models))
        except (ServiceError, Unbilled) as error:
            failures.log.warning("models_not_listed", provider=self.name, error=str(error))
            return ()
        return [entry for entry in entries if entry is not None]

    async def close(self) -> None:
        """The pool is shared and closed by whoever opened it."""

    async def _by_images_api(self, request: ImageRequest, watch: Watch) -> ProviderImage:
        async with self._wire.send("POST", "/images", json=to_wire(request)) as reply:
            body = await images_api.finished(reply, watch, _failure)
            request_id = reply.headers.get("x-generation-id")
        return _image(request, images_api.picture(body), body, request_id)

    async def _entry(self, model: Json) -> Mapping[str, Any] | None:
        """None for a model whose price cannot be learned now; the others are worth having without it."""
        try:
            async with self._asking:
                answer = await self._wire.get(f"/images/models/{text(model.get('id'))}/endpoints")
        except (ServiceError, Unbilled):
            return None
        return openrouter_models.entry(model, rows(answer.error_json().get("endpoints")))

    async def _by_chat(self, request: ImageRequest) -> ProviderImage:
        answer = await self._wire.post("/chat/completions", to_chat(request))
        body = answer.json() if answer.ok else answer.error_json()
        if not answer.ok or body.get("error"):
            raise _failure(answer.status, table(body.get("error")), answer.asked_pause_seconds)
        return _image(request, _picture_in_chat(body), body, text(body.get("id")) or None)


def to_wire(request: ImageRequest) -> Json:
    """Exact pixels overrule ratio and resolution, and OpenRouter refuses both together."""
    body: Json = {**request.options, "model": request.model, "prompt": request.prompt}
    if request.size_px:
        body["size"] = "{}x{}".format(*request.size_px)
    else:
        body |= _given(aspect_ratio=request.aspect_ratio, resolution=request.resolution)
    if request.quality:
        body["quality"] = images_api.QUALITY[request.quality]
    body |= _given(background=request.background, output_format=request.output_format, user=request.safety_identifier)
    body |= _given(seed=request.seed)
    if request.images:
        body["input_references"] = [_reference(image) for image in request.images]
    if request.partial_images:
        body["stream"] = True
    return body


def to_chat(request: ImageRequest) -> Json:
    content: list[Json] = [{"type": "text", "text": request.prompt}, *(_reference(image) for image in request.images)]
    body: Json = {
        **request.options,
        "model": request.model,
        "messages": [{"role": "user", "content": content}],
        "modalities": ["image", "text"],
        "stream": False,
    }
    if config := _given(aspect_ratio=request.aspect_ratio, image_size=request.resolution):
        body["image_config"] = config
    return body | _given(seed=request.seed, user=request.safety_identifier)


def _given(**fields: object) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def _reference(image: InputImage) -> Json:
    return {"type": "image_url", "image_url": {"url": data_url(image.data, image.media_type)}}


def _refuse_what_chat_cannot_say(request: ImageRequest) -> None:
    asked = _given(quality=request.quality, background=request.background, outputFormat=request.output_format)
    if asked:
        raise UnsupportedOption(f"{request.model} takes no {', '.join(asked)} by the way OpenRouter offers it now.")


def _image(request: ImageRequest, data: bytes, body: Json, request_id: str | None) -> ProviderImage:
    usage = table(body.get("usage"))
    cost = usage.get("cost")
    return ProviderImage(
        data=data,
        served_by=text(body.get("model")) or request.model,
        request_id=request_id,
        cost_usd=Decimal(str(cost)) if isinstance(cost, int | float) else None,
        usage=usage,
    )


def _picture_in_chat(body: Json) -> bytes:
    """Only data URLs are read: fetching an address a supplier names would let it send us anywhere."""
    choice = first(body.get("choices"))
    message = table(choice.get("message"))
    for image in rows(message.get("images")):
        head, _, encoded = text(table(image.get("image_url")).get("url")).partition(";base64,")
        if head.startswith("data:"):
            return from_base64(encoded)
    if choice.get("finish_reason") == "content_filter":
        raise failures.moderated("output", text(choice.get("native_finish_reason")) or "content_filter")
    raise failures.no_image(text(message.get("refusal")) or text(message.get("content")))


def _failure(status: int, error: Json, delay_seconds: float | None) -> Exception:
    """An `error` under HTTP 200 carries its own status, and came after the work began."""
    metadata = table(error.get("metadata"))
    said = ": ".join(part.rstrip(".") for part in (text(error.get("message")), _detail(metadata)) if part)
    if _is_moderation(error, metadata):
        return failures.moderated("input", said)
    if status != 200:
        return failures.by_status("openrouter", status, said, delay_seconds)
    code = error.get("code")
    status = code if isinstance(code, int) else 502
    return failures.after_the_order(failures.by_status("openrouter", status, said, delay_seconds))


def _is_moderation(error: Json, metadata: Json) -> bool:
    kinds = {text(metadata.get("error_type")), text(error.get("type")), text(error.get("code"))}
    upstream = text(metadata.get("raw"))
    return bool(kinds & _REFUSED or metadata.get("reasons") or any(word in upstream for word in _REFUSED))


def _detail(metadata: Json) -> str:
    return words(metadata.get("reasons")) or text(metadata.get("raw"))
