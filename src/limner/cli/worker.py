"""`limner worker`: a process that runs queued generations and serves nobody."""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack

import click
import structlog

from limner import __version__, logs
from limner.app import working
from limner.cli.failures import CannotStart
from limner.cli.serving import operators_socket, run, signals, web_server
from limner.config import Config

log = structlog.stdlib.get_logger(__name__)


@click.command()
def worker() -> None:
    """Run queued generations until Ctrl-C or SIGTERM; needs PostgreSQL."""
    config = Config.from_env()
    if config.is_sqlite:
        raise CannotStart(
            "limner worker needs PostgreSQL (LIMNER_DATABASE_URL=postgresql://…): "
            "a SQLite file has one serving process, which runs everything."
        )
    logs.set_up(config.log_level, config.log)
    try:
        run(_work(config, operators_socket(config)))
    except OSError as problem:
        raise CannotStart(f"{problem}") from problem


async def _work(config: Config, listeners: Sequence[socket.socket]) -> None:
    """Health and metrics are answered until the last generation has ended or was handed over."""
    async with AsyncExitStack() as parts:
        server = await parts.enter_async_context(working(config))
        web = web_server(server.app)
        answering = asyncio.create_task(web.serve(sockets=list(listeners))) if listeners else None
        with signals(server.services.state.tell):
            log.info("ready", process="worker", database="postgresql", version=__version__)
            await server.services.state.told.wait()
            await parts.aclose()
        if answering is not None:
            web.should_exit = True
            await answering
