"""Runs small Python programs in a process of their own, where limits, kills and memory are theirs alone."""

import os
import subprocess
import sys
from pathlib import Path

SRC = Path(__file__).parent.parent / "src"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SRC)}


def run_python(program: str, *arguments: str, timeout_seconds: float = 50) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_seconds, env=ENVIRONMENT)


def start_python(program: str, *arguments: str) -> subprocess.Popen[str]:
    """With pipes to its stdin and from its stdout; use it in a `with`."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
