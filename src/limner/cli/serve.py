"""`limner serve`: the server, in the foreground."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence

import click
import structlog

from limner import __version__, logs
from limner.accounts import sign_in
from limner.cli.failures import AWAY, CannotStart
from limner.cli.serving import Serving, claim, operators_socket, run, serving
from limner.cli.settings import similar
from limner.cli.workers import refuse_on_sqlite, supervise
from limner.config import Config
from limner.db.base import DatabaseUnavailable
from limner.db.types import now

log = structlog.stdlib.get_logger(__name__)


@click.command()
@click.option("--host", help="Where to listen; wins over LIMNER_HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Wins over LIMNER_PORT; 0 takes any free one.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes; PostgreSQL only.")
@click.option("--fd", type=click.IntRange(min=3), multiple=True, hidden=True, help="Sockets a supervisor has opened.")
@click.option("--supervisor-fd", type=click.IntRange(min=3), hidden=True, help="A pipe that closes when it dies.")
def serve(host: str | None, port: int | None, workers: int, fd: tuple[int, ...], supervisor_fd: int | None) -> None:
    """Run the server until Ctrl-C or SIGTERM."""
    if workers > 1:
        refuse_on_sqlite(Config.from_env(host=host, port=port), workers)
    config, listeners = _given(fd, host, port) if fd else _claimed(host, port)
    logs.set_up(config.log_level, config.log)
    try:
        run(supervise(config, listeners, workers) if workers > 1 else _serve(config, listeners, supervisor_fd))
    except DatabaseUnavailable as problem:
        if supervisor_fd is None:
            raise
        log.error("the database does not answer", error=str(problem))
        sys.exit(AWAY)
    except OSError as problem:
        raise CannotStart(f"{problem}") from problem


def _claimed(host: str | None, port: int | None) -> tuple[Config, list[socket.socket]]:
    config, listener = claim(host, port)
    return config, [listener, *operators_socket(config)]


def _given(descriptors: Sequence[int], host: str | None, port: int | None) -> tuple[Config, list[socket.socket]]:
    return Config.from_env(host=host, port=port), [socket.socket(fileno=each) for each in descriptors]


async def _serve(config: Config, listeners: Sequence[socket.socket], supervisor_fd: int | None) -> None:
    if supervisor_fd is not None:
        _end_with(supervisor_fd)
    async with serving(config, *listeners) as server:
        await _greet(server, config)
        await server.ended


def _end_with(supervisor_fd: int) -> None:
    """A supervisor that was killed tells nobody: its end of the pipe closes, and we must not keep its port."""
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(supervisor_fd)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(supervisor_fd, gone)


async def _greet(server: Serving, config: Config) -> None:
    database = "sqlite" if config.is_sqlite else "postgresql"
    for name in config.unknown:
        log.warning("a setting that is none", name=name, meant=similar(name))
    log.info("ready", url=config.public_url, data_dir=str(config.data_dir), database=database, version=__version__)
    link = await server.services.database.write(lambda tx: sign_in.first_start_link(tx, now()))
    if link is not None:
        log.info(
            "nobody has an account yet: open this link within 24 hours to become the administrator",
            link=f"{config.public_url}{link}",
            or_run="limner accounts create you@example.org --admin",
        )
