"""Reads a URL that a user sent, once and strictly: nobody after us parses it again and finds something else in it."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, urljoin, urlsplit

MAX_URL_LENGTH = 2048

_NEVER_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\\ud800-\udfff]")
_HOST_AND_PORT = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<host>[^\[\]:@]+))(?::(?P<port>[0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_LOOKS_LIKE_A_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_KEPT_IN_A_PATH = "/%:@!$&'()*+,;=~-._?"


class UrlRefused(ValueError):
    """The URL may not be called; the message says why, to the user who sent it."""


@dataclass(frozen=True, slots=True)
class HttpsUrl:
    """An https URL in its parts: `host` is a lower-case name or an address without brackets."""

    host: str
    port: int
    path: str
    """Path and query, percent-encoded: what stands in the request line."""

    def __str__(self) -> str:
        return f"https://{self.authority}{self.path}"

    @property
    def authority(self) -> str:
        """What stands in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"

    def joined(self, location: str) -> str:
        """Where a redirect leads, relative or absolute; still to be parsed."""
        try:
            return urljoin(str(self), location)
        except ValueError:
            raise UrlRefused("The URL redirects to something that is not a URL.") from None


def parse(url: str) -> HttpsUrl:
    """UrlRefused for anything that is not a plain https URL with one unmistakable host."""
    if len(url) > MAX_URL_LENGTH:
        raise UrlRefused(f"The URL is longer than {MAX_URL_LENGTH} characters.")
    if _NEVER_IN_A_URL.search(url):
        raise UrlRefused("The URL holds a character that URLs cannot have.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise UrlRefused("That is not a URL.") from None
    if parts.scheme != "https":
        raise UrlRefused("Only https URLs are allowed.")
    if "@" in parts.netloc:
        raise UrlRefused("A URL with a user name or password is not allowed.")
    place = _HOST_AND_PORT.fullmatch(parts.netloc.lower())
    if not place:
        raise UrlRefused("The URL names no host.")
    host = _checked_v6(place["v6"]) if place["v6"] else _checked_host(place["host"])
    return HttpsUrl(host, int(place["port"] or 443), _path(parts.path, parts.query))


def _checked_host(host: str) -> str:
    if not host.isascii():
        raise UrlRefused("Write an international host name in its ASCII form (xn--…).")
    labels = host.split(".")
    if _LOOKS_LIKE_A_NUMBER.fullmatch(labels[-1]):
        return _checked_v4(host)
    if len(labels) < 2 or len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise UrlRefused("The URL's host is not a full domain name.")
    return host


def _checked_v4(host: str) -> str:
    """Only the canonical form: browsers and C libraries read `127.1`, `0x7f.1` and `2130706433` as addresses too."""
    try:
        return str(IPv4Address(host))
    except ValueError:
        raise UrlRefused("The URL's host is not an address in its usual form.") from None


def _checked_v6(host: str) -> str:
    try:
        return str(IPv6Address(host))
    except ValueError:
        raise UrlRefused("The URL's host is not an address.") from None


def _path(path: str, query: str) -> str:
    whole = f"{path or '/'}?{query}" if query else path or "/"
    return quote(whole, safe=_KEPT_IN_A_PATH)
