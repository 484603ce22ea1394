"""`limner accounts`, `credits` and `keys`: what they print and what the server then does."""

import re
import sqlite3
import time

import httpx2
import pytest
from tests.cli.terminal import Terminal

from limner.accounts.keys import looks_right


def test_an_account_a_key_and_credits_work_beside_the_running_server(terminal: Terminal) -> None:
    with terminal.server() as server:
        terminal.ok("accounts", "create", "ana@example.org", "--credits", "5")
        created = terminal.run("keys", "create", "--account", "ana@example.org", "--name", "laptop")
        secret = created.stdout.strip()
        assert looks_right(secret)
        assert created.stdout == f"{secret}\n"
        with httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {secret}"}) as http:
            assert http.get("/api/v1/account").json()["creditBalance"] == 5
            terminal.ok("credits", "grant", "ana@example.org", "20")
            assert http.get("/api/v1/account").json()["creditBalance"] == 25
            key_id = re.search(r"Key (\S+)", created.stderr)
            assert key_id
            terminal.ok("keys", "revoke", key_id[1])
            assert http.get("/api/v1/account").status_code == 401


def test_the_audit_log_knows_what_was_done_here(terminal: Terminal) -> None:
    terminal.ok("accounts", "create", "ana@example.org")
    terminal.ok("credits", "grant", "ana@example.org", "20", "--reason", "for the talk")
    terminal.ok("keys", "create", "--account", "ana@example.org")
    with sqlite3.connect(terminal.data_dir / "limner.db") as database:
        noted = database.execute("SELECT actor, action FROM audit_log ORDER BY id").fetchall()
    database.close()
    assert noted == [("command line", action) for action in ("create account", "grant credits", "create key")]


def test_a_sign_in_link_leads_into_the_dashboard(terminal: Terminal) -> None:
    with terminal.server() as server:
        terminal.env["LIMNER_PUBLIC_URL"] = server.url
        terminal.ok("accounts", "create", "ana@example.org")
        link = terminal.ok("accounts", "sign-in-link", "ana@example.org").strip()
        assert httpx2.get(link).status_code == 200
        assert terminal.run("accounts", "sign-in-link", "nobody@example.org").code == 1


def test_a_key_keeps_its_scopes_cap_expiry_and_kind(terminal: Terminal) -> None:
    terminal.ok("accounts", "create", "ana@example.org")
    account = ("--account", "ana@example.org")
    plain = terminal.ok("keys", "create", *account)
    limits = (
        "--scope",
        "images:read,images:generate",
        "--scope",
        "usage:read",
        "--cap",
        "500/month",
        "--expires",
        "30d",
    )
    limited = terminal.run("keys", "create", *account, *limits, "--test", "--json").json
    assert limited["key"].startswith("sk_test_")
    assert terminal.run("keys", "create", "--account", "ANA@example.org", "--expires", "2099-01-31").code == 0
    listed = terminal.run("keys", "list", *account, "--json").json["keys"]
    assert [key["scopes"] for key in listed] == [
        ["account:read", "images:generate", "images:read", "usage:read"],
        ["images:generate", "images:read", "usage:read"],
        ["account:read", "images:generate", "images:read", "usage:read"],
    ]
    assert listed[0]["expiresAt"] == "2099-01-31T00:00:00.000Z"
    assert (listed[1]["cap"]["limit"], listed[1]["cap"]["period"], listed[1]["test"]) == (500, "month", True)
    assert plain.strip() not in terminal.ok("keys", "list")


@pytest.fixture(scope="module")
def with_ana(tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """Where there is one account."""
    terminal = Terminal(tmp_path_factory.mktemp("ana"))
    terminal.ok("accounts", "create", "ana@example.org")
    return terminal


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("accounts", "create", "ana@example.org"), 1),
        (("accounts", "create", "nobody"), 1),
        (("accounts", "create", "eve@example.org", "--credits", "-1"), 2),
        (("credits", "grant", "nobody@example.org", "5"), 1),
        (("credits", "grant", "ana@example.org", "0"), 2),
        (("keys", "create"), 2),
        (("keys", "create", "--account", "nobody@example.org"), 1),
        (("keys", "create", "--account", "ana@example.org", "--scope", "everything"), 1),
        (("keys", "create", "--account", "ana@example.org", "--cap", "500/year"), 2),
        (("keys", "create", "--account", "ana@example.org", "--expires", "2001-01-01"), 2),
        (("keys", "revoke", "0190a000-0000-7000-8000-000000000000"), 1),
        (("nonsense",), 2),
    ],
)
def test_what_cannot_be_done_is_said_without_a_traceback(
    with_ana: Terminal, arguments: tuple[str, ...], code: int
) -> None:
    outcome = with_ana.run(*arguments)
    assert (outcome.code, outcome.stdout) == (code, "")
    assert "Traceback" not in outcome.stderr
    assert outcome.stderr


def test_a_rotated_key_has_a_new_secret_and_the_old_one_works_for_the_overlap(with_ana: Terminal) -> None:
    made = with_ana.run("keys", "create", "--account", "ana@example.org", "--json").json
    with with_ana.server() as server, httpx2.Client(base_url=server.url) as http:

        def works(secret: str) -> bool:
            return http.get("/api/v1/account", headers={"Authorization": f"Bearer {secret}"}).status_code == 200

        second = with_ana.run("keys", "rotate", made["id"]).stdout.strip()
        assert works(made["key"])
        assert works(second)
        third = with_ana.run("keys", "rotate", made["id"], "--overlap", "0h", "--json").json["key"]
        assert [works(secret) for secret in (made["key"], second, third)] == [False, False, True]
    assert with_ana.run("keys", "rotate", "0190a000-0000-7000-8000-000000000000").code == 1


def test_accounts_are_listed_with_their_balances(with_ana: Terminal) -> None:
    (ana,) = with_ana.run("accounts", "list", "--search", "ana@", "--json").json["accounts"]
    assert (ana["email"], ana["status"], ana["creditBalance"]) == ("ana@example.org", "active", 100)
    assert "ana@example.org" in with_ana.ok("accounts", "list")


def test_links_are_signed_with_a_new_secret_after_a_rotation_and_old_ones_work_on(terminal: Terminal) -> None:
    with terminal.server() as server, httpx2.Client(base_url=server.url, timeout=60) as http:
        terminal.env["LIMNER_PUBLIC_URL"] = server.url
        terminal.ok("accounts", "create", "ana@example.org")
        secret = terminal.ok("keys", "create", "--account", "ana@example.org").strip()
        http.headers["Authorization"] = f"Bearer {secret}"
        made = http.post("/api/v1/images/generate", json={"prompt": "a pier", "includeBytes": False}).json()["image"]

        def signed_by() -> str:
            image = http.get(f"/api/v1/images/{made['id']}?format=metadata").json()["image"]
            return image["imageUrl"].split("/")[5].partition("-")[0]

        before = signed_by()
        assert "oldWorksUntil" in terminal.run("secrets", "rotate", "--json").json
        while signed_by() == before:  # the server looks again every few seconds
            time.sleep(0.1)
        path = made["imageUrl"].partition("/i/")[2]
        assert http.get(f"/i/{path}").status_code == 200
    terminal.env["LIMNER_SECRET_KEYS"] = "our-own-secret"
    assert terminal.run("secrets", "rotate").code == 1


def test_a_setting_that_was_mistyped_is_named_with_the_one_that_was_meant(terminal: Terminal) -> None:
    terminal.env["LIMNER_BILING"] = "off"
    said = terminal.run("doctor")
    assert said.code == 1
    assert "LIMNER_BILING is not a setting" in said.stdout
    assert "Did you mean LIMNER_BILLING?" in said.stdout
    with terminal.server() as server:
        assert "LIMNER_BILING" in server.log.read_text()
