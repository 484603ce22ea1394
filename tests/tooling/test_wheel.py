"""What is published: one small wheel that holds everything the service needs, and installs by itself."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import limner

ROOT = Path(__file__).parents[2]
VERSION = f"limner {limner.__version__}"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def run(*command: str | Path) -> str:
    outside = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    outside["UV_SYSTEM_CERTS"] = "1"  # as pip takes them
    done = subprocess.run([*command], cwd="/", env=outside, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def tracked(folder: str) -> set[str]:
    return set(run("git", "-C", ROOT, "ls-files", "-z", folder).rstrip("\0").split("\0"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "uv", "build", "--quiet", "--out-dir", folder, ROOT)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_every_file_of_the_package_and_its_licence(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    package = {name.removeprefix("src/") for name in tracked("src/limner")}
    licences = {f"limner-{limner.__version__}.dist-info/licenses/{name}" for name in ["LICENSE", "NOTICE"]}
    assert package | licences <= held
    assert {name for name in held if name.endswith((".py", ".toml"))} <= package


def test_the_wheel_is_under_two_megabytes(wheel: Path) -> None:
    assert wheel.stat().st_size < 2_000_000


def test_pip_installs_the_wheel_into_a_fresh_environment(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path)
    run(tmp_path / "bin" / "pip", "install", "-qq", wheel)
    assert run(tmp_path / "bin" / "limner", "--version") == VERSION


def test_uvx_runs_the_command_from_a_clone() -> None:
    assert (
        run(
            sys.executable,
            "-m",
            "uv",
            "tool",
            "run",
            "--quiet",
            "--refresh-package",
            "limner",
            "--from",
            ROOT,
            "limner",
            "--version",
        )
        == VERSION
    )
