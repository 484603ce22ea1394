"""6. Many whole pictures at once in JSON, to clients that do not take them yet: how much memory each needs meanwhile."""

import asyncio
import socket

import orjson
from httpx2 import Client

from benchmarks import load
from benchmarks.figures.image import LARGE, MODEL, with_supplier
from benchmarks.figures.mcp import LEGACY, MODERN, request
from benchmarks.measure import Row, cpu_seconds, forget_peak, memory_bytes
from benchmarks.servers import Limner
from benchmarks.sizes import Size

TITLE = "Hand over whole pictures, many at once"
RECEIVE_BUFFER_BYTES = 4096
MOST_LOOKS = 60
IDLE_CPU_SECONDS = 0.05
"""In a second: its regular tasks never rest entirely."""


def measure(size: Size) -> list[Row]:
    with with_supplier(LARGE) as server:
        with Client(base_url=f"http://127.0.0.1:{server.port}", headers=server.auth, timeout=60) as client:
            body = {"prompt": "noise", "modelId": MODEL, "includeBytes": False}
            answer = client.post("/api/v1/images/generate", json=body).raise_for_status()
        image_id = orjson.loads(answer.content)["image"]["id"]
        rest = load.request(f"/api/v1/images/{image_id}", headers=server.auth)
        calls = [request(era, server.auth, "get_image", id=image_id, inline="full") for era in (MODERN, LEGACY)]
        return [
            Row("REST, memory for each", _each(server, rest, size.results), "MB", target=0.5),
            Row("MCP 2026-07-28, memory for each", _each(server, calls[0], size.results), "MB", target=5),
            Row("MCP 2025-11-25, memory for each", _each(server, calls[1], size.results), "MB", target=5),
        ]


def _each(server: Limner, call: bytes, number: int) -> float:
    """Megabytes above idle at the peak, by the number of results."""
    load.send(server.port, [call], count=1)
    idle = memory_bytes(server.pid)
    forget_peak(server.pid)
    asyncio.run(_ask_and_do_not_read(server, call, number))
    return (memory_bytes(server.pid, "VmHWM") - idle) / number / 1e6


async def _ask_and_do_not_read(server: Limner, call: bytes, number: int) -> None:
    """Until the server has nothing left to do for them; then everybody takes the answer, and hangs up."""
    asked = call.replace(b"{host}", f"127.0.0.1:{server.port}".encode(), 1)
    streams = await asyncio.gather(*(_ask(server.port, asked) for _ in range(number)))
    before = -1.0
    for _ in range(MOST_LOOKS):
        now = cpu_seconds(server.pid)
        if now - before < IDLE_CPU_SECONDS:
            break
        before = now
        await asyncio.sleep(1)
    heads = await asyncio.gather(*(reader.readline() for reader, _ in streams))
    assert all(head.startswith(b"HTTP/1.1 200") for head in heads)
    for _, writer in streams:
        writer.transport.abort()


async def _ask(port: int, asked: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    caller.setblocking(False)
    await asyncio.get_running_loop().sock_connect(caller, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=caller, limit=RECEIVE_BUFFER_BYTES)
    writer.write(asked)
    return reader, writer
