"""Other programs' configuration files: our entry goes in and out, and everything else stays byte for byte."""

import json
import tomllib
from pathlib import Path

import pytest

from limner import mcp_clients
from limner.cli.config_files.base import CannotEdit
from limner.cli.config_files.edit import EDITORS, Target, undo, write
from limner.cli.config_files.jsonc import parse
from limner.mcp_clients import CLIENTS, ConfigFile, Endpoint

ENDPOINT = Endpoint("http://127.0.0.1:8000/api/mcp", "sk_example")
OTHER_KEY = Endpoint("http://127.0.0.1:8000/api/mcp", "sk_another")

JSON_FILES = {
    "others": '{\n  "theme": "dark",\n  "TABLE": {\n    "files": {"command": "npx", "args": ["-y", "fs"]}\n  }\n}\n',
    "no table": '{\n\t"theme": "dark"\n}',
    "empty object": "{}",
    "empty table": '{"TABLE": {}, "theme": "dark"}\n',
    "one line": '{"TABLE": {"files": {"url": "https://example.org"}}}',
    "comments": (
        '// my settings\n{\n    // the look\n    "theme": "dark", /* really */\n    "TABLE": {\n'
        '        "files": {"url": "https://example.org/a//b"}, // keep this\n    },\n}\n'
    ),
    "comment in an empty table": '{\n  "TABLE": {\n    // nothing yet\n  }\n}\n',
    "escapes": '{"a\\"b": "\\u00e9 } ] //", "TABLE": {"x": {"url": "u"}}, "n": [1, -2.5e3, true, null,]}',
}
TOML_FILES = {
    "others": 'model = "o4"  # the usual\n\n[mcp_servers.files]\ncommand = "npx"\nargs = ["-y", "fs"]\n',
    "sections after": '[mcp_servers.files]\ncommand = "x"\n\n[profiles.a]\nmodel = "b"\n',
    "no newline": 'model = "o4"',
    "empty": "",
}
YAML_FILES = {
    "others": "name: mine\nmodels:\n  - name: a\n    provider: b\nmcpServers:\n  - name: files\n    command: npx\n    args:\n      - -y\n",
    "at the margin": "mcpServers:\n- name: files\n  command: npx\n\nrules:\n- be kind\n",
    "no list": "name: mine # me\n",
    "in the middle": "mcpServers:\n  # tools\n  - name: files\n    command: npx\nname: mine\n",
}


def file_of(client_id: str) -> ConfigFile:
    client = mcp_clients.by_id(client_id)
    assert client
    assert client.file
    return client.file


JSON_CLIENTS = [client.id for client in CLIENTS if client.file and client.file.format == "json"]
CASES = [
    *((client, text) for client in JSON_CLIENTS for text in JSON_FILES.values()),
    *(("codex", text) for text in TOML_FILES.values()),
    *(("continue", text) for text in YAML_FILES.values()),
]


@pytest.mark.parametrize(("client_id", "text"), CASES)
def test_an_entry_goes_in_is_replaced_and_comes_out_again(client_id: str, text: str, tmp_path: Path) -> None:
    file = file_of(client_id)
    target = Target(tmp_path / "config", file.format, file.table, "limner")
    before = text.replace("TABLE", file.table)
    target.path.write_text(before)
    target.path.chmod(0o640)
    write(target, file.entry(ENDPOINT))
    assert target.copy.read_text() == before
    assert write(target, file.entry(ENDPOINT)).startswith("nothing")
    write(target, file.entry(OTHER_KEY))
    once = target.path.read_text()
    assert once.count("sk_another") == 1
    assert "sk_example" not in once
    assert write(target, file.entry(OTHER_KEY)).startswith("nothing")
    undo(target)
    assert target.path.read_text() == before
    assert target.path.stat().st_mode & 0o777 == 0o640
    assert not target.copy.exists()
    assert undo(target).startswith("nothing")


@pytest.mark.parametrize(("client_id", "text"), CASES)
def test_what_somebody_changed_meanwhile_stays(client_id: str, text: str, tmp_path: Path) -> None:
    file = file_of(client_id)
    target = Target(tmp_path / "config", file.format, file.table, "limner")
    target.path.write_text(text.replace("TABLE", file.table))
    write(target, file.entry(ENDPOINT))
    comment = "// later\n" if file.format == "json" else "# later\n"
    target.path.write_text(comment + target.path.read_text())
    undo(target)
    left = target.path.read_text()
    assert left.startswith(comment)
    assert "limner" not in left


@pytest.mark.parametrize("client_id", ["cursor", "codex", "continue"])
def test_a_file_that_was_not_there_is_made_for_its_owner_alone_and_removed_again(
    client_id: str, tmp_path: Path
) -> None:
    file = file_of(client_id)
    target = Target(tmp_path / "new" / "config", file.format, file.table, "limner")
    write(target, file.entry(ENDPOINT))
    assert target.path.stat().st_mode & 0o777 == 0o600
    assert EDITORS[file.format].get(target.path.read_text(), file.table, "limner")
    undo(target)
    assert not target.path.exists()


@pytest.mark.parametrize(
    ("client_id", "text"),
    [
        ("cursor", "{not json}"),
        ("cursor", "[1, 2]"),
        ("cursor", '{"mcpServers": []}'),
        ("cursor", '{"a": 1 "b": 2}'),
        ("cursor", '{"a": 1} more'),
        ("cursor", '{"a": tru'),
        ("codex", "not = = toml"),
        ("codex", 'mcp_servers = { limner = { url = "u" } }'),
        ("continue", "mcpServers: [{name: files}]\n"),
    ],
)
def test_a_file_we_do_not_understand_is_left_as_it_is(client_id: str, text: str, tmp_path: Path) -> None:
    file = file_of(client_id)
    target = Target(tmp_path / "config", file.format, file.table, "limner")
    target.path.write_text(text)
    with pytest.raises(CannotEdit):
        write(target, file.entry(ENDPOINT))
    assert target.path.read_text() == text
    assert list(tmp_path.iterdir()) == [target.path]


def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles" / "mcp.json").write_text("{}")
    (tmp_path / "mcp.json").symlink_to("dotfiles/mcp.json")
    write(Target(tmp_path / "mcp.json", "json", "mcpServers", "limner"), {"url": "u"})
    assert (tmp_path / "mcp.json").is_symlink()
    assert "limner" in (tmp_path / "dotfiles" / "mcp.json").read_text()


@pytest.mark.parametrize("client", [client for client in CLIENTS if client.file], ids=lambda client: client.id)
def test_every_snippet_is_what_its_file_would_hold(client: mcp_clients.McpClient) -> None:
    assert client.file
    text = mcp_clients.snippet(client.file, ENDPOINT)
    entry = EDITORS[client.file.format].get(text, client.file.table, "limner")
    assert entry
    if client.file.format == "json":
        assert json.loads(text) == parse(text).plain
        assert entry == client.file.entry(ENDPOINT)
    if client.file.format == "toml":
        assert tomllib.loads(text)[client.file.table]["limner"] == client.file.entry(ENDPOINT)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.id)
def test_no_key_is_left_over_where_the_client_signs_in(client: mcp_clients.McpClient) -> None:
    endpoint = Endpoint("https://images.example.org/api/mcp")
    parts = [
        client.command(endpoint) if client.command else "",
        mcp_clients.snippet(client.file, endpoint) if client.file else "",
        client.link(endpoint) if client.link else "",
    ]
    assert not any(word in part for part in parts for word in ("Authorization", "Bearer", "None", "HEADER"))
