"""`limner serve --workers N`: several processes on one socket and one PostgreSQL database."""

import os
import signal
from pathlib import Path

import httpx2
from tests.cli.terminal import Terminal


def test_sqlite_has_one_serving_process(terminal: Terminal) -> None:
    refused = terminal.run("serve", "--workers", "2")
    assert refused.code == 2
    assert "PostgreSQL" in refused.stderr


def test_processes_answer_together_are_replaced_when_they_die_and_end_together(
    terminal: Terminal, postgresql_url: str
) -> None:
    terminal.env["LIMNER_DATABASE_URL"] = postgresql_url
    with terminal.server("--workers", "2") as server:
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        server.until_said("ready", 2)
        first, second = children.read_text().split()
        os.kill(int(first), signal.SIGKILL)
        server.until_said("ready", 3)
        assert httpx2.get(f"{server.url}/readyz").status_code == 200
        after = children.read_text().split()
        assert second in after
        assert len(after) == 2
        assert server.end() == 0
        assert not any(Path(f"/proc/{child}").exists() for child in after)


def test_what_keeps_them_from_starting_ends_the_whole(terminal: Terminal) -> None:
    terminal.env["LIMNER_DATABASE_URL"] = "postgresql:///nobody?host=/nowhere"
    refused = terminal.run("serve", "--workers", "2", "--port", "0")
    assert refused.code == 2
    assert "Traceback" not in refused.stderr
