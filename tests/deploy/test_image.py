"""The image, made and run outside a container by the very lines of the Dockerfile."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from tests.cli.terminal import Server
from tests.deploy.images import ROOT, Image, dockerfile
from tests.service import free_port


def test_the_dockerfile_passes_its_linter() -> None:
    linted = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), ROOT / "Dockerfile"], capture_output=True, text=True
    )
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_image_is_not_run_by_root_and_says_whether_it_lives() -> None:
    image = dockerfile()
    assert image.user.partition(":")[0] not in ("", "root", "0")
    assert image.health[:2] == ["python", "-c"]
    assert image.stages == 2


def test_what_is_copied_reaches_the_builder() -> None:
    """.dockerignore keeps out everything but what it names."""
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert sorted(source for source, _ in dockerfile().copies) == sorted(let_in)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_image_is_built_serves_and_is_healthy(tmp_path: Path) -> None:
    image = dockerfile()
    place = Place(tmp_path)
    for source, target in image.copies:
        place.copy(source, target)
    for line in image.runs:
        place.run(["sh", "-euc", place.here(line)])
    assert "pip" not in {path.name for path in place.site_packages.iterdir()}
    environment = place.environment(image)
    command = [*image.entrypoint, *image.command]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, cwd="/", stderr=log)
    server = Server(process, f"http://127.0.0.1:{environment['LIMNER_PORT']}", tmp_path / "log")
    try:
        server.until_ready()
        assert place.run(image.health, env=environment).returncode == 0
        assert httpx2.get(f"{server.url}/docs").status_code == 200
        assert place.run([*image.entrypoint, "audit"], env=environment).stdout.endswith("Everything agrees.\n")
        assert server.end() == 0
    finally:
        process.kill()
        process.wait()


class Place:
    """A directory that stands for the image's root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        (root / "build").mkdir()
        (root / "bin").mkdir()
        (root / "bin/python").symlink_to(sys.executable)

    @property
    def site_packages(self) -> Path:
        return self.root / "opt/limner/lib" / self.version / "site-packages"

    def here(self, text: str) -> str:
        return text.replace("/opt/limner", f"{self.root}/opt/limner").replace("python3.13", self.version)

    def copy(self, source: str, target: str) -> None:
        to = self.root / "build" if target == "./" else Path(self.here(target))
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, to, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, to)

    def run(self, command: list[str], env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            command, cwd=self.root / "build", env=env or {**os.environ, "PATH": path}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def environment(self, image: Image) -> dict[str, str]:
        """The image's own, with ports that are free here and a data directory that is ours."""
        path = self.here(image.env["PATH"]).replace("$PATH", os.environ["PATH"])
        ports = {"LIMNER_PORT": str(free_port()), "LIMNER_METRICS_PORT": str(free_port())}
        return {**image.env, **ports, "PATH": path, "LIMNER_DATA_DIR": str(self.root / "data"), "HOME": str(self.root)}
