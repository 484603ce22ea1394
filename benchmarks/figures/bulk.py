"""6. Many whole pictures at once in JSON: how much memory each takes while it is sent."""

import orjson
from httpx2 import Client

from benchmarks import load
from benchmarks.figures.image import LARGE, MODEL, with_supplier
from benchmarks.figures.mcp import LEGACY, MODERN, request
from benchmarks.measure import Row, forget_peak, memory_bytes
from benchmarks.servers import Limner
from benchmarks.sizes import Size

TITLE = "Hand over whole pictures, many at once"


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
    """Megabytes above idle at the peak, by the number of results asked for in the same moment."""
    load.send(server.port, [call], count=1)
    idle = memory_bytes(server.pid)
    forget_peak(server.pid)
    load.send(server.port, [call], count=number, connections=number)
    return (memory_bytes(server.pid, "VmHWM") - idle) / number / 1e6
