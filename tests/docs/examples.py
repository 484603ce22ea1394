"""The fenced examples of the documentation, and a place where they can be run as a reader would."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
from tests.cli.terminal import Terminal
from tests.service import free_port

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "http://127.0.0.1:8000"

LIMNER = f'#!/bin/sh\nexec "{sys.executable}" -m limner "$@"\n'
"""The command as an installation would put it on the PATH."""


NEWEST = "$(limner images --limit 1 --json | jq --raw-output '.images[0].id')"


@dataclass(frozen=True)
class Example:
    page: str
    language: str
    text: str

    @property
    def serves(self) -> bool:
        """Whether it goes on until it is told to end."""
        return re.search(r"limner (serve|worker)\b", self.text) is not None


@dataclass(frozen=True)
class Reader:
    """Somebody who follows a page: their home, a running server, and an account with a key."""

    terminal: Terminal
    url: str
    key: str

    def fill_in(self, text: str) -> str:
        """An example with this server's address and key in it."""
        text = (
            text.replace("./limner", "limner")
            .replace(ADDRESS, self.url)
            .replace("sk_…", self.key)
            .replace("/srv/limner", "elsewhere")
        )
        text = re.sub(r"\bURL\b", f"{self.url}/api/mcp", re.sub(r"\bKEY\b", self.key, text))
        return text.replace("get ID", f"get {NEWEST}")

    def follow(self, example: Example, folder: Path) -> str:
        """Run an example in a folder; what it printed. AssertionError with its complaint when it fails."""
        program = ["bash", "-euo", "pipefail", "-c"] if example.language == "sh" else [sys.executable, "-c"]
        command = [*program, self.fill_in(example.text)]
        done = subprocess.run(
            command, cwd=folder, env=self.environment(), capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, f"{example.page}\n{example.text}\n{done.stdout}{done.stderr}"
        return done.stdout

    def follow_until_ready(self, example: Example, folder: Path) -> None:
        """Run an example that serves, on a port and data of its own, and end it when it answers."""
        port = str(free_port())
        environment = self.environment() | {"LIMNER_PORT": port, "LIMNER_DATA_DIR": str(folder / "data")}
        command = ["bash", "-euo", "pipefail", "-c", f"exec {self.fill_in(example.text)}"]
        if "=" in example.text.split()[0]:
            command[-1] = f"exec env {self.fill_in(example.text)}"
        process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
        try:
            _until_ready(process, f"http://127.0.0.1:{port}", example)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.communicate()

    def environment(self) -> dict[str, str]:
        commands = self.terminal.home / "bin"
        if not commands.exists():
            commands.mkdir()
            (commands / "limner").write_text(LIMNER)
            (commands / "limner").chmod(0o755)
        more = {"LIMNER_URL": self.url, "LIMNER_API_KEY": self.key, "LIMNER_DATA_DIR": str(self.terminal.data_dir)}
        path = f"{commands}{os.pathsep}{os.environ['PATH']}"
        return self.terminal.environment(more | {"PATH": path})


def examples(*languages: str) -> Iterator[Example]:
    for page in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("skills/**/*.md")]):
        name = str(page.relative_to(ROOT))
        for language, text in re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            if language in languages:
                yield Example(name, language, text)


def _until_ready(process: "subprocess.Popen[str]", url: str, example: Example) -> None:
    with httpx2.Client() as http:
        while process.poll() is None:
            try:
                if http.get(f"{url}/readyz").status_code == 200:
                    return
            except httpx2.TransportError:
                pass  # another process starts: there is no event to wait for
    assert process.stderr
    raise AssertionError(f"{example.page}\n{example.text}\n{process.stderr.read()}")
