"""The MCP clients people use, and what connects each of them: a command, a piece of configuration, a link.

Plain data: the command line writes it, the connect page shows it. docs/clients.md says the same in prose.
"""

import base64
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast
from urllib.parse import quote

Format = Literal["json", "toml", "yaml"]

KEY_VARIABLE = "LIMNER_API_KEY"
PATIENCE_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What to connect to. Without a key the client signs in by itself (OAuth)."""

    url: str
    key: str | None = None
    name: str = "limner"

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.key is None else {"Authorization": f"Bearer {self.key}"}


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """Where a client keeps its servers: the path for each platform, and the table the entries stand in.

    Paths begin with `~` (the user's) or are relative (the project's). `listed` is true where the
    entries stand in a list and carry their own name.
    """

    format: Format
    table: tuple[str, ...]
    entry: Callable[[Endpoint], dict[str, Any]]
    path: str
    path_on: Mapping[str, str] | None = None
    listed: bool = False
    beside: Callable[[Endpoint], dict[str, Any]] | None = None

    def where(self, platform: str) -> str:
        """`platform` is `sys.platform`'s word."""
        return (self.path_on or {}).get(platform, self.path)


@dataclass(frozen=True, slots=True)
class McpClient:
    """One client. What it has not (a command, a file, a link) is None; `note` is a sentence worth knowing."""

    id: str
    name: str
    file: ConfigFile | None = None
    command: Callable[[Endpoint], str] | None = None
    link: Callable[[Endpoint], str] | None = None
    steps: tuple[str, ...] = ()
    takes_key: bool = True
    note: str = ""


def _plain(endpoint: Endpoint, **more: Any) -> dict[str, Any]:
    headers: dict[str, Any] = {"headers": endpoint.headers} if endpoint.headers else {}
    return {"url": endpoint.url, **headers, **more}


def _typed(word: str, **more: Any) -> Callable[[Endpoint], dict[str, Any]]:
    return lambda endpoint: {"type": word, **_plain(endpoint, **more)}


def _claude_code(endpoint: Endpoint) -> str:
    return _shell("claude mcp add --scope user --transport http", endpoint.name, endpoint.url, *_header(endpoint))


def _codex(endpoint: Endpoint) -> dict[str, Any]:
    """Codex gives up after 300 seconds whatever the server says, unless told otherwise."""
    headers: dict[str, Any] = {"http_headers": endpoint.headers} if endpoint.headers else {}
    return {"url": endpoint.url, **headers, "tool_timeout_sec": PATIENCE_SECONDS}


def _cursor_link(endpoint: Endpoint) -> str:
    config = quote(_base64(_plain(endpoint)), safe="")
    return f"cursor://anysphere.cursor-deeplink/mcp/install?name={quote(endpoint.name)}&config={config}"


CLIENTS: tuple[McpClient, ...] = (
    McpClient(
        "claude-code",
        "Claude Code",
        file=ConfigFile("json", ("mcpServers",), _typed("http"), "~/.claude.json"),
        command=_claude_code,
    ),
    McpClient("codex", "Codex", file=ConfigFile("toml", ("mcp_servers",), _codex, "~/.codex/config.toml")),
    McpClient(
        "cursor",
        "Cursor",
        file=ConfigFile("json", ("mcpServers",), _plain, "~/.cursor/mcp.json"),
        link=_cursor_link,
    ),
)


def by_id(client_id: str) -> McpClient | None:
    return next((client for client in CLIENTS if client.id == client_id), None)


def snippet(file: ConfigFile, endpoint: Endpoint) -> str:
    """What to put into the client's file, with the tables around it."""
    if file.format == "toml":
        return _toml((*file.table, endpoint.name), file.entry(endpoint))
    document: Any = {endpoint.name: file.entry(endpoint)}
    for name in reversed(file.table):
        document = {name: document}
    return json.dumps(document | (file.beside(endpoint) if file.beside else {}), indent=2)


def _shell(command: str, *words: str) -> str:
    return f"{command} {shlex.join(words)}"


def _header(endpoint: Endpoint, option: str = "--header") -> list[str]:
    return [option, f"Authorization: Bearer {endpoint.key}"] if endpoint.key else []


def _base64(value: Any) -> str:
    return base64.b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()


def _toml(table: tuple[str, ...], entry: Mapping[str, Any]) -> str:
    return "\n".join([f"[{'.'.join(table)}]", *(f"{name} = {_toml_value(value)}" for name, value in entry.items())])


def _toml_value(value: Any) -> str:
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value)
        return "{ " + ", ".join(f"{name} = {_toml_value(each)}" for name, each in pairs.items()) + " }"
    return json.dumps(value)
