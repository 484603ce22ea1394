"""Where things are: the server's address, its data, its database and its blobs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from limner.config.environment import BadConfiguration, Environment
from limner.db.url import sqlite_path


@dataclass(frozen=True, kw_only=True)
class Places:
    data_dir: Path
    database_url: str = field(repr=False)
    blobs_url: str
    public_url: str
    host: str = "127.0.0.1"
    port: int = 8000
    blobs_endpoint: str | None = None
    x_accel: str | None = None

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite:")


def read_places(env: Environment, environ: Mapping[str, str], host: str | None, port: int | None) -> Places:
    """`host` and `port` come from the command line and win."""
    data_dir = Path(env.text("DATA_DIR") or default_data_dir(environ)).expanduser().absolute()
    port = port if port is not None else env.number("PORT", 8000, at_most=65535)
    return Places(
        data_dir=data_dir,
        database_url=_database_url(env, data_dir),
        blobs_url=env.text("BLOBS_URL") or f"file://{data_dir / 'blobs'}",
        blobs_endpoint=env.url("BLOBS_ENDPOINT"),
        x_accel=_x_accel(env),
        public_url=_public_url(env, port),
        host=host or env.text("HOST") or "127.0.0.1",
        port=port,
    )


def default_data_dir(environ: Mapping[str, str]) -> str:
    """As the XDG Base Directory specification has it."""
    base = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME") or "~").expanduser() / ".local" / "share")
    return str(Path(base) / "limner")


def _database_url(env: Environment, data_dir: Path) -> str:
    value = env.text("DATABASE_URL") or f"sqlite:///{data_dir / 'limner.db'}"
    try:
        sqlite_path(value)
    except ValueError as problem:
        raise BadConfiguration(f"LIMNER_DATABASE_URL cannot be used: {problem}.") from None
    return value.replace("postgres://", "postgresql://", 1) if value.startswith("postgres://") else value


def _x_accel(env: Environment) -> str | None:
    value = env.text("X_ACCEL")
    if value is None:
        return None
    if re.fullmatch(r"/([A-Za-z0-9._~-]+/)+", value) is None:
        raise BadConfiguration(
            f"LIMNER_X_ACCEL is '{value}', but must be an internal location of nginx such as /_blobs/."
        )
    if not (env.text("BLOBS_URL") or "file://").startswith("file://"):
        raise BadConfiguration("LIMNER_X_ACCEL is set, but LIMNER_BLOBS_URL names no files that nginx could send.")
    return value


def _public_url(env: Environment, port: int) -> str:
    url = env.url("PUBLIC_URL") or f"http://127.0.0.1:{port}"
    if urlsplit(url).path:
        raise BadConfiguration(
            "LIMNER_PUBLIC_URL must be a bare origin such as https://images.example.org, without a path."
        )
    return url
