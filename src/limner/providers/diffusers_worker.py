"""The process behind the `diffusers` provider: reads orders line by line, draws, answers line by line.

Only what is on disk is used: nothing is downloaded, no code that comes with a model is run, no pickles are read.
"""

import base64
import importlib
import io
import json
import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import Any, TextIO

Say = Callable[[dict[str, Any]], None]
_DEFAULT_STEPS = 50


class Stopped(Exception):
    """The order is no longer wanted."""


class Painter:
    """Keeps the last model loaded."""

    def __init__(self, torch: Any, diffusers: Any) -> None:
        self._torch = torch
        self._diffusers = diffusers
        self._path: str | None = None
        self._pipeline: Any = None

    def draw(self, order: dict[str, Any], stop: threading.Event, say: Say) -> dict[str, Any]:
        pipeline = self._loaded(order["model"])

        def after_step(pipe: Any, step: int, _timestep: Any, kept: dict[str, Any]) -> dict[str, Any]:
            if stop.is_set():
                raise Stopped
            steps = max(getattr(pipe, "num_timesteps", 0) or _DEFAULT_STEPS, step + 1)
            say({"step": step + 1, "steps": steps})
            return kept

        made = pipeline(
            prompt=order["prompt"],
            generator=self._generator(order["seed"]),
            callback_on_step_end=after_step,
            **order["options"],
        )
        if any(getattr(made, "nsfw_content_detected", None) or ()):
            return {"refused": "the model's safety checker withheld the picture"}
        return {"picture": _png(made.images[0])}

    def _loaded(self, path: str) -> Any:
        if path != self._path:
            self._pipeline, self._path = None, None
            device, dtype = self._device()
            loaded = self._diffusers.DiffusionPipeline.from_pretrained(
                path, local_files_only=True, use_safetensors=True, torch_dtype=dtype
            )
            loaded.set_progress_bar_config(disable=True)
            self._pipeline, self._path = loaded.to(device), path
        return self._pipeline

    def _device(self) -> tuple[str, Any]:
        if self._torch.cuda.is_available():
            return "cuda", self._torch.bfloat16
        if self._torch.backends.mps.is_available():
            return "mps", self._torch.float16
        return "cpu", self._torch.float32

    def _generator(self, seed: int | None) -> Any:
        """On the CPU whatever draws, so that a seed means the same on every machine."""
        generator = self._torch.Generator("cpu")
        if seed is None:
            generator.seed()
        else:
            generator.manual_seed(seed)
        return generator


def main() -> None:
    answers = _private_stdout()
    orders: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    stop = threading.Event()
    threading.Thread(target=_listen, args=(orders, stop), daemon=True).start()
    os.environ["HF_HUB_OFFLINE"] = "1"
    painter = Painter(importlib.import_module("torch"), importlib.import_module("diffusers"))

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    while (order := orders.get()) is not None:
        say(_outcome(painter, order, stop, say))


def _outcome(painter: Painter, order: dict[str, Any], stop: threading.Event, say: Say) -> dict[str, Any]:
    """Whatever a model's own code raises, the order has an end and the process goes on."""
    try:
        return painter.draw(order, stop, say)
    except Stopped:
        return {"stopped": True}
    except Exception as error:  # whatever a model's code throws: the server hears it, and this process stands
        return {"failed": f"{type(error).__name__}: {error}"}


def _listen(orders: "queue.SimpleQueue[dict[str, Any] | None]", stop: threading.Event) -> None:
    """A stop comes between two orders' beginnings, so an order that begins clears it. The end of input ends us."""
    for line in sys.stdin:
        message = json.loads(line)
        if "stop" in message:
            stop.set()
        else:
            stop.clear()
            orders.put(message)
    orders.put(None)


def _private_stdout() -> TextIO:
    """Libraries print what they like; their standard output becomes the error stream."""
    private = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return private


def _png(image: Any) -> str:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return base64.b64encode(out.getvalue()).decode("ascii")


if __name__ == "__main__":
    main()
