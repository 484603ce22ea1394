"""Where an OAuth client may be sent back to: exact addresses, except for the port on the user's own machine."""

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

LONGEST = 2000
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
NEVER = frozenset(
    [
        "about",
        "blob",
        "chrome",
        "data",
        "file",
        "filesystem",
        "ftp",
        "http",
        "intent",
        "javascript",
        "jar",
        "mailto",
        "resource",
        "vbscript",
        "view-source",
        "ws",
        "wss",
    ]
)
"""Schemes a browser runs, reads the disk with, or sends unprotected."""

_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z~]+")
"""The characters of a URI (RFC 3986): no spaces, no controls, no backslash, no quotes."""

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")


def problem_of(uri: str) -> str | None:
    """Why an address may not be registered; None when it may."""
    if len(uri) > LONGEST or not _PLAIN.fullmatch(uri):
        return "is not a URI"
    parts = _split(uri)
    if parts is None or not _SCHEME.fullmatch(parts.scheme):
        return "is not an absolute URI"
    if "#" in uri:
        return "must have no fragment"
    if parts.scheme in ("https", "http"):
        return _problem_of_web(parts)
    return f"may not use the scheme {parts.scheme}" if parts.scheme in NEVER else None


def allowed(registered: Iterable[str], uri: str) -> bool:
    """Whether `uri` is one of the registered; on the user's own machine the port is free (RFC 8252, section 7.3)."""
    return problem_of(uri) is None and any(uri == each or _same_but_port(each, uri) for each in registered)


def host_of(uri: str) -> str:
    """What a person is shown: the host, or the scheme of a program on their machine."""
    parts = urlsplit(uri)
    if parts.scheme in ("https", "http"):
        return parts.hostname or ""
    return f"{parts.scheme}:"


def is_local(uri: str) -> bool:
    """Whether the client is a program on the user's own machine."""
    parts = urlsplit(uri)
    return parts.scheme != "https" or parts.hostname in LOOPBACK


def source_of(uri: str) -> str:
    """The address as a source of a Content-Security-Policy (which knows no IPv6 hosts)."""
    parts = urlsplit(uri)
    if parts.scheme in ("https", "http") and ":" not in (parts.hostname or ""):
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"


def _split(uri: str) -> SplitResult | None:
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _problem_of_web(parts: SplitResult) -> str | None:
    if "@" in parts.netloc:
        return "must have no user name"
    if not parts.hostname or not _HOST.fullmatch(parts.hostname):
        return "names no host"
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        return "must use https"
    return None


def _same_but_port(registered: str, uri: str) -> bool:
    one, other = urlsplit(registered), urlsplit(uri)
    return (
        one.scheme == other.scheme == "http"
        and one.hostname in LOOPBACK
        and (one.hostname, one.path or "/", one.query) == (other.hostname, other.path or "/", other.query)
    )
