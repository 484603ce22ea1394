"""`limner connect`: prints and writes what each client needs."""

import json

from tests.cli.terminal import Terminal

from limner.mcp_clients import CLIENTS

SERVER = ("--url", "https://images.example.org", "--key", "sk_example")


def test_the_clients_are_listed(terminal: Terminal) -> None:
    said = terminal.ok("connect")
    assert all(client.id in said for client in CLIENTS)


def test_every_client_is_told_the_address_and_the_key_it_can_take(terminal: Terminal) -> None:
    for client in (each for each in CLIENTS if each.id in ("claude-code", "jetbrains", "chatgpt")):
        said = terminal.ok("connect", client.id, *SERVER)
        assert "https://images.example.org/api/mcp" in said
        assert ("sk_example" in said) == client.takes_key


def test_write_and_undo_edit_the_clients_own_file(terminal: Terminal) -> None:
    file = terminal.home / ".cursor" / "mcp.json"
    file.parent.mkdir()
    file.write_text('{\n  // mine\n  "mcpServers": {}\n}\n')
    done = terminal.run("connect", "cursor", "--write", "--json", *SERVER).json
    assert done["file"] == str(file)
    assert '"Authorization": "Bearer sk_example"' in file.read_text()
    terminal.ok("connect", "cursor", "--undo")
    assert file.read_text() == '{\n  // mine\n  "mcpServers": {}\n}\n'


def test_a_parsable_answer_for_programs(terminal: Terminal) -> None:
    said = terminal.run("connect", "gemini", "--json", *SERVER).json
    assert json.loads(said["snippet"])["mcpServers"]["limner"]["timeout"] == 900_000
    assert said["command"].startswith("gemini mcp add")


def test_what_cannot_be_written_is_said(terminal: Terminal) -> None:
    assert terminal.run("connect", "chatgpt", "--write", *SERVER).code == 1
    assert terminal.run("connect", "netscape", *SERVER).code == 2
    broken = terminal.home / "mcp.json"
    broken.write_text("{")
    refused = terminal.run("connect", "cursor", "--write", "--file", str(broken), *SERVER)
    assert (refused.code, broken.read_text()) == (1, "{")
    assert refused.stderr.startswith(f"limner: {broken} was left as it is")
