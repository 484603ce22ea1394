"""`limner serve`: starts, says how to get in, ends when told, and refuses in one sentence."""

import asyncio
import json
import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from tests.cli.terminal import Terminal
from tests.peers.openai import OpenAIPeer


def test_the_first_start_says_where_it_is_and_how_to_get_in(terminal: Terminal) -> None:
    terminal.env["OPENAI_API_KEY"] = "sk-not-real"
    with terminal.server() as server:
        assert httpx2.get(f"{server.url}/healthz").json() == {"status": "ok"}
        assert server.end() == 0
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    ready = next(line for line in lines if line["event"] == "ready")
    assert (ready["url"], ready["data_dir"]) == (server.url, str(terminal.data_dir))
    assert any(line.get("key_from") == "OPENAI_API_KEY" for line in lines)
    link = next(line["link"] for line in lines if "link" in line)
    assert link.startswith(f"{server.url}/sign-in/")
    assert "sk-not-real" not in server.log.read_text()


def test_payments_that_nobody_could_confirm_are_said_at_the_start(terminal: Terminal) -> None:
    terminal.env["LIMNER_STRIPE_SECRET_KEY"] = "sk_test_x"
    with terminal.server() as server:
        assert server.end() == 0
    assert "LIMNER_STRIPE_WEBHOOK_SECRET is not set" in server.log.read_text()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_told(terminal: Terminal, how: int) -> None:
    with terminal.server() as server:
        assert server.end(how) == 0
    assert "Traceback" not in server.log.read_text()


def test_told_to_end_it_is_not_ready_at_once_and_finishes_what_it_has_begun(terminal: Terminal) -> None:
    with OpenAIPeer() as peer:
        peer.fail("slow")
        terminal.env |= {"LIMNER_OPENAI_API_KEY": "sk-peer", "LIMNER_OPENAI_BASE_URL": peer.base_url}
        with terminal.server() as server, ThreadPoolExecutor(1) as elsewhere:
            terminal.ok("accounts", "create", "ana@example.org")
            key = terminal.ok("keys", "create", "--account", "ana@example.org").strip()
            with httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as http:
                body = {"prompt": "a lake", "modelId": "openai:gpt-image-2", "includeBytes": False}
                answer = elsewhere.submit(http.post, "/api/v1/images/generate", json=body)
                asyncio.run(peer.asked())
                server.process.terminate()
                while httpx2.get(f"{server.url}/readyz").status_code != 503:
                    assert server.process.poll() is None
                peer.release()
                assert answer.result().json()["image"]["status"] == "succeeded"
            assert server.process.wait(40) == 0
        assert terminal.run("audit").code == 0


def test_a_sqlite_file_is_served_once(terminal: Terminal) -> None:
    with terminal.server() as server:
        second = terminal.run("serve", "--port", "0")
        same_port = terminal.run("serve", "--port", server.url.rpartition(":")[2])
    assert second.code == same_port.code == 2
    assert "PostgreSQL" in second.stderr
    assert second.stderr == same_port.stderr
    assert second.stderr.count("\n") == 1


def test_a_database_of_a_newer_version_is_left_alone(terminal: Terminal) -> None:
    terminal.ok("migrate")
    with sqlite3.connect(terminal.data_dir / "limner.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999_tomorrow'")
    database.close()
    refused = terminal.run("serve", "--port", "0")
    assert refused.code == 2
    assert "9999_tomorrow" in refused.stderr
    assert refused.stderr.count("\n") == 1


def refused_start(terminal: Terminal, command: str, name: str, value: str) -> None:
    refused = terminal.run(command, env={"LIMNER_PORT": "0", name: value})
    assert (refused.code, refused.stdout) == (2, "")
    assert refused.stderr.startswith("limner: ")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIMNER_PORT", "eighty"),
        ("LIMNER_PUBLIC_URL", "images.example.org"),
        ("LIMNER_DATABASE_URL", "mysql://localhost"),
        ("LIMNER_DATABASE_URL", "sqlite:///"),
        ("LIMNER_CATALOG", "/nowhere/catalog.toml"),
        ("LIMNER_LOG_LEVEL", "loud"),
        ("LIMNER_OPENAI_API_KEY_FILE", "/nowhere/key"),
        ("LIMNER_PACKS", "a lot"),
    ],
)
def test_a_bad_setting_stops_every_command_with_one_sentence(terminal: Terminal, name: str, value: str) -> None:
    refused_start(terminal, "migrate", name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIMNER_DATABASE_URL", "postgresql:///nobody?host=/nowhere"),
        ("LIMNER_BLOBS_URL", "ftp://example.org"),
        ("LIMNER_DEFAULT_MODEL", "openai:gpt-image-0"),
        ("LIMNER_DATA_DIR", "/dev/null/limner"),
        ("LIMNER_HOST", "no.such.host.invalid"),
        ("LIMNER_RATE_LIMIT", "many"),
    ],
)
def test_what_a_start_finds_wrong_is_one_sentence(terminal: Terminal, name: str, value: str) -> None:
    refused_start(terminal, "serve", name, value)
