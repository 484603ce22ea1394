"""Runs Limner with a watch on its event loop: how late a callback comes that was due every few milliseconds.

python -m benchmarks.probe serve …     Limner; the lateness is written to the file named in BENCH_LATENESS
python -m benchmarks.probe idle        a loop with nothing else to do: the machine's own lateness
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import limner.cli.serve
from benchmarks.measure import percentile
from limner.cli import main
from limner.cli.serving import run

EVERY_SECONDS = 0.002


class Watch:
    """Writes at once that it is there. The first signal USR1 begins the watch, each writes what was seen since the last.

    Not before, because waking a loop so often costs several hundredths of a core.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._late: list[float] = []
        self._asked = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self._hear)
        self._tell()
        await self._asked.wait()
        while True:
            due = loop.time() + EVERY_SECONDS
            await asyncio.sleep(EVERY_SECONDS)
            self._late.append(loop.time() - due)

    def _hear(self) -> None:
        self._asked.set()
        self._tell()

    def _tell(self) -> None:
        seen, self._late = self._late or [0.0], []
        told = {"p50": percentile(seen, 50), "p99": percentile(seen, 99), "max": max(seen), "count": len(seen)}
        written = self._path.with_suffix(".new")
        written.write_text(json.dumps(told))
        written.rename(self._path)


def watched(work: Coroutine[Any, Any, None]) -> None:
    async def both() -> None:
        watching = asyncio.create_task(Watch(Path(os.environ["BENCH_LATENESS"])).run())
        await work
        watching.cancel()

    run(both())


async def idle() -> None:
    await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[1] == "idle":
        watched(idle())
    else:
        limner.cli.serve.run = watched
        main()
