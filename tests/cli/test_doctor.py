"""`limner doctor`: every line is true, and what is wrong is said with what to do."""

import asyncio
import socket
from typing import Any

import pytest
from tests.cli.terminal import Terminal
from tests.peers.collector import collecting
from tests.peers.openid import OpenIdPeer, settings_of
from tests.peers.smtp import mail_server
from tests.peers.stripe import SECRET_KEY, WEBHOOK_SECRET, StripePeer
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
        ("LIMNER_SMTP_URL", "smtp://127.0.0.1:9", "mail"),
        ("LIMNER_SMTP_URL", "mail.example.org", "mail"),
        ("LIMNER_STRIPE_SECRET_KEY", "sk_test_x", "payments"),
        ("LIMNER_OTLP_ENDPOINT", "http://127.0.0.1:9", "traces"),
    ],
)
def test_what_is_wrong_has_its_line_and_its_advice(terminal: Terminal, setting: str, value: str, check: str) -> None:
    nowhere = {
        name: f"http://127.0.0.1:{free_port()}/v1" for name in ("LIMNER_OPENAI_BASE_URL", "LIMNER_STRIPE_BASE_URL")
    }
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


async def test_the_mail_server_payments_and_who_is_told_are_asked_too(terminal: Terminal) -> None:
    async with mail_server() as mail:
        with StripePeer() as stripe, collecting() as collector:
            env = {
                "LIMNER_SMTP_URL": mail.url,
                "LIMNER_STRIPE_SECRET_KEY": SECRET_KEY,
                "LIMNER_STRIPE_BASE_URL": stripe.origin,
                "LIMNER_OTLP_ENDPOINT": collector.origin,
                "LIMNER_SENTRY_DSN": "https://key@sentry.example.org/1",
            }
            unverified = (await asyncio.to_thread(examined, terminal, **env))[1]
            code, checks = await asyncio.to_thread(
                examined, terminal, **env, LIMNER_STRIPE_WEBHOOK_SECRET=WEBHOOK_SECRET
            )
        assert mail.is_empty
    assert not unverified["payments"]["ok"]
    assert {"mail", "payments", "traces", "error reports"} <= checks.keys()
    assert (code, [name for name, check in checks.items() if not check["ok"]]) == (0, [])
    assert collector.requests == []
