"""The MCP clients people use, and what connects each of them: a command, a piece of configuration, a link.

Plain data: the command line writes it, the connect page shows it. docs/clients.md says the same in prose.
"""

import base64
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlsplit

Format = Literal["json", "toml", "yaml"]
Entry = dict[str, Any]

KEY_VARIABLE = "LIMNER_API_KEY"
PATIENCE_SECONDS = 900
"""What clients with a time-out of their own are told: longer than any picture takes."""


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
    """Where a client keeps its servers, and what an entry looks like there.

    `path` begins with `~` (the user's), is relative (the project's), or is None for what is pasted into
    a settings page; `path_on` has what differs by platform (`sys.platform`'s word). `table` leads to the
    entries, which are named by their keys, or `listed` with a `name` each.
    """

    table: str
    entry: Callable[[Endpoint], Entry]
    path: str | None
    path_on: Mapping[str, str] | None = None
    format: Format = "json"
    listed: bool = False

    def where(self, platform: str) -> str | None:
        return (self.path_on or {}).get(platform, self.path)


@dataclass(frozen=True, slots=True)
class McpClient:
    """One client. What it has not (a file, a command, a link) is None; `note` is worth knowing.

    `link` opens the client itself; `web_link` does so from places that allow only https, such as a README.
    """

    id: str
    name: str
    file: ConfigFile | None = None
    command: Callable[[Endpoint], str] | None = None
    link: Callable[[Endpoint], str] | None = None
    web_link: Callable[[Endpoint], str] | None = None
    steps: tuple[str, ...] = ()
    takes_key: bool = True
    note: str = ""


def by_id(client_id: str) -> McpClient | None:
    return next((client for client in CLIENTS if client.id == client_id), None)


# --- entries --------------------------------------------------------------------------------------


def _remote(
    *, kind: str | None = None, url: str = "url", headers: str = "headers", **more: Any
) -> Callable[[Endpoint], Entry]:
    """An entry for a server over HTTP, with the words this client has for it."""

    def entry(endpoint: Endpoint) -> Entry:
        typed: Entry = {"type": kind} if kind else {}
        key: Entry = {headers: endpoint.headers} if endpoint.headers else {}
        return {**typed, url: endpoint.url, **key, **more}

    return entry


def _bridge(endpoint: Endpoint) -> Entry:
    """Claude Desktop starts local programs only; there must be no space after the colon."""
    arguments = ["-y", "mcp-remote", endpoint.url, "--transport", "http-only"]
    if urlsplit(endpoint.url).scheme == "http":
        arguments.append("--allow-http")
    if endpoint.key is None:
        return {"command": "npx", "args": arguments}
    arguments += ["--header", "Authorization:${AUTH}"]
    return {"command": "npx", "args": arguments, "env": {"AUTH": f"Bearer {endpoint.key}"}}


def _continue(endpoint: Endpoint) -> Entry:
    options: Entry = {"requestOptions": {"headers": endpoint.headers}} if endpoint.headers else {}
    return {"name": endpoint.name, "type": "streamable-http", "url": endpoint.url, **options}


def _opencode(endpoint: Endpoint) -> Entry:
    """With a header it must be told not to sign in as well."""
    oauth: Entry = {"oauth": False} if endpoint.key else {}
    return {**_remote(kind="remote", timeout=PATIENCE_SECONDS * 1000)(endpoint), **oauth}


# --- commands and links ---------------------------------------------------------------------------


def _command(*words: str, header: str = "--header", after: tuple[str, ...] = ()) -> Callable[[Endpoint], str]:
    """`NAME`, `URL` and `HEADER` stand for the endpoint's; without a key the header is left out."""

    def command(endpoint: Endpoint) -> str:
        bearer = [header, f"Authorization: Bearer {endpoint.key}"] if endpoint.key else []
        put: Mapping[str, list[str]] = {"NAME": [endpoint.name], "URL": [endpoint.url], "HEADER": bearer}
        return shlex.join([each for word in (*words, *after) for each in put.get(word, [word])])

    return command


def _codex(endpoint: Endpoint) -> str:
    return shlex.join(
        ["codex", "mcp", "add", endpoint.name, "--url", endpoint.url]
        + (["--bearer-token-env-var", KEY_VARIABLE] if endpoint.key else [])
    )


def _cursor(endpoint: Endpoint) -> str:
    config = quote(_base64(_remote()(endpoint)), safe="")
    return f"cursor://anysphere.cursor-deeplink/mcp/install?name={quote(endpoint.name)}&config={config}"


def _vscode(endpoint: Endpoint) -> str:
    return "vscode:mcp/install?" + quote(_compact({"name": endpoint.name, **_remote(kind="http")(endpoint)}), safe="")


def _lm_studio(endpoint: Endpoint) -> str:
    config = quote(_base64(_remote()(endpoint)), safe="")
    return f"lmstudio://add_mcp?name={quote(endpoint.name)}&config={config}"


def _cursor_web(endpoint: Endpoint) -> str:
    return _cursor(endpoint).replace(
        "cursor://anysphere.cursor-deeplink/mcp/install", "https://cursor.com/en/install-mcp"
    )


def _vscode_web(endpoint: Endpoint) -> str:
    return f"https://insiders.vscode.dev/redirect?url={quote(_vscode(endpoint), safe='')}"


def _lm_studio_web(endpoint: Endpoint) -> str:
    return _lm_studio(endpoint).replace("lmstudio://add_mcp", "https://lmstudio.ai/install-mcp")


def _base64(value: Entry) -> str:
    return base64.b64encode(_compact(value).encode()).decode()


def _compact(value: Entry) -> str:
    return json.dumps(value, separators=(",", ":"))


# --- the clients ----------------------------------------------------------------------------------

_MILLISECONDS = PATIENCE_SECONDS * 1000
_SUPPORT = "~/Library/Application Support"
_ROAMING = "~/AppData/Roaming"


def _vscode_user(path: str) -> tuple[str, Mapping[str, str]]:
    places = {"darwin": f"{_SUPPORT}/Code/User/{path}", "win32": f"{_ROAMING}/Code/User/{path}"}
    return f"~/.config/Code/User/{path}", places


CLIENTS: tuple[McpClient, ...] = (
    McpClient(
        "claude-code",
        "Claude Code",
        ConfigFile("mcpServers", _remote(kind="http"), "~/.claude.json"),
        _command("claude", "mcp", "add", "--scope", "user", "--transport", "http", "NAME", "URL", "HEADER"),
    ),
    McpClient(
        "claude-desktop",
        "Claude Desktop",
        ConfigFile(
            "mcpServers",
            _bridge,
            "~/.config/Claude/claude_desktop_config.json",
            {
                "darwin": f"{_SUPPORT}/Claude/claude_desktop_config.json",
                "win32": f"{_ROAMING}/Claude/claude_desktop_config.json",
            },
        ),
        note="Needs Node for the bridge. Without a key, use a connector instead (see claude-ai).",
    ),
    McpClient(
        "claude-ai",
        "claude.ai",
        steps=("Open Settings, Connectors, Add custom connector.", "Paste the address and sign in."),
        takes_key=False,
        note="The server must be reachable from the internet; sign-in is by OAuth.",
    ),
    McpClient(
        "codex",
        "Codex",
        ConfigFile(
            "mcp_servers",
            _remote(headers="http_headers", tool_timeout_sec=PATIENCE_SECONDS),
            "~/.codex/config.toml",
            format="toml",
        ),
        _codex,
        note="Without tool_timeout_sec Codex gives up after 300 seconds.",
    ),
    McpClient(
        "cursor",
        "Cursor",
        ConfigFile("mcpServers", _remote(), "~/.cursor/mcp.json"),
        link=_cursor,
        web_link=_cursor_web,
    ),
    McpClient(
        "vscode",
        "VS Code",
        ConfigFile("servers", _remote(kind="http"), *_vscode_user("mcp.json")),
        link=_vscode,
        web_link=_vscode_web,
    ),
    McpClient(
        "gemini",
        "Gemini CLI",
        ConfigFile("mcpServers", _remote(kind="http", timeout=_MILLISECONDS), "~/.gemini/settings.json"),
        _command("gemini", "mcp", "add", "--scope", "user", "--transport", "http", "HEADER", "NAME", "URL"),
    ),
    McpClient(
        "copilot",
        "GitHub Copilot CLI",
        ConfigFile(
            "mcpServers", _remote(kind="http", tools=["*"], timeout=_MILLISECONDS), "~/.copilot/mcp-config.json"
        ),
        _command(
            *("copilot", "mcp", "add", "--transport", "http", "NAME", "URL", "HEADER"),
            after=("--timeout", str(_MILLISECONDS)),
        ),
    ),
    McpClient(
        "windsurf",
        "Windsurf",
        ConfigFile("mcpServers", _remote(url="serverUrl"), "~/.codeium/windsurf/mcp_config.json"),
    ),
    McpClient(
        "cline",
        "Cline",
        ConfigFile(
            "mcpServers",
            _remote(kind="streamableHttp", timeout=PATIENCE_SECONDS),
            *_vscode_user("globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"),
        ),
        _command("cline", "mcp", "add", "NAME", "URL", "--transport", "http", "HEADER", "--yes"),
        note="Its time-out is in seconds; without one Cline gives up after 60.",
    ),
    McpClient("roo", "Roo Code", ConfigFile("mcpServers", _remote(kind="streamable-http"), ".roo/mcp.json")),
    McpClient(
        "kilo",
        "Kilo Code",
        ConfigFile("mcp", _remote(kind="remote", timeout=_MILLISECONDS), "~/.config/kilo/kilo.json"),
    ),
    McpClient("opencode", "opencode", ConfigFile("mcp", _opencode, "~/.config/opencode/opencode.json")),
    McpClient(
        "qwen",
        "Qwen Code",
        ConfigFile("mcpServers", _remote(url="httpUrl", timeout=_MILLISECONDS), "~/.qwen/settings.json"),
        _command("qwen", "mcp", "add", "-s", "user", "-t", "http", "HEADER", "NAME", "URL", header="-H"),
    ),
    McpClient(
        "continue",
        "Continue",
        ConfigFile("mcpServers", _continue, "~/.continue/config.yaml", format="yaml", listed=True),
    ),
    McpClient("zed", "Zed", ConfigFile("context_servers", _remote(), "~/.config/zed/settings.json")),
    McpClient(
        "jetbrains",
        "JetBrains AI Assistant",
        ConfigFile("mcpServers", _remote(), None),
        steps=(
            "Open Settings, Tools, AI Assistant, Model Context Protocol.",
            "Add a server, choose As JSON, and paste.",
        ),
    ),
    McpClient("warp", "Warp", ConfigFile("mcpServers", _remote(), "~/.warp/.mcp.json")),
    McpClient(
        "lm-studio",
        "LM Studio",
        ConfigFile("mcpServers", _remote(), "~/.lmstudio/mcp.json"),
        link=_lm_studio,
        web_link=_lm_studio_web,
    ),
    McpClient(
        "chatgpt",
        "ChatGPT",
        steps=("Turn on developer mode.", "Open Settings, Connectors, Create, and paste the address.", "Sign in."),
        takes_key=False,
        note="The server must be reachable from the internet; sign-in is by OAuth.",
    ),
)


# --- snippets -------------------------------------------------------------------------------------


def snippet(file: ConfigFile, endpoint: Endpoint) -> str:
    """What to put into the client's file, with the table around it."""
    entry = file.entry(endpoint)
    if file.format == "toml":
        return toml_table(file.table, endpoint.name, entry)
    if file.format == "yaml":
        return f"{file.table}:\n{yaml_item(entry)}"
    return json.dumps({file.table: {endpoint.name: entry}}, indent=2)


def toml_table(table: str, name: str, entry: Entry) -> str:
    return "\n".join([f"[{table}.{name}]", *(f"{key} = {_toml(value)}" for key, value in entry.items())])


def yaml_item(entry: Entry, indent: int = 2) -> str:
    """One item of a block list, in the plain style that needs no library."""
    lines = _yaml_lines(entry)
    return "\n".join([f"{' ' * indent}- {lines[0]}", *(f"{' ' * (indent + 2)}{line}" for line in lines[1:])])


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        pairs: Entry = value  # pyright: ignore[reportUnknownVariableType] — entries have string keys
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in pairs.items()) + " }"
    return json.dumps(value)  # strings, numbers and switches look alike in both


def _yaml_lines(entry: Entry) -> list[str]:
    lines: list[str] = []
    for key, value in entry.items():
        if isinstance(value, dict):
            nested: Entry = value  # pyright: ignore[reportUnknownVariableType] — entries have string keys
            lines += [f"{key}:", *(f"  {line}" for line in _yaml_lines(nested))]
        else:
            lines.append(f"{key}: {json.dumps(value)}")
    return lines
