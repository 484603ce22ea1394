"""`limner worker`: runs what others were asked for, answers nobody but the operator, and ends when told."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from tests.cli.terminal import Terminal
from tests.service import free_port


def test_sqlite_needs_no_worker(terminal: Terminal) -> None:
    for refused in (terminal.run("worker"), terminal.run("serve", env={"LIMNER_RUN_GENERATIONS": "off"})):
        assert refused.code == 2
        assert "PostgreSQL" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_server_that_leaves_running_to_workers_shows_pictures_a_worker_made(
    terminal: Terminal, postgresql_url: str
) -> None:
    port = free_port()
    terminal.env |= {"LIMNER_DATABASE_URL": postgresql_url, "LIMNER_RUN_GENERATIONS": "off"}
    terminal.ok("accounts", "create", "a@example.org", "--credits", "10")
    key = terminal.ok("keys", "create", "--account", "a@example.org").strip()
    headers = {"Authorization": f"Bearer {key}"}
    with terminal.server() as server, httpx2.Client(base_url=server.url, headers=headers, timeout=40) as http:
        waiting = http.post("/api/v1/images/generate", json={"prompt": "a lake", "waitSeconds": 0})
        assert waiting.status_code == 202
        image_id = waiting.json()["image"]["id"]
        assert http.get(f"/api/v1/images/{image_id}?format=metadata&wait=1").json()["image"]["status"] == "queued"
        with worker(terminal, port) as process:
            done = http.get(f"/api/v1/images/{image_id}?format=metadata&wait=30").json()["image"]
            assert done["status"] == "succeeded"
            assert httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
            assert httpx2.get(f"http://127.0.0.1:{port}/api/v1/account").status_code == 404
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(20) == 0
        assert server.end() == 0


@contextmanager
def worker(terminal: Terminal, health_port: int) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "limner", "worker"]
    environment = terminal.environment({"LIMNER_METRICS_PORT": str(health_port)})
    process = subprocess.Popen(command, cwd=terminal.home, env=environment)
    try:
        until_answered(process, f"http://127.0.0.1:{health_port}/readyz")
        yield process
    finally:
        process.kill()
        process.wait()


def until_answered(process: "subprocess.Popen[bytes]", url: str) -> None:
    while process.poll() is None:
        try:
            if httpx2.get(url).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.02)  # another process starts: there is no event to wait for
    raise AssertionError("the worker did not start")
