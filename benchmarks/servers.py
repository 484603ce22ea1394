"""The processes a benchmark needs, started and ended: Limner itself, and the floors it stands beside."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.request import urlopen

from limner.accounts import accounts, keys, sign_in
from limner.accounts.keys import NewKey
from limner.config import Config
from limner.credits import ledger
from limner.db.base import Transaction
from limner.db.engine import open_database
from limner.db.migrate import migrate
from limner.db.types import now

ROOT = Path(__file__).resolve().parent.parent
OTHER_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
"""Where what Limner does not need itself is installed (requirements-bench.lock)."""

START_SECONDS = 180

T = TypeVar("T")


class Missing(Exception):
    """Something a floor needs is not installed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Running:
    pid: int
    port: int
    log: Path


@dataclass(frozen=True, slots=True)
class Limner(Running):
    data_dir: Path
    key: str
    env: Mapping[str, str]

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


@contextmanager
def limner(
    *, env: Mapping[str, str] | None = None, arguments: Sequence[str] = (), module: str = "limner", credits: int = 10**9
) -> Generator[Limner]:
    """A server with one account and its key; the limits are counted, and high enough never to be reached."""
    with tempfile.TemporaryDirectory(prefix="limner-bench-") as directory:
        data_dir, port = Path(directory), free_port()
        environ = {"LIMNER_DATA_DIR": directory, "LIMNER_RATE_LIMIT": "1000000", "LIMNER_PORT": str(port)}
        environ |= {"LIMNER_QUEUE_PER_ACCOUNT": "1000000", "LIMNER_DEFAULT_MODEL": "limner:sketch", **(env or {})}
        key = make_account(environ, credits)
        command = [sys.executable, "-m", module, "serve", *arguments]
        with process(command, port, env=environ, log=data_dir / "log", ready="/readyz") as running:
            yield Limner(running.pid, port, running.log, data_dir, key, environ)


def make_account(environ: Mapping[str, str], credits: int, email: str = "owner@example.org") -> str:
    """A new account's key."""

    def make(tx: Transaction) -> str:
        account_id, _ = accounts.create(tx, email, now(), verified=True)
        ledger.add(tx, account_id, credits, "grant", ledger.Entry("Opening balance"), now())
        return keys.create(tx, account_id, NewKey(), now())[1]

    return written(environ, make)


def sign_in_path(environ: Mapping[str, str], email: str) -> str:
    return written(environ, lambda tx: sign_in.sign_in_link(tx, email, now()))


def written(environ: Mapping[str, str], fn: Callable[[Transaction], T]) -> T:
    """In the database of a server, which may be running."""
    url = Config.from_env(environ).database_url
    migrate(url)

    async def write() -> T:
        database = await open_database(url)
        try:
            return await database.write(fn)
        finally:
            await database.close()

    return asyncio.run(write())


@contextmanager
def floor(name: str, *arguments: str, python: Path = Path(sys.executable)) -> Generator[Running]:
    """`benchmarks/floors/NAME.py PORT …`."""
    if not python.exists():
        raise Missing("the other servers are not installed: run `python -m benchmarks install` once")
    port = free_port()
    command = [str(python), str(ROOT / "benchmarks" / "floors" / f"{name}.py"), str(port), *arguments]
    with process(command, port) as running:
        yield running


@contextmanager
def process(
    command: Sequence[str],
    port: int,
    *,
    env: Mapping[str, str] | None = None,
    log: Path | None = None,
    ready: str | None = None,
) -> Generator[Running]:
    """Until it listens (and answers `ready` with 200), to the end of the block."""
    log = log or Path(tempfile.mkstemp(prefix="limner-bench-", suffix=".log")[1])
    with log.open("wb") as output:
        started = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **(env or {})}, stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
    try:
        _wait(started, port, ready, log)
        yield Running(started.pid, port, log)
    finally:
        started.terminate()
        try:
            started.wait(15)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _wait(started: "subprocess.Popen[bytes]", port: int, ready: str | None, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if started.poll() is not None:
            raise Missing(f"it ended at once:\n{log.read_text(errors='replace')[-2000:]}")
        if _listens(port) and (ready is None or _answers(f"http://127.0.0.1:{port}{ready}")):
            return
        time.sleep(0.02)
    raise Missing(f"it did not start within {START_SECONDS} s:\n{log.read_text(errors='replace')[-2000:]}")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False
