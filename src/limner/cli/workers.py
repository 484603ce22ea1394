"""Several serving processes on one socket: starts them, starts them again when they die, ends them together."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from prometheus_client.multiprocess import mark_process_dead  # pyright: ignore[reportUnknownVariableType]

from limner import metrics
from limner.cli.failures import UNUSABLE, CannotStart
from limner.config import Config
from limner.db.engine import open_database

RESTART_SECONDS = 1.0
"""Between the death of a process and its successor, so that one that cannot live does not eat the machine."""

log = structlog.stdlib.get_logger(__name__)


def refuse_on_sqlite(config: Config, workers: int) -> None:
    if config.is_sqlite:
        raise CannotStart(
            f"--workers {workers} needs PostgreSQL (LIMNER_DATABASE_URL=postgresql://…): "
            "a SQLite file has one serving process."
        )


async def supervise(config: Config, listeners: Sequence[socket.socket], workers: int) -> None:
    """Until SIGTERM or SIGINT; each process answers on the same sockets, and the kernel shares out connections."""
    await _reach(config.database_url)
    command = [sys.executable, "-m", "limner", "serve", "--host", config.host, "--port", str(config.port)]
    for listener in listeners:
        command += ["--fd", str(listener.fileno())]
    alive, _ours = os.pipe()  # never written to: the other end hears when this process is no more
    command += ["--supervisor-fd", str(alive)]
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, told.set)
    # Each process counts for itself, in files that whichever is asked for metrics adds up.
    with tempfile.TemporaryDirectory(prefix="limner-metrics-") as figures:
        start = _Start(command, [alive, *(listener.fileno() for listener in listeners)], {metrics.SHARED_DIR: figures})
        kept = [_keep_one_running(number, start, told) for number in range(workers)]
        if not all(await asyncio.gather(*kept)):
            raise CannotStart("A serving process cannot start; the line above says why.")


async def _reach(database_url: str) -> None:
    """A database that is not there from the first is a wrong setting; one that goes away later comes back."""
    database = await open_database(database_url, connections=1)
    await database.close()


@dataclass(frozen=True, slots=True)
class _Start:
    """How each of the processes is started."""

    command: Sequence[str]
    descriptors: Sequence[int]
    environment: Mapping[str, str]

    async def __call__(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self.command, pass_fds=self.descriptors, start_new_session=True, env={**os.environ, **self.environment}
        )


async def _keep_one_running(number: int, start: _Start, told: asyncio.Event) -> bool:
    """False where it could not start: another process would fail the same way, so all are told to end."""
    while not told.is_set():
        process = await start()
        ended, asked = asyncio.create_task(process.wait()), asyncio.create_task(told.wait())
        await asyncio.wait([ended, asked], return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if told.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
            await ended
        elif ended.result() == UNUSABLE:
            told.set()
            return False
        else:
            mark_process_dead(process.pid, start.environment[metrics.SHARED_DIR])
            log.error("a serving process died; starting another", number=number, exit_code=ended.result())
            await asyncio.sleep(RESTART_SECONDS)
    return True
