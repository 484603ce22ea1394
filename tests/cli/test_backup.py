"""`limner backup` and `restore`: beside a running server, and into another place where the audit finds nothing."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.cli.terminal import Terminal
from tests.object_store import CREDENTIALS, object_store

from limner.cli.files import save


@pytest.fixture(params=["sqlite and disk", "sqlite and objects", "postgresql and objects"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Where a server keeps things, and another empty place of the same kind."""
    kind = request.param
    if kind == "sqlite and disk":
        yield {}, {"LIMNER_DATA_DIR": str(tmp_path / "elsewhere")}
        return
    urls = ["", ""]
    if kind.startswith("postgresql"):
        urls = [request.getfixturevalue("empty_postgresql_url"), request.getfixturevalue("other_empty_postgresql_url")]
    with object_store() as store:
        store.make_bucket("here")
        store.make_bucket("there")
        common = {**CREDENTIALS, "LIMNER_BLOBS_ENDPOINT": store.endpoint}
        yield (
            common | {"LIMNER_BLOBS_URL": "s3://here/pictures", "LIMNER_DATABASE_URL": urls[0]},
            common
            | {
                "LIMNER_DATA_DIR": str(tmp_path / "elsewhere"),
                "LIMNER_BLOBS_URL": "s3://there",
                "LIMNER_DATABASE_URL": urls[1],
            },
        )


@pytest.mark.timeout(240)
def test_a_server_comes_back_with_its_pictures_keys_and_balances(
    terminal: Terminal, tmp_path: Path, places: tuple[dict[str, str], dict[str, str]]
) -> None:
    here, there = places
    file = tmp_path / "limner.tar"
    terminal.env |= here
    with terminal.server() as server:
        terminal.ok("accounts", "create", "ana@example.org", "--credits", "10")
        key = terminal.ok("keys", "create", "--account", "ana@example.org").strip()
        client = {"LIMNER_URL": server.url, "LIMNER_API_KEY": key}
        made = ("generate", "a quiet lake", "-o", "lake.png", "--model", "limner:sketch")
        assert terminal.run(*made, env=client).code == 0
        terminal.ok("backup", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.glob(".*.part")] == []
    terminal.env |= there
    assert terminal.run("restore", str(file), "--json").json["pictures"] >= 1
    assert terminal.run("audit", "--json").json["problems"] == []
    assert len(terminal.run("keys", "list", "--json").json["keys"]) == 1
    with terminal.server() as restored, httpx2.Client(headers={"Authorization": f"Bearer {key}"}) as http:
        [image] = http.get(f"{restored.url}/api/v1/images").json()["images"]
        content = http.get(f"{restored.url}/api/v1/images/{image['id']}/content").content
        assert http.get(f"{restored.url}/api/v1/account").json()["creditBalance"] == 9
    assert content == (tmp_path / "lake.png").read_bytes()


@pytest.mark.timeout(240)
def test_a_picture_deleted_while_the_backup_was_written_is_deleted_in_the_restored_place(
    terminal: Terminal, tmp_path: Path
) -> None:
    file, later = tmp_path / "limner.tar", tmp_path / "later.tar"
    with terminal.server() as server:
        terminal.ok("accounts", "create", "ana@example.org")
        key = terminal.ok("keys", "create", "--account", "ana@example.org").strip()
        client = {"LIMNER_URL": server.url, "LIMNER_API_KEY": key}
        assert terminal.run("generate", "a lake", "-o", "a.png", "--model", "limner:sketch", env=client).code == 0
        terminal.ok("backup", str(file))
    with tarfile.open(file) as before, tarfile.open(later, "w") as archive:
        for member in before:
            if not member.name.startswith("blobs/"):
                archive.addfile(member, before.extractfile(member))
    terminal.env["LIMNER_DATA_DIR"] = str(tmp_path / "elsewhere")
    assert terminal.run("restore", str(later), "--json").json["deletedMeanwhile"] == 1
    assert terminal.run("audit", "--json").json["problems"] == []


def test_nothing_is_ever_restored_over_something(terminal: Terminal, tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "limner.tar"
    assert terminal.run("backup", str(file)).code == 1
    assert not file.exists()
    terminal.env["LIMNER_DATABASE_URL"] = database_url
    terminal.ok("backup", str(file))
    refused = terminal.run("restore", str(file))
    assert refused.code == 1
    assert "already" in refused.stderr


def test_a_backup_goes_back_into_its_own_kind_of_database(
    terminal: Terminal, tmp_path: Path, sqlite_url: str, empty_postgresql_url: str
) -> None:
    file = tmp_path / "limner.tar"
    terminal.env["LIMNER_DATABASE_URL"] = sqlite_url
    terminal.ok("backup", str(file))
    terminal.env["LIMNER_DATABASE_URL"] = empty_postgresql_url
    refused = terminal.run("restore", str(file))
    assert (refused.code, refused.stderr.count("\n")) == (1, 1)
    assert "holds a SQLite database" in refused.stderr


def test_what_is_no_backup_leaves_no_database(terminal: Terminal, tmp_path: Path) -> None:
    garbage = save(b"no archive", tmp_path / "garbage.tar")
    assert terminal.run("restore", str(garbage)).code == 1
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.add(garbage, "something")
    refused = terminal.run("restore", str(tmp_path / "other.tar"))
    assert refused.code == 1
    assert refused.stderr.count("\n") == 1
    assert not (terminal.data_dir / "limner.db").exists()
