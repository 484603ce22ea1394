"""5. Thousands of callers who wait for pictures that do not come: memory, CPU, and whether the event loop stays free."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import orjson
from httpx2 import Client

from benchmarks import load
from benchmarks.figures.image import MODEL, url_of
from benchmarks.figures.mcp import LEGACY, MODERN, request
from benchmarks.lateness import Reader, probed
from benchmarks.measure import Row, cpu_seconds, memory_bytes
from benchmarks.servers import Limner, floor, limner
from benchmarks.sizes import Size

TITLE = "Wait for pictures, ten thousand at once"
GENERATIONS = 100
OPENED_AT_ONCE = 200

Asking = Callable[[Limner, list[str]], list[bytes]]
"""The requests that wait for these generations."""


@dataclass(frozen=True, slots=True)
class Waited:
    kib_each: float
    core_percent: float
    lost: int
    late_p99_ms: float


def measure(size: Size) -> list[Row]:
    return [
        *_measured("REST events", _events, size, most_kib=25),
        *_measured("MCP 2026-07-28", partial(_calls, MODERN), size, most_kib=60),
        *_measured("MCP 2025-11-25", partial(_calls, LEGACY), size, most_kib=60),
    ]


def _measured(name: str, asking: Asking, size: Size, *, most_kib: float) -> list[Row]:
    """On a server of its own: what another kind of call has left behind would be used again."""
    with ExitStack() as stack:
        env, lateness = stack.enter_context(probed())
        supplier = stack.enter_context(floor("provider", "hang"))
        env |= {"LIMNER_COMPATIBLE_BASE_URL": url_of(supplier), "LIMNER_COMPATIBLE_MODELS": "bench"}
        server = stack.enter_context(limner(env=env, module="benchmarks.probe"))
        requests = asking(server, _generations(server, min(GENERATIONS, size.waiting)))
        return _rows(name, asyncio.run(_wait(server, requests, size, lateness)), most_kib)


def _events(server: Limner, ids: list[str]) -> list[bytes]:
    return [load.request(f"/api/v1/images/{each}/events", headers=server.auth) for each in ids]


def _calls(era: str, server: Limner, ids: list[str]) -> list[bytes]:
    return [request(era, server.auth, "get_image", progress=n, id=each, waitSeconds=780) for n, each in enumerate(ids)]


def _rows(name: str, waited: Waited, most_kib: float) -> list[Row]:
    return [
        Row(f"{name}, memory for each", waited.kib_each, "KiB", target=most_kib),
        Row(f"{name}, CPU", waited.core_percent, "% of a core", target=10),
        Row(f"{name}, lost", waited.lost, "connections", target=0),
        Row(f"{name}, event loop late (p99)", waited.late_p99_ms, "ms", target=10),
    ]


def _generations(server: Limner, number: int) -> list[str]:
    """Under way, and never done: the supplier hangs."""
    with Client(base_url=f"http://127.0.0.1:{server.port}", headers=server.auth, timeout=60) as client:
        orders = [{"prompt": f"wait {n}", "modelId": MODEL, "waitSeconds": 0} for n in range(number)]
        answers = [client.post("/api/v1/images/generate", json=each).raise_for_status() for each in orders]
        return [orjson.loads(answer.content)["image"]["id"] for answer in answers]


async def _wait(server: Limner, requests: list[bytes], size: Size, lateness: Reader) -> Waited:
    before = memory_bytes(server.pid)
    waiting: list[_Waiting] = []
    for start in range(0, size.waiting, OPENED_AT_ONCE):
        batch = range(start, min(start + OPENED_AT_ONCE, size.waiting))
        waiting += await asyncio.gather(*(_open(server.port, requests[n % len(requests)]) for n in batch))
        await asyncio.gather(*(each.heard for each in waiting[start:]))
    cpu, began = cpu_seconds(server.pid), time.monotonic()
    await asyncio.sleep(size.waiting_seconds)
    core = (cpu_seconds(server.pid) - cpu) / (time.monotonic() - began)
    lateness.reset(server.pid)  # afterwards: watching costs as much as several thousand who wait
    await asyncio.sleep(size.waiting_seconds)
    late = await asyncio.to_thread(lateness.of, server.pid)
    each = (memory_bytes(server.pid) - before) / len(waiting)
    lost = sum(one.is_lost for one in waiting)
    for one in waiting:
        one.transport.abort()
    return Waited(each / 1024, core * 100, lost, late.p99_ms)


async def _open(port: int, request: bytes) -> "_Waiting":
    loop = asyncio.get_running_loop()
    _, waiting = await loop.create_connection(lambda: _Waiting(loop), "127.0.0.1", port)
    waiting.transport.write(request.replace(b"{host}", f"127.0.0.1:{port}".encode(), 1))
    return waiting


class _Waiting(asyncio.Protocol):
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.heard: asyncio.Future[None] = loop.create_future()
        self.is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if not self.heard.done():
            self.is_lost = not data.startswith(b"HTTP/1.1 200")
            self.heard.set_result(None)

    def connection_lost(self, problem: Exception | None) -> None:
        self.is_lost = True
        if not self.heard.done():
            self.heard.set_result(None)
