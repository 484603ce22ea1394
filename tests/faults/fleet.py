"""A fleet of real processes on one PostgreSQL and one S3: servers and workers that can be killed and come back."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx2
from tests.object_store import CREDENTIALS
from tests.service import free_port
from tests.subprocesses import ENVIRONMENT


@dataclass
class Member:
    """One process of the fleet; `port` is where it answers, a worker to the operator alone."""

    command: tuple[str, ...]
    environ: Mapping[str, str]
    port: int
    process: "asyncio.subprocess.Process | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        command = [sys.executable, "-m", "limner", *self.command]
        self.process = await asyncio.create_subprocess_exec(*command, env=dict(self.environ))

    async def until_ready(self) -> None:
        assert self.process
        async with httpx2.AsyncClient() as http, asyncio.timeout(200):
            while self.process.returncode is None:
                with suppress(httpx2.TransportError):
                    if (await http.get(f"{self.url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.05)  # another process starts: there is no event to wait for
        if self.process.returncode not in (-signal.SIGKILL, -signal.SIGTERM):
            raise AssertionError(f"{self.command} did not start: {self.process.returncode}")

    async def kill(self) -> None:
        assert self.process
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def end(self, patience_seconds: float) -> int:
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(patience_seconds):
            return await self.process.wait()


@dataclass
class Fleet:
    servers: list[Member] = field(default_factory=list)
    workers: list[Member] = field(default_factory=list)

    @property
    def members(self) -> list[Member]:
        return [*self.servers, *self.workers]


@asynccontextmanager
async def fleet(
    environ: Mapping[str, str],
    *,
    servers: int,
    workers: int,
    data_dir: str,
    server_env: Mapping[str, str] | None = None,
) -> AsyncIterator[Fleet]:
    base = ENVIRONMENT | CREDENTIALS | {"LIMNER_RATE_LIMIT": "0", "LIMNER_LOG_LEVEL": "error"} | dict(environ)
    whole = Fleet()
    for number in range(servers):
        port = free_port()
        env = base | dict(server_env or {}) | {"LIMNER_DATA_DIR": f"{data_dir}/server-{number}"}
        whole.servers.append(Member(("serve", "--port", str(port)), env, port))
    for number in range(workers):
        port = free_port()
        env = base | {"LIMNER_DATA_DIR": f"{data_dir}/worker-{number}", "LIMNER_METRICS_PORT": str(port)}
        whole.workers.append(Member(("worker",), env, port))
    try:
        for member in whole.members:
            await member.start()
        for member in whole.members:
            await member.until_ready()
        yield whole
    finally:
        for member in whole.members:
            if member.process is not None:
                await member.kill()
