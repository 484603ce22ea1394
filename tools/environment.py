"""Brings .venv up to a lock file; safe to kill at any moment and to start twice at once."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def main(lock_name: str) -> None:
    with one_at_a_time():
        if not installed(lock_name):
            if not usable():
                make()
            install(lock_name)
            link_source()
            compile_what_a_start_imports()
            stamp(lock_name)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Waits while another process is setting up; the lock goes with its process, however that ends."""
    with (ROOT / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def installed(lock_name: str) -> bool:
    """A stamp is a copy of the lock that was installed, so that the launcher can compare without Python."""
    stamped = VENV / lock_name
    return usable() and stamped.exists() and stamped.read_bytes() == (ROOT / lock_name).read_bytes()


def usable() -> bool:
    """Finished once, and its Python has not been removed since (PYTHON is a link to it)."""
    return PYTHON.exists() and any(VENV.glob("*.lock"))


def make() -> None:
    say("setting up .venv (only this first time; takes about half a minute)")
    # The real path: a link such as /usr/bin/python3 may point at another version after a system upgrade.
    python = Path(sys.executable).resolve()
    run([str(python), "-m", "venv", "--clear", str(VENV)])


def install(lock_name: str) -> None:
    lock = ROOT / lock_name
    say(f"installing {lock.read_text().count('==')} packages from {lock_name}")
    for stamped in VENV.glob("*.lock"):
        stamped.unlink()  # an interrupted installation starts over from nothing
    pip = [str(PYTHON), "-m", "pip", "install", "-qq", "--no-input", "--disable-pip-version-check", "--no-compile"]
    run([*pip, "--require-hashes", "--no-deps", "--requirement", str(lock)])


def link_source() -> None:
    """The package itself runs from src: a git pull takes effect, nothing is built, the clone can be moved."""
    site_packages = next(VENV.glob("lib/python3*/site-packages"))
    (site_packages / "limner.pth").write_text(os.path.relpath(ROOT / "src", site_packages) + "\n")


def compile_what_a_start_imports() -> None:
    """Now, by importing it once: where PYTHONDONTWRITEBYTECODE is set, every start would compile it again."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([str(PYTHON), "-c", "import limner.app, limner.cli.quickstart"], env=environment)


def stamp(lock_name: str) -> None:
    """The development lock holds everything the other one does, so it counts for both."""
    for name in {lock_name, "requirements.lock"}:
        unfinished = VENV / f"{name}.new"
        shutil.copyfile(ROOT / name, unfinished)
        unfinished.rename(VENV / name)


def run(command: list[str]) -> None:
    """Standard output belongs to the command the user asked for, so everything here goes to standard error."""
    environment = {**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    if subprocess.run(command, stdout=sys.stderr, stdin=subprocess.DEVNULL, env=environment).returncode:
        sys.exit("limner: the packages could not be installed; the reason is above. Run the command again to retry.")


def say(text: str) -> None:
    print(f"limner: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
