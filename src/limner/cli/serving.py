"""Runs the server in this process: its socket, uvicorn, and an end that loses nothing."""

import asyncio
import contextlib
import errno
import gc
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
import uvloop

from limner.app import Services, State, running
from limner.cli.failures import CannotStart
from limner.config import Config
from limner.db.lock import serving_lock
from limner.http.connections import WatchedHttp

LISTEN_ON_SECONDS = 5
"""How long a server that was told to end still takes requests, while some are being answered."""

ANSWER_SECONDS = 20
"""How long requests then have to be answered."""

KEEP_ALIVE_SECONDS = 75
"""Longer than the proxies people put in front, so that the proxy is the one that closes."""


BACKLOG = 2048


class PortTaken(CannotStart):
    """Another program listens there."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that listens: its parts, and until when."""

    services: Services
    ended: "asyncio.Task[None]"


@asynccontextmanager
async def serving(config: Config, *listeners: socket.socket) -> AsyncGenerator[Serving]:
    """A server that answers on `listeners` while the block runs; SIGTERM and SIGINT end `ended`."""
    async with running(config) as server:
        gc.freeze()  # what a start makes stays: looking through it again would find no garbage
        web = web_server(server.app)
        answering = asyncio.create_task(web.serve(sockets=list(listeners)))
        with signals(_End(web, server.services.state)):
            yield Serving(server.services, answering)
            server.services.state.stop()
            web.should_exit = True
            await answering


def run(work: Coroutine[Any, Any, None]) -> None:
    """On uvloop; Ctrl-C during the start ends it quietly."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, contextlib.suppress(KeyboardInterrupt):
        runner.run(work)


def claim(host: str | None, port: int | None) -> tuple[Config, socket.socket]:
    """The configuration and the socket to answer on; port 0 takes any free one."""
    config = Config.from_env(host=host, port=port)
    listener = _listen(config)
    return (config if config.port else Config.from_env(host=host, port=listener.getsockname()[1])), listener


def operators_socket(config: Config) -> list[socket.socket]:
    """The operator's port, where there is one."""
    if config.metrics_port is None:
        return []
    try:
        return [_bound(config.metrics_host, config.metrics_port)]
    except OSError as problem:
        raise CannotStart(
            f"Cannot listen on {config.metrics_host} port {config.metrics_port} (LIMNER_METRICS_PORT): "
            f"{problem.strerror}."
        ) from None


def _bound(host: str, port: int) -> socket.socket:
    # The protocol is named, because asyncio turns Nagle's algorithm off only then.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _listen(config: Config) -> socket.socket:
    try:
        return _bound(config.host, config.port)
    except OSError as problem:
        with serving_lock(config.database_url):  # that it runs already is the better news
            pass
        if problem.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"Port {config.port} on {config.host} is in use: choose another with --port, or stop what uses it."
            ) from None
        raise CannotStart(f"Cannot listen on {config.host} port {config.port}: {problem.strerror}.") from None


def web_server(app: Any) -> "_Uvicorn":
    settings = uvicorn.Config(
        app,
        http=WatchedHttp,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=ANSWER_SECONDS,
    )
    return _Uvicorn(settings)


class _Uvicorn(uvicorn.Server):
    """Leaves signals to us: its own handling would end the process before the parts are closed."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class _End:
    """What a signal does: not ready at once, no new connections soon, and the second signal waits for nobody."""

    def __init__(self, web: _Uvicorn, state: State) -> None:
        self._web = web
        self._state = state
        self._stopping: asyncio.Task[None] | None = None

    def __call__(self) -> None:
        if self._stopping is not None:
            self._web.should_exit = self._web.force_exit = True
            self._state.press()
            return
        self._state.stop()
        self._stopping = asyncio.create_task(self._stop())

    async def _stop(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LISTEN_ON_SECONDS):
                while self._web.server_state.tasks:  # noqa: ASYNC110 — uvicorn has no event for it
                    await asyncio.sleep(0.05)
        self._web.should_exit = True


@contextmanager
def signals(end: Callable[[], None]) -> Generator[None]:
    """Call `end` for every SIGTERM and SIGINT while the block runs."""
    loop = asyncio.get_running_loop()
    handled = (signal.SIGTERM, signal.SIGINT)
    for each in handled:
        loop.add_signal_handler(each, end)
    try:
        yield
    finally:
        for each in handled:
            loop.remove_signal_handler(each)
