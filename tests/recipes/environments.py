"""A virtual environment per recipe: agent frameworks want versions of their own, so each has a lock file here."""

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.tools import missing

FOLDER = Path(__file__).parent


def python_of(recipe: str) -> Path:
    """The Python that has what `<recipe>.lock` pins; installed once per lock file."""
    lock, home = FOLDER / f"{recipe}.lock", FOLDER / ".venvs" / recipe
    stamp = home / "installed.lock"
    home.parent.mkdir(exist_ok=True)
    with home.with_suffix(".busy").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        if not (stamp.exists() and stamp.read_bytes() == lock.read_bytes()):
            _uv("venv", "--clear", "--python", sys.executable, str(home))
            _uv("pip", "install", "--python", str(home), "--require-hashes", "--no-deps", "--requirement", str(lock))
            shutil.copyfile(lock, stamp)
    return home / "bin" / "python"


def _uv(*arguments: str) -> None:
    found = importlib.util.find_spec("uv")
    if found is None:
        missing("uv (./check installs it)")
    done = subprocess.run(
        [sys.executable, "-m", "uv", "--quiet", *arguments], capture_output=True, text=True, env={**os.environ}
    )
    if done.returncode != 0:
        missing(f"the packages of a recipe ({done.stderr.strip()[-300:]})")
