"""`limner migrate`, `audit` and `--version`."""

import sqlite3

from tests.cli.terminal import Terminal

from limner import __version__


def test_migrate_says_what_it_did_and_can_be_repeated(terminal: Terminal) -> None:
    first, second = terminal.run("migrate", "--json"), terminal.run("migrate", "--json")
    assert (first.json["changed"], second.json["changed"]) == (True, False)
    assert "up to date" in terminal.ok("migrate")


def test_a_healthy_server_has_nothing_to_report(terminal: Terminal) -> None:
    terminal.ok("accounts", "create", "ana@example.org")
    assert "Everything agrees." in terminal.ok("audit")


def test_a_balance_that_somebody_changed_is_found(terminal: Terminal) -> None:
    terminal.ok("accounts", "create", "ana@example.org")
    with sqlite3.connect(terminal.data_dir / "limner.db") as database:
        database.execute("UPDATE balances SET ledger_balance = ledger_balance + 7")
    database.close()
    found = terminal.run("audit", "--json")
    assert found.code == 1
    assert ("100", "107") in [(each["expected"], each["found"]) for each in found.json["problems"]]
    assert terminal.run("audit").code == 1


def test_the_version_is_told(terminal: Terminal) -> None:
    assert terminal.ok("--version") == f"limner {__version__}\n"


def test_help_names_every_command(terminal: Terminal) -> None:
    said = terminal.ok("--help")
    assert all(name in said for name in ("quickstart", "serve", "migrate", "accounts", "credits", "keys", "audit"))
