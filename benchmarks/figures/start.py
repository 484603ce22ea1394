"""8. How soon it serves, what it needs when nobody asks anything, and how much there is to install."""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Row, cpu_seconds, memory_bytes, percentile
from benchmarks.servers import ROOT, limner
from benchmarks.sizes import Size

TITLE = "Start, idle memory, size"
SETTLING_SECONDS = 2


def measure(size: Size) -> list[Row]:
    starts: list[float] = []
    idle: list[float] = []
    for _ in range(size.rounds):
        with limner() as server:
            starts.append(cpu_seconds(server.pid))
            time.sleep(SETTLING_SECONDS)
            idle.append(memory_bytes(server.pid) / 2**20)
    return [
        Row("Ready to serve", percentile(starts, 50), "s CPU", target=1.5),
        Row("Idle memory", percentile(idle, 50), "MiB", target=110),
        Row("Wheel", _wheel_bytes() / 1e6, "MB", target=2),
        Row("Packages of the default install", _packages(), "packages", target=60),
    ]


def _wheel_bytes() -> int:
    with tempfile.TemporaryDirectory() as directory:
        uv = Path(sys.executable).with_name("uv")
        command = [str(uv), "build", "--quiet", "--wheel", "--out-dir", directory, str(ROOT)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return next(Path(directory).glob("*.whl")).stat().st_size


def _packages() -> int:
    return len(re.findall(r"^[a-z0-9._-]+==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
