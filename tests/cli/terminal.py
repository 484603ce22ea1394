"""The command line as a person uses it: `limner` in a process of its own, with an empty home."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from tests.service import free_port
from tests.subprocesses import ENVIRONMENT

KEPT = {name: ENVIRONMENT[name] for name in ("PATH", "PYTHONPATH")}


@dataclass(frozen=True)
class Outcome:
    code: int
    stdout: str
    stderr: str

    bytes: bytes = b""

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@dataclass
class Terminal:
    """Commands share one home; `env` is what the person has set besides."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def data_dir(self) -> Path:
        return self.home / ".local" / "share" / "limner"

    def run(
        self, *arguments: str, env: Mapping[str, str] | None = None, timeout_seconds: float = 50, text: bool = True
    ) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "limner", *arguments],
            cwd=self.home,
            env=self.environment(env),
            capture_output=True,
            timeout=timeout_seconds,
            stdin=subprocess.DEVNULL,
        )
        return Outcome(done.returncode, done.stdout.decode() if text else "", done.stderr.decode(), done.stdout)

    def ok(self, *arguments: str) -> str:
        """What a command that must work printed."""
        outcome = self.run(*arguments)
        assert outcome.code == 0, outcome.stderr
        return outcome.stdout

    @contextmanager
    def server(self, *arguments: str) -> Iterator["Server"]:
        """`limner serve` on a free port; killed at the end if it still runs."""
        port = free_port()
        command = [sys.executable, "-m", "limner", "serve", "--port", str(port), *arguments]
        log = self.home / "serve.log"
        with log.open("w") as stderr:
            process = subprocess.Popen(command, cwd=self.home, env=self.environment(), stderr=stderr)
        server = Server(process, f"http://127.0.0.1:{port}", log)
        try:
            server.until_ready()
            yield server
        finally:
            process.kill()
            process.wait()

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return KEPT | {"HOME": str(self.home)} | self.env | dict(more or {})


@dataclass
class Server:
    process: "subprocess.Popen[bytes]"
    url: str
    log: Path

    def until_ready(self) -> None:
        with httpx2.Client(transport=httpx2.HTTPTransport(retries=0)) as http:
            while self.process.poll() is None:
                try:
                    if http.get(f"{self.url}/readyz").status_code == 200:
                        return
                except httpx2.TransportError:
                    time.sleep(0.02)  # another process starts: there is no event to wait for
        raise AssertionError(self.log.read_text())

    def until_said(self, event: str, times: int) -> None:
        """Until the log has the event this often."""
        while self.log.read_text().count(f'"event": "{event}"') < times and self.process.poll() is None:
            time.sleep(0.02)  # as above

    def end(self, how: int = signal.SIGTERM) -> int:
        """Tell it to end; its exit code."""
        os.kill(self.process.pid, how)
        return self.process.wait(40)
