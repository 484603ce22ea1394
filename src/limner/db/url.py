"""What a database URL says: a SQLite file, or a PostgreSQL server. Errors never repeat a password."""

from pathlib import Path
from urllib.parse import quote, unquote, urlsplit


def sqlite_url(path: Path) -> str:
    return f"sqlite://{quote(str(path.absolute()))}"


def sqlite_path(url: str) -> Path | None:
    """The absolute path of the SQLite file, or None where the URL names a PostgreSQL server.

    `sqlite:///srv/limner.db` and `sqlite:////srv/limner.db` are the same file; ValueError for any
    other kind of URL.
    """
    scheme = url.partition(":")[0]
    if scheme in ("postgresql", "postgres"):
        return None
    if scheme != "sqlite":
        raise ValueError(f"unknown database {scheme!r}: use sqlite:///path/to/limner.db or postgresql://…")
    parts = urlsplit(url)
    if parts.netloc or parts.query or parts.fragment or not parts.path.strip("/"):
        raise ValueError("a SQLite URL is sqlite:/// and an absolute path, nothing else")
    return Path("/" + unquote(parts.path).lstrip("/"))
