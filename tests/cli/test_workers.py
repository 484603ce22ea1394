"""`limner serve --workers N`: several processes on one socket and one PostgreSQL database."""

import os
import signal
from pathlib import Path

import httpx2
import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier, Literal
from tests.cli.terminal import Server, Terminal
from tests.service import free_port


def test_sqlite_has_one_serving_process(terminal: Terminal) -> None:
    refused = terminal.run("serve", "--workers", "2")
    assert refused.code == 2
    assert "PostgreSQL" in refused.stderr


def test_processes_answer_together_are_replaced_when_they_die_and_end_together(
    terminal: Terminal, postgresql_url: str
) -> None:
    terminal.env["LIMNER_DATABASE_URL"] = postgresql_url
    with terminal.server("--workers", "2") as server:
        children = children_of(server)
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


def test_a_process_that_finds_no_database_is_started_again_until_there_is_one(
    terminal: Terminal, postgresql_url: str
) -> None:
    terminal.env["LIMNER_DATABASE_URL"] = postgresql_url
    with terminal.server("--workers", "2") as server:
        server.until_said("ready", 2)
        let_connect(postgresql_url, False)
        os.kill(int(children_of(server).read_text().split()[0]), signal.SIGKILL)
        server.until_said("the database does not answer", 1)
        let_connect(postgresql_url, True)
        server.until_said("ready", 3)
        assert server.process.poll() is None
        assert len(children_of(server).read_text().split()) == 2


def test_processes_end_with_a_supervisor_that_is_killed(terminal: Terminal, postgresql_url: str) -> None:
    terminal.env["LIMNER_DATABASE_URL"] = postgresql_url
    with terminal.server("--workers", "2") as server:
        server.until_said("ready", 2)
        server.end(signal.SIGKILL)
        until_nobody_listens(server.url)


def test_the_operators_port_adds_up_what_every_process_has_counted(terminal: Terminal, postgresql_url: str) -> None:
    port = free_port()
    terminal.env |= {"LIMNER_DATABASE_URL": postgresql_url, "LIMNER_METRICS_PORT": str(port)}
    with terminal.server("--workers", "2") as server:
        server.until_said("ready", 2)
        before = counted(port)
        for _ in range(20):  # a connection each, which the kernel gives to either process
            assert httpx2.get(f"{server.url}/api/v1/account").status_code == 401
        assert counted(port) == before + 20
        assert httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
        assert httpx2.get(f"http://127.0.0.1:{port}/api/v1/account").status_code == 404
        assert httpx2.get(f"{server.url}/metrics").status_code == 404


def children_of(server: Server) -> Path:
    return Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")


def let_connect(url: str, may: bool) -> None:
    """Whether anybody may connect to the database anew; who is connected stays."""
    name = conninfo_to_dict(url)["dbname"]
    with psycopg.connect(url, dbname="postgres", autocommit=True) as server:
        server.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(Identifier(f"{name}"), Literal(may)))


def until_nobody_listens(url: str) -> None:
    """Other processes end: there is no event to wait for."""
    while True:
        try:
            httpx2.get(f"{url}/healthz")
        except httpx2.ConnectError:
            return
        except httpx2.TransportError:
            pass  # it was just being closed


def counted(port: int) -> float:
    text = httpx2.get(f"http://127.0.0.1:{port}/metrics").text
    line = 'limner_requests_total{door="rest",status="401"} '
    return sum(float(each.removeprefix(line)) for each in text.splitlines() if each.startswith(line))


def test_what_keeps_them_from_starting_ends_the_whole(terminal: Terminal) -> None:
    terminal.env["LIMNER_DATABASE_URL"] = "postgresql:///nobody?host=/nowhere"
    refused = terminal.run("serve", "--workers", "2", "--port", "0")
    assert refused.code == 2
    assert "Traceback" not in refused.stderr
