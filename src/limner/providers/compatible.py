"""Any server that speaks OpenAI's image API: stable-diffusion.cpp, vLLM-Omni, SGLang, LocalAI, Ollama and others."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx2

from limner.errors import ServiceError, UpstreamTimeout
from limner.providers import failures, images_api, local_models
from limner.providers.base import ImageRequest, ProviderImage, Unbilled, Watch
from limner.providers.wire import Json, Reply, Wire, deadline, first, rows, table, text

_BACKEND_ARGUMENTS = re.compile(r"<sd_cpp_extra_args>.*?</sd_cpp_extra_args>|</?sd_cpp_extra_args>", re.DOTALL | re.I)


class Compatible:
    name = "compatible"
    safe_to_repeat = False
    cancellable = False

    def __init__(
        self, pool: httpx2.AsyncClient, *, base_url: str, api_key: str | None = None, models: Sequence[str] = ()
    ) -> None:
        self._wire = Wire(self.name, pool, base_url, {"authorization": f"Bearer {api_key}"} if api_key else {})
        self._models = tuple(models)
        self._failure_of = images_api.refusal(self.name)

    async def generate(self, request: ImageRequest, watch: Watch) -> ProviderImage:
        async with deadline(request.timeout_seconds):
            async with self._order(request) as reply:
                body = await images_api.finished(reply, watch, self._failure_of)
            return ProviderImage(
                data=await self._picture(body),
                served_by=text(body.get("model")) or request.model,
                request_id=reply.headers.get("x-request-id"),
                usage=table(body.get("usage")),
            )

    async def resume(self, request: ImageRequest, handle: str, watch: Watch) -> ProviderImage:
        raise UpstreamTimeout

    async def discover(self) -> Sequence[Mapping[str, Any]]:
        """The models the operator named, else those the server lists."""
        return [
            local_models.entry(self.name, name, sizes=True, seed=True, images=1, mask=True)
            for name in self._models or await self._listed()
        ]

    async def close(self) -> None:
        """The pool is shared and closed by whoever opened it."""

    async def _listed(self) -> list[str]:
        try:
            async with deadline(local_models.DISCOVERY_SECONDS):
                answer = await self._wire.get("/models")
            return [text(model.get("id")) for model in rows(answer.json().get("data")) if model.get("id")]
        except (ServiceError, Unbilled) as error:
            failures.log.warning("models_not_listed", provider=self.name, error=str(error))
            return []

    def _order(self, request: ImageRequest) -> AbstractAsyncContextManager[Reply]:
        body = to_wire(request)
        if not request.images:
            return self._wire.send("POST", "/images/generations", json=body)
        fields = {name: str(value) for name, value in body.items()}
        files = images_api.uploads(request.images, request.mask)
        return self._wire.send("POST", "/images/edits", fields=fields, files=files)

    async def _picture(self, body: Json) -> bytes:
        if address := text(first(body.get("data")).get("url")):
            return await self._fetched(address)
        return images_api.picture(body)

    async def _fetched(self, address: str) -> bytes:
        """Only from the server itself: an address elsewhere could lead into the operator's network."""
        url = httpx2.URL(self._wire.base_url).join(address)
        if httpx2.Origin(url) != httpx2.Origin(httpx2.URL(self._wire.base_url)):
            raise failures.no_image("it named an address on another host")
        answer = await self._wire.get(str(url))
        if not answer.ok:
            raise failures.no_image(f"its address answered HTTP {answer.status}")
        return answer.body


def to_wire(request: ImageRequest) -> Json:
    body: Json = {
        "response_format": "b64_json",
        **request.options,
        "model": request.model,
        "prompt": without_backend_arguments(request.prompt),
        "n": 1,
    }
    if request.size_px:
        body["size"] = "{}x{}".format(*request.size_px)
    if request.quality:
        body["quality"] = images_api.QUALITY[request.quality]
    for name in ("seed", "background", "output_format"):
        if (value := getattr(request, name)) is not None:
            body[name] = value
    return body


def without_backend_arguments(prompt: str) -> str:
    """stable-diffusion.cpp reads its own settings out of the prompt; whoever writes prompts here must not set them.

    Repeated until nothing is left, because taking one tag out can join another together.
    """
    while (cleaned := _BACKEND_ARGUMENTS.sub("", prompt)) != prompt:
        prompt = cleaned
    return prompt
