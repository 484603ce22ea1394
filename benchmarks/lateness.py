"""Reads what `benchmarks.probe` saw of an event loop: how long it was held at a time."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Lateness:
    p50_ms: float
    p99_ms: float
    max_ms: float


class Reader:
    def __init__(self, path: Path) -> None:
        self._path = path

    def reset(self, pid: int) -> None:
        self.of(pid)

    def of(self, pid: int) -> Lateness:
        """Since the last look."""
        self._path.unlink(missing_ok=True)
        os.kill(pid, signal.SIGUSR1)
        self.wait()
        told = json.loads(self._path.read_text())
        return Lateness(told["p50"] * 1000, told["p99"] * 1000, told["max"] * 1000)

    def wait(self) -> None:
        while not self._path.exists():
            time.sleep(0.01)


class Idle:
    """A loop with nothing to do: what of another's lateness is the machine's own."""

    def __init__(self, reader: Reader, pid: int) -> None:
        self._reader = reader
        self._pid = pid

    def reset(self) -> None:
        self.seen()

    def seen(self) -> Lateness:
        """Since the last look."""
        return self._reader.of(self._pid)


@contextmanager
def idle() -> Generator[Idle]:
    with probed() as (env, reader):
        process = subprocess.Popen([sys.executable, "-m", "benchmarks.probe", "idle"], env={**os.environ, **env})
        try:
            reader.wait()
            yield Idle(reader, process.pid)
        finally:
            process.kill()
            process.wait()


@contextmanager
def probed() -> Generator[tuple[dict[str, str], Reader]]:
    """The environment for a process under `benchmarks.probe`, and the reader of what it saw."""
    with tempfile.TemporaryDirectory(prefix="limner-bench-") as directory:
        path = Path(directory) / "lateness"
        yield {"BENCH_LATENESS": str(path)}, Reader(path)
