"""Runs small Python programs in a process of their own, where limits, kills and memory are theirs alone."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
"""So that it can import the service and the tests' own helpers, wherever it is started."""


def run_python(program: str, *arguments: str, timeout_seconds: float = 50) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_seconds, env=ENVIRONMENT)


def start_python(program: str, *arguments: str) -> subprocess.Popen[str]:
    """With pipes to its stdin and from its stdout; use it in a `with`."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)


def peak_mib() -> int:
    """The most memory this process has held. Not ru_maxrss: that one begins with the memory of the parent."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) // 1024
