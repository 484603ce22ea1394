"""`limner quickstart`: from nothing to a picture, an API key and a connected client in one command."""

import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult
from rich.console import Console

from limner import logs, mcp_clients
from limner.accounts import accounts, keys, sign_in
from limner.accounts.keys import NewKey
from limner.app import Services
from limner.cli.failures import CannotStart, CommandFailed
from limner.cli.files import save, unused
from limner.cli.output import json_option, print_json
from limner.cli.serving import PortTaken, claim, run, serving
from limner.config import Config
from limner.credits import ledger
from limner.db.base import Transaction
from limner.db.types import now
from limner.mcp_clients import Endpoint

EMAIL = "owner@localhost"
MODEL = "limner:sketch"
PROMPT = "misty mountains at dawn, pine trees in front"
PICTURE = "limner-first-image"
PORTS_TRIED = 100
SHOWN_CLIENTS = ("claude-code", "codex", "cursor")


@click.command()
@click.option("--exit", "exits", is_flag=True, help="Stop after the picture.")
@click.option("--port", type=click.IntRange(0, 65535), help="Default: LIMNER_PORT, or the next one that is free.")
@json_option
def quickstart(exits: bool, port: int | None, as_json: bool) -> None:
    """Start the server on embedded defaults, make a picture through its own MCP endpoint, and keep serving."""
    config, listener = _claim_free(port)
    if config.edition != "native":
        raise CannotStart("quickstart speaks the native edition: unset LIMNER_EDITION, or use limner serve")
    logs.set_up("warning" if config.log_level == "info" else config.log_level, config.log)
    try:
        run(_quickstart(config, listener, exits=exits, as_json=as_json))
    except OSError as problem:
        raise CannotStart(f"{problem}") from problem


async def _quickstart(config: Config, listener: socket.socket, *, exits: bool, as_json: bool) -> None:
    async with serving(config, listener) as server:
        _say(f"Limner is running at {config.public_url}", err=as_json)
        secret = await _own_key(server.services)
        path, facts = await _first_picture(_address(config), secret, err=as_json)
        link = await server.services.database.write(lambda tx: sign_in.sign_in_link(tx, EMAIL, now()))
        dashboard = f"{config.public_url}{link}"
        if as_json:
            print_json(_data(config, secret, dashboard, path, facts))
        else:
            _say(f"\nPicture   {path}\n          {_summary(facts)}")
            _say_how_to_go_on(config, secret, dashboard)
        if exits:
            return
        _say("\nServing until you press Ctrl-C.", err=as_json)
        await server.ended


def _claim_free(port: int | None) -> tuple[Config, socket.socket]:
    """The port that was asked for, or the first free one from the usual one on."""
    if port is not None:
        return claim(None, port)
    usual = Config.from_env().port
    for candidate in range(usual, usual + PORTS_TRIED):
        try:
            return claim(None, candidate)
        except PortTaken:
            continue
    raise CannotStart(f"The ports {usual} to {usual + PORTS_TRIED - 1} are all in use: choose one with --port.")


def _address(config: Config) -> str:
    """Where this process reaches itself, whatever the public address is."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(config.host, config.host)  # noqa: S104 — read, not bound
    return f"http://{host}:{config.port}"


async def _own_key(services: Services) -> str:
    """The key of earlier quickstarts while it is good; else a new one, kept for its owner alone."""
    file = services.config.data_dir / "quickstart.key"
    kept = file.read_text().strip() if file.exists() else ""
    if kept and await services.database.read(lambda tx: keys.principal_of(tx, kept, now())):
        return kept
    credits = services.config.sign_up_credits
    secret = await services.database.write(lambda tx: _make_key(tx, credits))
    _keep(file, secret)
    return secret


def _keep(file: Path, secret: str) -> None:
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as kept:
        kept.write(f"{secret}\n")


def _make_key(tx: Transaction, credits: int) -> str:
    account_id = next((each for each, email in accounts.emails(tx).items() if email == EMAIL), None)
    if account_id is None:
        account_id, _ = accounts.create(tx, EMAIL, now(), is_admin=not accounts.any_exist(tx), verified=True)
        if credits:
            entry = ledger.Entry("Sign-up credits", unique_key=f"sign-up:{account_id}")
            ledger.add(tx, account_id, credits, "grant", entry, now())
    return keys.create(tx, account_id, NewKey(name="quickstart"), now())[1]


async def _first_picture(address: str, secret: str, *, err: bool) -> tuple[Path, dict[str, Any]]:
    """Made as any agent makes one; saved in the current directory. Its path, and what the server said of it."""
    async with httpx2.AsyncClient(timeout=60, trust_env=False) as http:
        facts = _facts(await _generate(f"{address}/api/mcp", secret, err=err))
        link = httpx2.URL(address).join(httpx2.URL(facts["imageUrl"]).raw_path.decode())
        data = (await http.get(link)).raise_for_status().content
    path = save(data, unused(Path(f"{PICTURE}.{facts['mediaType'].removeprefix('image/')}")))
    return path, facts


def _summary(facts: dict[str, Any]) -> str:
    credits = facts["credits"]
    return f"{facts['width']}x{facts['height']}, {credits['charged']} credit, {credits['remaining']} left"


async def _generate(url: str, secret: str, *, err: bool) -> CallToolResult:
    console = Console(stderr=True)
    with console.status(f"Asking {MODEL} through {url} for {PROMPT}") as status:

        async def show(progress: float, total: float | None, message: str | None) -> None:
            status.update(f"{MODEL}: {message}")
            if not console.is_terminal:
                _say(f"  {message}", err=err)

        wanted = {"prompt": PROMPT, "modelId": MODEL, "aspectRatio": "3:2", "inline": "none"}
        async with _connected(url, secret) as client:
            return await client.call_tool("generate_image", wanted, progress_callback=show)


@asynccontextmanager
async def _connected(url: str, secret: str) -> AsyncGenerator[Client]:
    headers = {"Authorization": f"Bearer {secret}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60, trust_env=False) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield client


def _facts(result: CallToolResult) -> dict[str, Any]:
    facts: dict[str, Any] = result.structured_content or {}
    if facts.get("imageUrl") is None:
        error: dict[str, Any] = facts.get("error") or {"message": "the server sent no picture"}
        raise CommandFailed(f"The picture was not made: {error['message']}")
    return facts


@dataclass(frozen=True, slots=True)
class _Line:
    heading: str
    text: str


def _data(config: Config, secret: str, dashboard: str, path: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """What a person is told, for a program."""
    endpoint = Endpoint(f"{config.public_url}/api/mcp", secret)
    return {
        "url": config.public_url,
        "mcpUrl": endpoint.url,
        "file": path,
        "image": facts,
        "dashboard": dashboard,
        "key": secret,
        "dataDir": config.data_dir,
        "connect": [{"client": line.heading, "text": line.text} for line in _connect_lines(endpoint)],
    }


def _say_how_to_go_on(config: Config, secret: str, dashboard: str) -> None:
    endpoint = Endpoint(f"{config.public_url}/api/mcp", secret)
    _say(
        f"Dashboard {dashboard}\n          (signs you in once, within 24 hours; then 'limner accounts sign-in-link {EMAIL}')"
    )
    _say(f"API key   {secret}")
    _say(f"Data      {config.data_dir}")
    _say("\nConnect a client:")
    for line in _connect_lines(endpoint):
        _say(f"\n  {line.heading}\n{_indented(line.text)}")
    _say("\nOther clients: limner connect (with --write it edits their configuration)")


def _connect_lines(endpoint: Endpoint) -> list[_Line]:
    """A command where one is enough; else what goes into the client's file."""
    lines: list[_Line] = []
    for client in (each for each in mcp_clients.CLIENTS if each.id in SHOWN_CLIENTS):
        command = client.command(endpoint) if client.command else ""
        if endpoint.key and endpoint.key in command:
            lines.append(_Line(client.name, command))
        elif client.file is not None:
            lines.append(_Line(f"{client.name} ({client.file.path})", mcp_clients.snippet(client.file, endpoint)))
    return lines


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _say(text: str, *, err: bool = False) -> None:
    click.echo(text, err=err)
