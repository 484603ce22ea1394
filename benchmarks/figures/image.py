"""4. One picture from a supplier that answers at once, beside a gateway that adds nothing and LiteLLM's proxy."""

import json
import os
import tempfile
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import orjson

from benchmarks import load
from benchmarks.figures.mcp import MODERN, request
from benchmarks.lateness import Lateness, idle, probed
from benchmarks.measure import Cost, Row, Subject, alternating, cpu_seconds
from benchmarks.servers import OTHER_PYTHON, Limner, Running, floor, free_port, limner, process
from benchmarks.sizes import Size

TITLE = "Make a picture through a supplier"
LARGE, SMALL = 1_500_000, 1_500
MODEL = "compatible:bench"
MODEL_OF_MANY_SEATS = "openai:gpt-image-2"
"""For sixteen at once: of a server of one's own Limner asks two pictures at a time, of OpenAI as many as the rivals do."""


def measure(size: Size) -> list[Row]:
    return [
        *_through_openai_api(size, "1.5 MB", LARGE, passthrough=2.5, litellm=0.5),
        *_through_openai_api(size, "1.5 kB", SMALL, passthrough=4.0, litellm=0.35),
        *_through_mcp(size),
    ]


@contextmanager
def with_supplier(size_bytes: int, env: Mapping[str, str] | None = None) -> Generator[Limner]:
    """Limner, with a model of a supplier that answers with a picture of that size."""
    with floor("provider", str(size_bytes)) as supplier:
        supplied = {"LIMNER_COMPATIBLE_BASE_URL": url_of(supplier), "LIMNER_COMPATIBLE_MODELS": "bench"}
        with limner(env={**supplied, **(env or {})}) as server:
            yield server


def url_of(supplier: Running) -> str:
    return f"http://127.0.0.1:{supplier.port}"


def _through_openai_api(size: Size, name: str, size_bytes: int, *, passthrough: float, litellm: float) -> list[Row]:
    with ExitStack() as stack:
        supplier = stack.enter_context(floor("provider", str(size_bytes)))
        env = {"LIMNER_OPENAI_API_KEY": "none", "LIMNER_OPENAI_BASE_URL": url_of(supplier)}
        ours = stack.enter_context(limner(env=env))
        bare = stack.enter_context(floor("passthrough", url_of(supplier)))
        proxy = stack.enter_context(_litellm(supplier))
        costs = alternating(
            {
                "bare": _subject(bare, "bench", {}),
                "ours": _subject(ours, MODEL_OF_MANY_SEATS, ours.auth),
                "litellm": _subject(proxy, "bench", {"Authorization": "Bearer sk-bench"}),
            },
            count=size.images,
            rounds=size.rounds,
        )
    return [
        Row(
            f"{name}, CPU",
            costs["ours"].cpu_us / 1000,
            "ms CPU",
            costs["bare"].cpu_us / 1000,
            "pass-through",
            passthrough,
        ),
        Row(f"{name}, CPU", costs["ours"].cpu_us / 1000, "ms CPU", costs["litellm"].cpu_us / 1000, "LiteLLM", litellm),
        _per_second(name, costs["ours"], costs["litellm"]),
    ]


def _per_second(name: str, ours: Cost, litellm: Cost) -> Row:
    return Row(f"{name}, 16 at once", ours.per_second, "images/s", litellm.per_second, "LiteLLM", 2.5, "least")


def _subject(server: Running, model: str, headers: dict[str, str]) -> Subject:
    numbers = count()

    def work(pictures: int) -> None:
        calls = [_order(model, next(numbers), headers) for _ in range(pictures)]
        load.send(server.port, calls, count=pictures, connections=16)

    return Subject(server.pid, work)


def _order(model: str, number: int, headers: dict[str, str]) -> bytes:
    body = orjson.dumps({"model": model, "prompt": f"noise {number}"})
    return load.request("/v1/images/generations", body=body, headers={"Content-Type": "application/json", **headers})


@contextmanager
def _litellm(supplier: Running) -> Generator[Running]:
    """Its proxy, one worker, without a database."""
    model = {"model": "openai/bench", "api_base": url_of(supplier), "api_key": "none"}
    config = {
        "model_list": [{"model_name": "bench", "litellm_params": model, "model_info": {"mode": "image_generation"}}],
        "general_settings": {"master_key": "sk-bench"},
    }
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="limner-bench-") as directory:
        path = Path(directory) / "config.yaml"
        path.write_text(json.dumps(config))
        command = [
            str(OTHER_PYTHON.with_name("litellm")),
            "--config",
            str(path),
            "--port",
            str(port),
            "--host",
            "127.0.0.1",
        ]
        env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "HOME": directory, "PATH": os.environ["PATH"]}
        with process(command, port, env=env, ready="/health/liveliness") as running:
            yield running


def _through_mcp(size: Size) -> list[Row]:
    """With a preview in the answer, one after the other, so that what is late is late because of one picture."""
    with probed() as (env, lateness), idle() as machine, floor("provider", str(LARGE)) as supplier:
        env |= {"LIMNER_COMPATIBLE_BASE_URL": url_of(supplier), "LIMNER_COMPATIBLE_MODELS": "bench"}
        with limner(env=env, module="benchmarks.probe") as ours, floor("passthrough", url_of(supplier)) as bare:
            gateway = alternating({"bare": _subject(bare, "bench", {})}, count=size.images, rounds=size.rounds)["bare"]
            calls = [
                request(MODERN, ours.auth, "generate_image", prompt=f"noise {n}", modelId=MODEL, inline="auto")
                for n in range(size.images)
            ]
            load.send(ours.port, calls[:1], count=1)
            lateness.reset(ours.pid)
            machine.reset()
            before = cpu_seconds(ours.pid)
            load.send(ours.port, calls[1:], count=len(calls) - 1, connections=1)
            milliseconds = (cpu_seconds(ours.pid) - before) / (len(calls) - 1) * 1000
            late, machines_own = lateness.of(ours.pid), machine.seen()
    return [
        Row("MCP with a preview, CPU added", milliseconds - gateway.cpu_us / 1000, "ms CPU", target=60),
        *_late_rows("MCP with a preview", late, most_ms=5),
        Row("An idle loop on the same machine, held (p99)", machines_own.p99_ms, "ms"),
    ]


def _late_rows(name: str, late: Lateness, *, most_ms: float) -> list[Row]:
    return [
        Row(f"{name}, event loop held (p99)", late.p99_ms, "ms", target=most_ms),
        Row(f"{name}, event loop held (longest)", late.max_ms, "ms"),
    ]
