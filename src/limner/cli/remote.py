"""Which server the client commands talk to: options, then the environment, then what `limner login` kept."""

import functools
import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click
import httpx2

from limner import __version__
from limner.client import Limner
from limner.config import BadConfiguration, default_data_dir

P = ParamSpec("P")
R = TypeVar("R")

LOCAL_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True)
class Remote:
    """A server and the key to it."""

    url: str
    key: str | None

    def client(self) -> Limner:
        return Limner(self.url, self.key, retries=1, user_agent=f"limner-cli/{__version__}")


def remote_options(command: Callable[Concatenate[Remote, P], R]) -> Callable[P, R]:
    """`--url` and `--key` for a command, handed to it as a `Remote`."""

    @click.option("--url", envvar="LIMNER_URL", metavar="URL", help="The server; also LIMNER_URL, or limner login.")
    @click.option("--key", envvar="LIMNER_API_KEY", metavar="KEY", help="The API key; better in LIMNER_API_KEY.")
    @functools.wraps(command)
    def with_remote(*args: P.args, **kwargs: P.kwargs) -> R:
        values: dict[str, Any] = dict(kwargs)
        remote = find(values.pop("url"), values.pop("key"))
        return command(remote, *args, **values)

    return with_remote


def find(url: str | None, key: str | None) -> Remote:
    kept = _kept()
    if url is None:
        url = kept.url if kept else LOCAL_URL
    url = url.rstrip("/").removesuffix("/api/mcp")
    if httpx2.URL(url).scheme not in ("http", "https"):
        raise BadConfiguration(f"'{url}' must be an http:// or https:// address (--url, LIMNER_URL)")
    if key is None and kept and kept.url == url:
        key = kept.key
    return Remote(url, key or (_quickstart_key() if url == LOCAL_URL else None))


def keep(remote: Remote) -> Path:
    """Keep a server and its key for later commands, readable by their owner alone."""
    file = config_file()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as kept:
        kept.write(f'url = "{remote.url}"\nkey = "{remote.key or ""}"\n')
    return file


def config_file() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "limner" / "client.toml"


def _kept() -> Remote | None:
    file = config_file()
    try:
        values = tomllib.loads(file.read_text())
        return Remote(values["url"], values["key"] or None)
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, KeyError) as problem:
        raise BadConfiguration(f"{file} cannot be used ({problem}): run limner login again") from None


def _quickstart_key() -> str | None:
    """The key of the server on this machine, so that it works at once after `limner quickstart`."""
    file = Path(default_data_dir(os.environ)) / "quickstart.key"
    return file.read_text().strip() if file.exists() else None
