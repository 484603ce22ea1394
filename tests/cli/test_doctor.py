"""`limner doctor`: every line is true, and what is wrong is said with what to do."""

import socket
from typing import Any

import pytest
from tests.cli.terminal import Terminal
from tests.peers.openid import OpenIdPeer, settings_of
from tests.service import free_port


def examined(terminal: Terminal, **env: str) -> tuple[int, dict[str, Any]]:
    outcome = terminal.run("doctor", "--json", env={"LIMNER_PORT": str(free_port())} | env)
    return outcome.code, {check["check"]: check for check in outcome.json["checks"]}


def test_a_new_machine_is_healthy(terminal: Terminal) -> None:
    code, checks = examined(terminal)
    assert code == 0
    assert {"configuration", "database", "pictures", "disk", "port", "catalogue", "providers"} <= checks.keys()
    assert "limner:sketch" in checks["providers"]["says"]


def test_beside_a_running_server_all_is_well(terminal: Terminal) -> None:
    with terminal.server() as server:
        code, checks = examined(terminal, LIMNER_PORT=server.url.rpartition(":")[2])
    assert code == 0
    assert "a Limner server answers" in checks["port"]["says"]
    assert checks["schema"]["ok"]


@pytest.mark.parametrize(
    ("setting", "value", "check"),
    [
        ("LIMNER_RATE_LIMIT", "many", "configuration"),
        ("LIMNER_DATABASE_URL", "postgresql:///x?host=/nowhere", "database"),
        ("LIMNER_BLOBS_URL", "ftp://example.org/x", "pictures"),
        ("LIMNER_OPENAI_API_KEY", "sk-wrong", "openai"),
        ("LIMNER_OIDC_CLIENT_ID", "x", "configuration"),
    ],
)
def test_what_is_wrong_has_its_line_and_its_advice(terminal: Terminal, setting: str, value: str, check: str) -> None:
    nowhere = {"LIMNER_OPENAI_BASE_URL": f"http://127.0.0.1:{free_port()}/v1"}
    code, checks = examined(terminal, **{setting: value}, **nowhere)
    assert code == 1
    assert not checks[check]["ok"]
    assert checks[check]["advice"]


def test_a_taken_port_is_noticed(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        taken.listen()
        code, checks = examined(terminal, LIMNER_PORT=str(taken.getsockname()[1]))
    assert (code, checks["port"]["ok"]) == (1, False)


def test_a_person_reads_it_as_lines(terminal: Terminal) -> None:
    said = terminal.ok("doctor")
    assert all(line.startswith("ok ") for line in said.splitlines())


def test_issuers_that_can_be_asked_and_those_that_cannot(terminal: Terminal) -> None:
    with OpenIdPeer() as peer:
        nowhere = {"LIMNER_OIDC_GONE_ISSUER": f"http://127.0.0.1:{free_port()}", "LIMNER_OIDC_GONE_CLIENT_ID": "x"}
        code, checks = examined(terminal, **settings_of(peer), **nowhere)
    assert code == 1
    assert checks["sign-in oidc"]["ok"]
    assert "/sign-in/with/oidc/callback" in checks["sign-in oidc"]["says"]
    assert not checks["sign-in gone"]["ok"]
