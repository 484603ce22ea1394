"""OpenAI's image models: `POST /images/generations`, and `/images/edits` as soon as pictures go in."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx2

from limner.errors import UpstreamTimeout
from limner.providers import images_api
from limner.providers.base import ImageRequest, ProviderImage, Watch
from limner.providers.wire import Json, Reply, Wire, deadline, table


class OpenAI:
    name = "openai"
    safe_to_repeat = False
    cancellable = False

    def __init__(self, pool: httpx2.AsyncClient, *, api_key: str, base_url: str) -> None:
        self._wire = Wire(self.name, pool, base_url, {"authorization": f"Bearer {api_key}"})
        self._failure_of = images_api.refusal(self.name)

    async def generate(self, request: ImageRequest, watch: Watch) -> ProviderImage:
        async with deadline(request.timeout_seconds), self._order(request) as reply:
            body = await images_api.finished(reply, watch, self._failure_of)
            return ProviderImage(
                data=images_api.picture(body),
                served_by=request.model,
                request_id=reply.headers.get("x-request-id"),
                usage=table(body.get("usage")),
            )

    async def resume(self, request: ImageRequest, handle: str, watch: Watch) -> ProviderImage:
        raise UpstreamTimeout

    async def discover(self) -> Sequence[Mapping[str, Any]]:
        return ()

    async def close(self) -> None:
        """The pool is shared and closed by whoever opened it."""

    def _order(self, request: ImageRequest) -> AbstractAsyncContextManager[Reply]:
        body = to_wire(request)
        if not request.images:
            return self._wire.send("POST", "/images/generations", json=body)
        return self._wire.send(
            "POST", "/images/edits", fields=_as_form(body), files=images_api.uploads(request.images, request.mask)
        )


def to_wire(request: ImageRequest) -> Json:
    """There is no seed, ratio or style field: the catalogue offers none, and sizes are exact pixels."""
    body: Json = {**request.options, "model": request.model, "prompt": request.prompt}
    if request.size_px:
        body["size"] = "{}x{}".format(*request.size_px)
    if request.quality:
        body["quality"] = images_api.QUALITY[request.quality]
    if request.background:
        body["background"] = request.background
    if request.output_format:
        body["output_format"] = request.output_format
    if request.safety_identifier:
        body["safety_identifier"] = request.safety_identifier
    if request.partial_images:
        body |= {"stream": True, "partial_images": request.partial_images}
    return body


def _as_form(body: Json) -> dict[str, str]:
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in body.items()}
