"""A ComfyUI server that runs the operator's own workflow, with the prompt, seed, size and pictures put in by name."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx2

from limner.errors import ServiceError, UpstreamUnavailable
from limner.providers import failures, images_api, local_models
from limner.providers.base import ImageRequest, ProviderImage, Unbilled, Watch
from limner.providers.comfyui_workflow import Value, Workflow
from limner.providers.wire import Json, Wire, deadline, items, table, text, words

_STOP_SECONDS = 5.0
_LARGEST_SEED = 2**53


class _OrderLost(UpstreamUnavailable):
    """ComfyUI was restarted, or somebody stopped the order."""


class ComfyUI:
    name = "comfyui"
    safe_to_repeat = True
    cancellable = True

    def __init__(self, pool: httpx2.AsyncClient, *, base_url: str, workflow: Workflow, poll_seconds: float) -> None:
        self._wire = Wire(self.name, pool, base_url)
        self._workflow = workflow
        self._poll_seconds = poll_seconds

    async def generate(self, request: ImageRequest, watch: Watch) -> ProviderImage:
        async with deadline(request.timeout_seconds):
            graph = self._workflow.filled(await self._values(request))
            answer = await self._wire.post("/prompt", {"prompt": graph, "client_id": request.generation_id})
            if not answer.ok:
                raise _refusal(answer.status, answer.error_json())
            handle = text(answer.json().get("prompt_id"))
            async with self._stopping(handle):
                await watch.submitted(handle)
                return await self._collected(request, handle, watch)

    async def resume(self, request: ImageRequest, handle: str, watch: Watch) -> ProviderImage:
        """An order that was stopped or forgotten since is placed again: it costs nobody anything."""
        try:
            async with deadline(request.timeout_seconds), self._stopping(handle):
                return await self._collected(request, handle, watch)
        except _OrderLost:
            return await self.generate(request, watch)

    async def discover(self) -> Sequence[Mapping[str, Any]]:
        """One model, the workflow, with the options it has places for."""
        has = self._workflow.inputs.keys()
        return [
            local_models.entry(
                self.name,
                "workflow",
                sizes={"width", "height"} <= has,
                seed="seed" in has,
                images=sum(name.startswith("image") for name in has),
                mask="mask" in has,
            )
        ]

    async def close(self) -> None:
        """The pool is shared and closed by whoever opened it."""

    async def _values(self, request: ImageRequest) -> dict[str, Value]:
        """Without a seed a new one is drawn: an unchanged graph would be answered from ComfyUI's cache."""
        seed = request.seed if request.seed is not None else secrets.randbelow(_LARGEST_SEED)
        values: dict[str, Value] = {"prompt": request.prompt, "seed": seed}
        if request.size_px:
            values["width"], values["height"] = request.size_px
        for place, image in enumerate(request.images, 1):
            name = "image" if place == 1 else f"image_{place}"
            values[name] = await self._uploaded(images_api.upload(image, f"{request.generation_id}-{place}"))
        if request.mask:
            values["mask"] = await self._uploaded(images_api.upload(request.mask, f"{request.generation_id}-mask"))
        return values

    async def _uploaded(self, file: tuple[str, bytes, str]) -> str:
        answer = await self._wire.post_form("/upload/image", {"overwrite": "true"}, [("image", file)])
        if not answer.ok:
            raise answer.failure()
        stored = answer.json()
        return "/".join(part for part in (text(stored.get("subfolder")), text(stored.get("name"))) if part)

    async def _collected(self, request: ImageRequest, handle: str, watch: Watch) -> ProviderImage:
        record = await self._finished(handle, watch)
        image = self._workflow.image_of(table(record.get("outputs")))
        where = {name: text(image.get(name)) for name in ("filename", "subfolder", "type")}
        answer = await self._wire.get(f"/view?{urlencode(where)}")
        if not answer.ok:
            raise failures.no_image(f"its picture could not be read: HTTP {answer.status}")
        return ProviderImage(data=answer.body, served_by=request.model, request_id=handle)

    async def _finished(self, handle: str, watch: Watch) -> Json:
        """Poll the history; an order that is in neither history nor queue twice running is lost."""
        unseen = 0
        while unseen < 2:
            record = table((await self._look(f"/history/{handle}")).get(handle))
            status = table(record.get("status"))
            if status.get("status_str") == "error":
                raise _what_failed(status)
            if record:
                return record
            place = await self._place_in_queue(handle)
            unseen = unseen + 1 if place is None else 0
            await watch.progress(None, "rendering" if not place else f"queued, {place} before it")
            await asyncio.sleep(self._poll_seconds)
        raise _OrderLost

    async def _look(self, path: str) -> Json:
        try:
            answer = await self._wire.get(path)
        except Unbilled as error:
            raise error.error from error
        return answer.error_json()

    async def _place_in_queue(self, handle: str) -> int | None:
        """0 while it runs, else how many stand before it; None where it is not in the queue."""
        queue = await self._look("/queue")
        order = [*_handles(queue.get("queue_running")), *_handles(queue.get("queue_pending"))]
        return order.index(handle) if handle in order else None

    @asynccontextmanager
    async def _stopping(self, handle: str) -> AsyncGenerator[None]:
        """When the wait is cancelled or over, take the order back so that it stops using the machine."""
        try:
            yield
        except asyncio.CancelledError:
            await self._stop(handle)
            raise

    async def _stop(self, handle: str) -> None:
        """Older servers interrupt whatever runs, so nothing is interrupted unless this order is the one."""
        try:
            async with deadline(_STOP_SECONDS):
                if await self._place_in_queue(handle) == 0:
                    await self._wire.post("/interrupt", {"prompt_id": handle})
                await self._wire.post("/queue", {"delete": [handle]})
        except (ServiceError, Unbilled) as error:
            failures.log.warning("order_not_stopped", provider=self.name, handle=handle, error=str(error))


def _handles(queue: object) -> list[str]:
    """A queue entry is `[number, prompt_id, graph, extra, outputs]`."""
    entries = [items(entry) for entry in items(queue)]
    return [str(entry[1]) for entry in entries if len(entry) > 1]


def _refusal(status: int, body: Json) -> Exception:
    """A workflow that ComfyUI does not accept is the operator's to mend, not the user's."""
    error = body.get("error")
    said = text(error) or text(table(error).get("message"))
    nodes = words(list(table(body.get("node_errors"))))
    if status == 400:
        return failures.operator_trouble("comfyui", "misconfigured", f"{said} {nodes}")
    return failures.by_status("comfyui", status, said, None)


def _what_failed(status: Json) -> Exception:
    messages = str(status.get("messages", ""))
    if "execution_interrupted" in messages:
        return _OrderLost()
    return failures.unavailable("comfyui", "workflow failed", messages)
