"""`./limner` in a clone: sets itself up once, then is the command."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAIN = "import os, sys; print(os.getcwd(), *sys.argv[1:])\n"


class Clone:
    """A small stand-in for a clone: the real launcher and tools, an empty lock and a main module that echoes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "tools", root / "tools")
        shutil.copy2(ROOT / "limner", root / "limner")
        (root / "src" / "limner").mkdir(parents=True)
        (root / "src" / "limner" / "__main__.py").write_text(MAIN)
        self.lock("# nothing yet\n")

    def lock(self, text: str) -> None:
        (self.root / "requirements.lock").write_text(text)

    def start(self, *arguments: str, launcher: Path | None = None, path: Path | None = None) -> subprocess.Popen[str]:
        python_on_path = Path(sys.executable).resolve().parent
        return subprocess.Popen(
            [launcher or self.root / "limner", *arguments],
            cwd=self.root.parent,
            env={**os.environ, "PATH": str(path) if path else f"{python_on_path}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, launcher: Path | None = None, path: Path | None = None) -> tuple[int, str, str]:
        return outcome(self.start(*arguments, launcher=launcher, path=path))


def outcome(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    stdout, stderr = process.communicate()
    return process.returncode, stdout, stderr


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone whose first start is over."""
    clone = Clone(tmp_path_factory.mktemp("ready") / "clone")
    code, _, stderr = clone.run()
    assert code == 0, stderr
    return clone


def test_the_command_runs_where_the_user_stands_and_gets_every_argument(ready: Clone) -> None:
    code, stdout, _ = ready.run("generate", "a red boat", "-o", "boat.png")
    assert (code, stdout) == (0, f"{ready.root.parent} generate a red boat -o boat.png\n")


def test_a_later_start_says_nothing_of_its_own(ready: Clone) -> None:
    assert ready.run()[2] == ""


def test_the_launcher_works_through_a_link(ready: Clone, tmp_path: Path) -> None:
    link = tmp_path / "limner"
    link.symlink_to(ready.root / "limner")
    assert ready.run("serve", launcher=link)[:2] == (0, f"{ready.root.parent} serve\n")


def test_the_clone_can_be_moved(ready: Clone) -> None:
    ready.root = ready.root.rename(ready.root.with_name("moved"))
    assert ready.run() == (0, f"{ready.root.parent}\n", "")


@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        ("exit 1", "limner: Python 3.11 or newer is needed, and none is on the PATH.\n"),
        (
            "case $2 in *ensurepip*) exit 1 ;; esac",
            "limner: this Python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv\n",
        ),
    ],
    ids=["too old", "no venv module"],
)
def test_an_unsuitable_python_is_named_in_one_sentence(
    clone: Clone, tmp_path: Path, python: str, sentence: str
) -> None:
    path = tmp_path / "bin"
    path.mkdir()
    for name in ["python3.13", "python3.12", "python3.11", "python3", "python"]:
        (path / name).write_text(f"#!/bin/sh\n{python}\n")
        (path / name).chmod(0o755)
    assert clone.run(path=path) == (1, "", sentence)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_what_cannot_be_installed_stops_the_start(clone: Clone) -> None:
    clone.lock("no-such-package @ file:///nowhere --hash=sha256:" + "0" * 64 + "\n")
    code, stdout, stderr = clone.run()
    assert (code, stdout) == (1, "")
    assert stderr.endswith("Run the command again to retry.\n")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_half_made_environment_is_made_anew(clone: Clone) -> None:
    (clone.root / ".venv" / "bin").mkdir(parents=True)
    (clone.root / ".venv" / "bin" / "python").symlink_to("/nowhere/python3.11")
    (clone.root / ".venv" / "requirements.lock").write_text("# nothing yet\n")
    assert clone.run()[:2] == (0, f"{clone.root.parent}\n")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_two_first_starts_at_once_set_up_only_once(clone: Clone) -> None:
    outcomes = [outcome(process) for process in [clone.start(), clone.start()]]
    assert [code for code, _, _ in outcomes] == [0, 0]
    assert "".join(stderr for _, _, stderr in outcomes).count("setting up") == 1


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_changed_lock_is_installed_at_the_next_start(clone: Clone) -> None:
    clone.run()
    clone.lock("# something else\n")
    assert "installing" in clone.run()[2]
    assert clone.run()[2] == ""
