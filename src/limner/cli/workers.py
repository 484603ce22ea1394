"""Several serving processes on one socket: starts them, starts them again when they die, ends them together."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Sequence

import structlog

from limner.cli.failures import UNUSABLE, CannotStart
from limner.config import Config

RESTART_SECONDS = 1.0
"""Between the death of a process and its successor, so that one that cannot live does not eat the machine."""

log = structlog.stdlib.get_logger(__name__)


def refuse_on_sqlite(config: Config, workers: int) -> None:
    if config.is_sqlite:
        raise CannotStart(
            f"--workers {workers} needs PostgreSQL (LIMNER_DATABASE_URL=postgresql://…): "
            "a SQLite file has one serving process."
        )


async def supervise(config: Config, listener: socket.socket, workers: int) -> None:
    """Until SIGTERM or SIGINT; each process answers on the one socket, and the kernel shares out connections."""
    command = [sys.executable, "-m", "limner", "serve", "--fd", str(listener.fileno())]
    command += ["--host", config.host, "--port", str(config.port)]
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, told.set)
    kept = [_keep_one_running(number, command, listener.fileno(), told) for number in range(workers)]
    if not all(await asyncio.gather(*kept)):
        raise CannotStart("A serving process cannot start; the line above says why.")


async def _keep_one_running(number: int, command: Sequence[str], descriptor: int, told: asyncio.Event) -> bool:
    """False where it could not start: another process would fail the same way, so all are told to end."""
    while not told.is_set():
        process = await asyncio.create_subprocess_exec(*command, pass_fds=[descriptor], start_new_session=True)
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
            log.error("a serving process died; starting another", number=number, exit_code=ended.result())
            await asyncio.sleep(RESTART_SECONDS)
    return True
