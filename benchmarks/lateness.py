"""Reads what `benchmarks.probe` saw of an event loop: how long it was held at a time."""

import json
import os
import signal
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
        while not self._path.exists():
            time.sleep(0.01)
        told = json.loads(self._path.read_text())
        return Lateness(told["p50"] * 1000, told["p99"] * 1000, told["max"] * 1000)


@contextmanager
def probed() -> Generator[tuple[dict[str, str], Reader]]:
    """The environment for a process under `benchmarks.probe`, and the reader of what it saw."""
    with tempfile.TemporaryDirectory(prefix="limner-bench-") as directory:
        path = Path(directory) / "lateness"
        yield {"BENCH_LATENESS": str(path)}, Reader(path)
