"""`limner serve`: the server, in the foreground."""

import socket

import click
import structlog

from limner import __version__, logs
from limner.accounts import accounts
from limner.cli.failures import CannotStart
from limner.cli.serving import Serving, claim, run, serving
from limner.config import Config

log = structlog.stdlib.get_logger(__name__)


@click.command()
@click.option("--host", help="Where to listen; wins over LIMNER_HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Wins over LIMNER_PORT; 0 takes any free one.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes; PostgreSQL only.")
def serve(host: str | None, port: int | None, workers: int) -> None:
    """Run the server until Ctrl-C or SIGTERM."""
    if workers > 1:
        _refuse_workers(Config.from_env(host=host, port=port), workers)
    config, listener = claim(host, port)
    logs.set_up(config.log_level, config.log)
    try:
        run(_serve(config, listener))
    except OSError as problem:
        raise CannotStart(f"{problem}") from problem


async def _serve(config: Config, listener: socket.socket) -> None:
    async with serving(config, listener) as server:
        await _greet(server, config)
        await server.ended


async def _greet(server: Serving, config: Config) -> None:
    database = "sqlite" if config.is_sqlite else "postgresql"
    log.info("ready", url=config.public_url, data_dir=str(config.data_dir), database=database, version=__version__)
    if not await server.services.database.read(accounts.any_exist):
        log.info(
            "nobody has an account yet: run 'limner accounts create you@example.org --admin', "
            "then 'limner keys create --account you@example.org'"
        )


def _refuse_workers(config: Config, workers: int) -> None:
    if config.is_sqlite:
        raise CannotStart(
            f"--workers {workers} needs PostgreSQL (LIMNER_DATABASE_URL=postgresql://…): "
            "a SQLite file has one serving process."
        )
