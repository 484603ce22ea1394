"""systemd units, compose and the proxies: what they start and set is what the program knows, and works."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from tests.cli.terminal import Server, Terminal
from tests.databases import fresh_postgresql
from tests.deploy.images import ROOT, dockerfile
from tests.object_store import object_store
from tests.service import free_port

from limner.cli import COMMANDS
from limner.config import Config

UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
ASKED = {"LIMNER_DOMAIN": "images.example.org", "POSTGRES_PASSWORD": "p", "OBJECTS_PASSWORD": "o"}


def unit(path: Path) -> dict[str, list[str]]:
    """The [Service] part; a key may stand more than once."""
    lines = path.read_text().partition("[Service]")[2].partition("\n[")[0].splitlines()
    found: dict[str, list[str]] = {}
    for key, separator, value in (line.partition("=") for line in lines if not line.startswith("#")):
        if separator:
            found.setdefault(key, []).append(value)
    return found


def resolved(value: Any) -> Any:
    """Compose's own variables, with what the example file asks for."""
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)(?::[-?][^}]*)?\}", lambda found: ASKED.get(found[1], ""), value)
    if isinstance(value, dict):
        return {name: resolved(each) for name, each in value.items()}
    return [resolved(each) for each in value] if isinstance(value, list) else value


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this machine has no systemd")
@pytest.mark.parametrize("path", UNITS, ids=[path.name for path in UNITS])
def test_a_unit_is_one_that_systemd_understands(path: Path, tmp_path: Path) -> None:
    """With a program that is there: the unit names where an installation puts it."""
    copy = tmp_path / path.name
    copy.write_text(path.read_text().replace("/opt/limner/bin/limner", "/bin/true"))
    checked = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("path", UNITS, ids=[path.name for path in UNITS])
def test_a_unit_starts_a_command_and_waits_as_long_as_it_needs_to_end(path: Path) -> None:
    service = unit(path)
    [command] = service["ExecStart"]
    assert shlex.split(command)[1] in COMMANDS
    assert int(service["TimeoutStopSec"][0]) >= 55
    assert service["EnvironmentFile"] == ["-/etc/limner/limner.env"]


def test_the_server_of_the_unit_runs_with_the_example_of_its_settings(terminal: Terminal) -> None:
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string("[env]\n" + (ROOT / "deploy/systemd/limner.env.example").read_text())
    terminal.env |= dict(parser["env"])
    [command] = unit(ROOT / "deploy/systemd/limner.service")["ExecStart"]
    assert shlex.split(command)[1:] == ["serve"]
    with terminal.server() as server:
        assert server.end() == 0


def test_every_setting_that_is_shown_is_one(terminal: Terminal) -> None:
    documented = set(re.findall(r"`(?:LIMNER_)?([A-Z_]+)`", (ROOT / "docs/operate/configuration.md").read_text()))
    shown = "\n".join(
        path.read_text()
        for path in [ROOT / "compose.yaml", ROOT / "Dockerfile", *ROOT.glob("deploy/**/*.*")]
        if path.suffix != ".lock"
    )
    assert set(re.findall(r"\bLIMNER_([A-Z_]+)\b", shown)) - documented - {"DOMAIN"} == set()


def test_the_services_of_compose_are_the_image_and_what_it_stands_on() -> None:
    services = resolved(COMPOSE)["services"]
    image = dockerfile()
    for name in ("server", "worker"):
        service = services[name]
        assert service["command"][0] in COMMANDS
        assert service["read_only"]
        assert image.env["LIMNER_DATA_DIR"] in service["volumes"][0]
        assert int(service["stop_grace_period"].removesuffix("s")) >= 55
        config = Config.from_env(image.env | service["environment"])
        assert config.database_url == "postgresql://limner:p@database/limner"
        assert config.blobs_url == "s3://limner"
        assert set(service["depends_on"]) <= set(services)
    for volume in (each.partition(":")[0] for service in services.values() for each in service.get("volumes", [])):
        assert volume in COMPOSE["volumes"] or (ROOT / volume).exists()
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))
    assert asked == set(re.findall(r"^#? ?(\w+)=", (ROOT / "deploy/compose.env.example").read_text(), re.MULTILINE))


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_server_of_compose_runs_on_postgresql_and_an_object_store(terminal: Terminal, postgres_server: str) -> None:
    service, worker = (resolved(COMPOSE)["services"][name] for name in ("server", "worker"))
    with object_store() as store, fresh_postgresql(postgres_server, "template0") as url:
        store.make_bucket(service["environment"]["LIMNER_BLOBS_URL"].removeprefix("s3://"))
        here = {"LIMNER_DATABASE_URL": url, "LIMNER_BLOBS_ENDPOINT": store.endpoint}
        terminal.env |= dockerfile().env | service["environment"] | here
        terminal.env |= {"LIMNER_HOST": "127.0.0.1", "LIMNER_METRICS_PORT": str(free_port()), "PATH": ""}
        terminal.env |= {"LIMNER_DATA_DIR": str(terminal.data_dir)}
        with terminal.server(*service["command"][1:]) as server:
            assert httpx2.get(f"{server.url}/readyz").json()["checks"] == {"database": "ok", "blobs": "ok"}
            with beside(terminal, worker["command"]) as operators:
                assert httpx2.get(f"{operators}/readyz").json()["checks"] == {"database": "ok", "blobs": "ok"}
                assert "limner_queued_generations 0.0" in httpx2.get(f"{operators}/metrics").text
            assert server.end() == 0


@contextmanager
def beside(terminal: Terminal, command: list[str]) -> Iterator[str]:
    """A worker; where its operator's port answers. It ends by itself once it is told to."""
    port = free_port()
    environment = terminal.environment({"LIMNER_METRICS_PORT": str(port)})
    with (terminal.home / "worker.log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "limner", *command], env=environment, stderr=log)
    worker = Server(process, f"http://127.0.0.1:{port}", terminal.home / "worker.log")
    try:
        worker.until_ready()
        yield worker.url
        assert worker.end() == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(shutil.which("nginx") is None, reason="this machine has no nginx")
def test_calls_and_streams_come_through_nginx(terminal: Terminal, tmp_path: Path) -> None:
    with terminal.server() as server:
        terminal.env |= {"LIMNER_URL": server.url}
        with Nginx(tmp_path, server.url) as proxy:
            answer = httpx2.get(f"{proxy}/readyz")
            assert answer.json()["status"] == "ok"
            assert answer.headers["x-request-id"]
            assert httpx2.get(f"{proxy}/metrics").status_code == 404


class Nginx:
    """The example, with a port for the one of TLS and our server behind it."""

    def __init__(self, folder: Path, behind: str) -> None:
        self._port = free_port()
        text = (ROOT / "deploy/nginx/limner.conf").read_text()
        text = re.sub(r"server \{\s+listen 80;.*?\n\}\n", "", text, count=1, flags=re.DOTALL)
        text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{self._port};")
        text = re.sub(r"ssl_\w+ [^;]+;", "", text).replace("127.0.0.1:8000", behind.removeprefix("http://"))
        places = "".join(
            f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self._file = folder / "nginx.conf"
        self._file.write_text(
            f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; events {{}}\n"
            f"http {{ access_log off; {places}\n{text}\n}}\n"
        )

    def __enter__(self) -> str:
        self._process = subprocess.Popen(["nginx", "-c", self._file])
        with httpx2.Client() as http:
            while self._process.poll() is None:
                try:
                    http.get(f"http://127.0.0.1:{self._port}/healthz")
                    break
                except httpx2.TransportError:
                    continue
        return f"http://127.0.0.1:{self._port}"

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
