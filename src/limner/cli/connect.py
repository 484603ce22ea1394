"""`limner connect CLIENT`: prints what connects an MCP client, or writes it into that client's own configuration."""

import sys
from pathlib import Path

import click

from limner import mcp_clients
from limner.cli.config_files.base import CannotEdit
from limner.cli.config_files.edit import Target, undo, write
from limner.cli.failures import CommandFailed
from limner.cli.output import json_option, print_facts, print_json, print_table
from limner.cli.remote import Remote, remote_options
from limner.mcp_clients import ConfigFile, Endpoint, McpClient

NAMES = [client.id for client in mcp_clients.CLIENTS]


@click.command()
@click.argument("client_id", metavar="[CLIENT]", required=False, type=click.Choice(NAMES))
@click.option("--write", "writes", is_flag=True, help="Put it into the client's configuration; a copy is kept.")
@click.option("--undo", "undoes", is_flag=True, help="Take it out again.")
@click.option("--name", default="limner", show_default=True, help="What the client calls the server.")
@click.option("--file", "path", type=click.Path(path_type=Path), help="Another configuration file than the usual one.")
@click.option("--no-key", is_flag=True, help="Let the client sign in by itself (OAuth).")
@json_option
@remote_options
def connect(
    remote: Remote,
    client_id: str | None,
    writes: bool,
    undoes: bool,
    name: str,
    path: Path | None,
    no_key: bool,
    as_json: bool,
) -> None:
    """Connect an MCP client to a Limner server; without CLIENT, list the clients."""
    client = mcp_clients.by_id(client_id) if client_id else None
    if client is None:
        _list(as_json=as_json)
        return
    endpoint = Endpoint(f"{remote.url}/api/mcp", None if no_key or not client.takes_key else remote.key, name)
    if not writes and not undoes:
        _show(client, endpoint, as_json=as_json)
        return
    target = _target(client, path, endpoint.name)
    try:
        said = undo(target) if undoes else write(target, client.file.entry(endpoint) if client.file else {})
    except CannotEdit as problem:
        raise CommandFailed(
            f"{target.path} was left as it is: {problem}. Run limner connect {client.id} to see what to put there"
        ) from None
    print_facts({"client": client.name, "file": target.path, "done": said}, as_json=as_json)


def _list(*, as_json: bool) -> None:
    if as_json:
        print_json({"clients": [{"id": client.id, "name": client.name} for client in mcp_clients.CLIENTS]})
        return
    print_table(["client", "name", "configuration"], [[c.id, c.name, _where(c)] for c in mcp_clients.CLIENTS])


def _show(client: McpClient, endpoint: Endpoint, *, as_json: bool) -> None:
    parts = {
        "command": client.command(endpoint) if client.command else None,
        "file": _where(client),
        "snippet": mcp_clients.snippet(client.file, endpoint) if client.file else None,
        "link": client.link(endpoint) if client.link else None,
        "address": None if client.file else endpoint.url,
    }
    if as_json:
        print_json({"client": client.id, "name": client.name, **parts, "steps": client.steps, "note": client.note})
        return
    _say(client, parts)
    if client.takes_key and endpoint.key is None:
        click.echo("\nNo key is known, so the client will sign in: give one with --key or LIMNER_API_KEY.", err=True)


def _say(client: McpClient, parts: dict[str, str | None]) -> None:
    headings = {
        "command": "Run",
        "snippet": f"In {parts['file'] or 'its settings'}",
        "link": "Open",
        "address": "Address",
    }
    for name, heading in headings.items():
        if text := parts[name]:
            click.echo(f"# {heading}\n{text}\n")
    for number, step in enumerate(client.steps, 1):
        click.echo(f"{number}. {step}")
    if client.note:
        click.echo(f"Note: {client.note}", err=True)


def _where(client: McpClient) -> str | None:
    return client.file.where(sys.platform) if client.file else None


def _target(client: McpClient, path: Path | None, name: str) -> Target:
    file: ConfigFile | None = client.file
    usual = _where(client)
    if file is None or (path is None and usual is None):
        raise CommandFailed(
            f"{client.name} keeps no file that could be written: limner connect {client.id} says what to do"
        )
    return Target((path or Path(usual or "")).expanduser().absolute(), file.format, file.table, name)
