"""Models on this machine through Hugging Face diffusers (the extra `limner[diffusers]`), in a process of their own."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from limner.errors import ModelUnavailable, ServiceError
from limner.providers import failures, local_models
from limner.providers.base import ImageRequest, ProviderImage, Watch
from limner.providers.wire import MAX_ANSWER_BYTES, Json, deadline, from_base64, parse, text

WORKER = (sys.executable, "-m", "limner.providers.diffusers_worker")
_STOP_SECONDS = 10.0


class Diffusers:
    """Serves every model under `directory`: its subdirectories with a `model_index.json`. One picture at a time."""

    name = "diffusers"
    safe_to_repeat = True
    cancellable = True

    def __init__(self, directory: Path, *, command: Sequence[str] = WORKER) -> None:
        self._directory = directory
        self._worker = _Worker(command)
        self._turn = asyncio.Lock()

    async def generate(self, request: ImageRequest, watch: Watch) -> ProviderImage:
        order = self._order(request)
        async with deadline(request.timeout_seconds), self._turn:
            try:
                data = await self._drawn(order, watch)
            except asyncio.CancelledError:
                await self._worker.stop()
                raise
        return ProviderImage(data=data, served_by=request.model)

    async def resume(self, request: ImageRequest, handle: str, watch: Watch) -> ProviderImage:
        """Nothing is kept of an order, and placing it again costs nobody anything."""
        return await self.generate(request, watch)

    async def discover(self) -> Sequence[Mapping[str, Any]]:
        return [
            local_models.entry(self.name, name, sizes=True, seed=True, images=0, mask=False)
            for name in sorted(self._models())
        ]

    async def close(self) -> None:
        await self._worker.kill()

    def _models(self) -> dict[str, Path]:
        return {index.parent.name: index.parent for index in self._directory.glob("*/model_index.json")}

    def _order(self, request: ImageRequest) -> Json:
        """Only names that were found are taken, so that none leads out of the directory."""
        path = self._models().get(request.model)
        if path is None:
            raise ModelUnavailable(f"There is no model {request.model} on this server any more.")
        width, height = request.size_px or local_models.SIZES["1:1"]
        options = {**request.options, "width": width, "height": height}
        return {"model": str(path.absolute()), "prompt": request.prompt, "seed": request.seed, "options": options}

    async def _drawn(self, order: Json, watch: Watch) -> bytes:
        await self._worker.begin(order)
        while answer := await self._worker.next_answer():
            if "step" in answer:
                await watch.progress(answer["step"] / answer["steps"], "rendering")
            elif "refused" in answer:
                raise failures.moderated("output", text(answer["refused"]))
            elif "failed" in answer:
                raise failures.unavailable(self.name, "worker failed", text(answer["failed"]))
            else:
                return from_base64(answer.get("picture"))
        raise failures.unavailable(self.name, "worker ended")


class _Worker:
    """The process that holds torch: large and slow to start, so it begins with the first order and stays.

    It keeps the last model in memory and may die without harm to the server. One JSON object a line each way.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: Process | None = None

    async def begin(self, order: Json) -> None:
        if self._process is None or self._process.returncode is not None:
            self._process = await self._started()
        await self._send(order)

    async def next_answer(self) -> Json:
        """A step or the outcome; empty where the process died."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            await self.kill()
            return {}
        return parse(line)

    async def stop(self) -> None:
        """Ask, so that the model stays loaded; insist where it does not listen.

        Comes while its task is being cancelled, where `asyncio.timeout` of Python 3.11.2 does not end as one.
        """
        if self._process is None:
            return
        asking = asyncio.create_task(self._stops())
        await asyncio.wait([asking], timeout=_STOP_SECONDS)
        if not asking.done() or not asking.result():
            asking.cancel()
            await self.kill()

    async def _stops(self) -> bool:
        try:
            await self._send({"stop": True})
            while "step" in await self.next_answer():
                pass
        except ServiceError:
            return False
        return True

    async def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()

    async def _started(self) -> Process:
        return await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=MAX_ANSWER_BYTES
        )

    async def _send(self, message: Json) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(orjson.dumps(message) + b"\n")
            await self._process.stdin.drain()
        except OSError as error:
            raise failures.unavailable("diffusers", "worker ended", str(error)) from error
