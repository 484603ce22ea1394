"""`limner backup` and `restore`: beside a running server, and into another place where the audit finds nothing."""

import tarfile
from pathlib import Path

from tests.cli.terminal import Terminal

from limner.cli.files import save


def test_a_server_comes_back_with_its_pictures_keys_and_balances(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "limner.tar"
    with terminal.server() as server:
        terminal.ok("accounts", "create", "ana@example.org", "--credits", "10")
        terminal.env["LIMNER_URL"] = server.url
        terminal.env["LIMNER_API_KEY"] = terminal.ok("keys", "create", "--account", "ana@example.org").strip()
        terminal.ok("generate", "a quiet lake", "-o", "lake.png", "--model", "limner:sketch")
        terminal.ok("backup", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    terminal.env["LIMNER_DATA_DIR"] = str(tmp_path / "elsewhere")
    terminal.ok("restore", str(file))
    assert terminal.run("audit", "--json").json["problems"] == []
    [picture] = [file for file in (tmp_path / "elsewhere" / "blobs" / "images").rglob("*") if file.is_file()]
    assert picture.read_bytes() == (tmp_path / "lake.png").read_bytes()
    assert len(terminal.run("keys", "list", "--json").json["keys"]) == 1


def test_nothing_is_ever_restored_over_something(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "limner.tar"
    assert terminal.run("backup", str(file)).code == 1
    terminal.ok("migrate")
    terminal.ok("backup", str(file))
    assert terminal.run("restore", str(file)).code == 1


def test_what_is_no_backup_leaves_no_database(terminal: Terminal, tmp_path: Path) -> None:
    garbage = save(b"no archive", tmp_path / "garbage.tar")
    assert terminal.run("restore", str(garbage)).code == 1
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.add(garbage, "something")
    refused = terminal.run("restore", str(tmp_path / "other.tar"))
    assert refused.code == 1
    assert refused.stderr.count("\n") == 1
    assert not (terminal.data_dir / "limner.db").exists()


def test_postgresql_has_tools_of_its_own(terminal: Terminal, tmp_path: Path) -> None:
    terminal.env["LIMNER_DATABASE_URL"] = "postgresql:///limner?host=/nowhere"
    refused = terminal.run("backup", str(tmp_path / "limner.tar"))
    assert refused.code == 1
    assert "pg_dump" in refused.stderr
