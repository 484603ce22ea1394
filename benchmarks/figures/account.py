"""1. An authenticated read over REST on SQLite, limit and last use included, beside raw ASGI."""

from contextlib import ExitStack

from benchmarks import load
from benchmarks.measure import Row, Subject, alternating
from benchmarks.servers import OTHER_PYTHON, floor, limner
from benchmarks.sizes import Size

TITLE = "Read an account over REST (SQLite)"


def measure(size: Size) -> list[Row]:
    with ExitStack() as stack:
        ours = stack.enter_context(limner())
        raw = stack.enter_context(floor("raw_asgi"))
        fastapi = stack.enter_context(floor("fastapi_hello", python=OTHER_PYTHON))
        read = [load.request("/api/v1/account", headers=ours.auth)]
        hello = [load.request("/")]
        costs = alternating(
            {
                "raw": Subject(raw.pid, lambda n: load.send(raw.port, hello, count=n)),
                "ours": Subject(ours.pid, lambda n: load.send(ours.port, read, count=n)),
                "fastapi": Subject(fastapi.pid, lambda n: load.send(fastapi.port, hello, count=n)),
            },
            count=size.requests,
            rounds=size.rounds,
        )
    floor_us = costs["raw"].cpu_us
    return [
        Row("GET /api/v1/account", costs["ours"].cpu_us, "µs CPU", floor_us, "raw ASGI", 3.5),
        Row("FastAPI hello", costs["fastapi"].cpu_us, "µs CPU", floor_us, "raw ASGI"),
    ]
