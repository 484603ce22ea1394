"""Typed reads of `LIMNER_*`, from the variable itself or from the file that `LIMNER_…_FILE` names."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
C = TypeVar("C", bound=str)
OTHERS = ("LIMNER_URL", "LIMNER_API_KEY")
"""What the client commands read."""

MOST = 10**9
"""No number here needs to be larger, and none that is would fit what it is counted in."""


class BadConfiguration(Exception):
    """A setting cannot be used; the message is one sentence for the person who starts the server."""


class Environment:
    """Every read raises BadConfiguration with its own sentence when the value is wrong."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._read: set[str] = set()

    def names(self) -> list[str]:
        """Every variable that was asked for so far."""
        return sorted(self._read)

    def unread(self) -> tuple[str, ...]:
        """The variables of ours that nothing has asked for; call it last."""
        known = self._read | {f"{name}_FILE" for name in self._read} | set(OTHERS)
        return tuple(sorted(set(self.beginning_with("LIMNER_")) - known))

    def beginning_with(self, start: str) -> list[str]:
        """The variables whose name begins so and that are set to something."""
        return [name for name, value in self._environ.items() if name.startswith(start) and value.strip()]

    def value(self, variable: str) -> str | None:
        """By the whole name of the variable; None where neither it nor its file says anything."""
        self._read.add(variable)
        if value := self._environ.get(variable, "").strip():
            return value
        path = self._environ.get(f"{variable}_FILE", "").strip()
        if not path:
            return None
        try:
            return Path(path).expanduser().read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as problem:
            raise BadConfiguration(f"{variable}_FILE names '{path}', which cannot be read: {problem}.") from None

    def text(self, name: str) -> str | None:
        return self.value(f"LIMNER_{name}")

    def choice(self, name: str, allowed: tuple[C, ...], default: C) -> C:
        value = self.text(name)
        if value is None:
            return default
        for candidate in allowed:
            if value == candidate:
                return candidate
        raise BadConfiguration(f"LIMNER_{name} is '{value}', but must be one of: {', '.join(allowed)}.")

    def switch(self, name: str, *, default: bool) -> bool:
        value = (self.text(name) or ("on" if default else "off")).lower()
        if value in ("on", "true", "yes", "1"):
            return True
        if value in ("off", "false", "no", "0"):
            return False
        raise BadConfiguration(f"LIMNER_{name} is '{value}', but must be on or off.")

    def number(self, name: str, default: int, *, at_least: int = 0, at_most: int = MOST) -> int:
        value = self.text(name)
        if value is None:
            return default
        fits = value.isascii() and value.isdigit() and len(value) < 20 and at_least <= int(value) <= at_most
        if not fits:
            most = "" if at_most == MOST else f" and at most {at_most}"
            raise BadConfiguration(
                f"LIMNER_{name} is '{value}', but must be a whole number of at least {at_least}{most}."
            )
        return int(value)

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(word.strip() for word in (self.text(name) or "").split(",") if word.strip())

    def pairs(self, name: str) -> dict[str, str]:
        """`name=value,name=value`; the values may be secret, so the sentence repeats none."""
        pairs = [word.partition("=") for word in self.words(name)]
        if not all(key and separator for key, separator, _ in pairs):
            raise BadConfiguration(f"LIMNER_{name} must look like name=value,name=value.")
        return {key.strip(): value.strip() for key, _, value in pairs}

    def url(self, name: str) -> str | None:
        """An http or https address, without the slash at its end."""
        value = self.text(name)
        if value is None:
            return None
        if not _is_http_url(value):
            raise BadConfiguration(f"LIMNER_{name} is '{value}', but must be an http:// or https:// address.")
        return value.rstrip("/")

    def networks(self, name: str) -> tuple[Network, ...]:
        try:
            return tuple(ipaddress.ip_network(word, strict=False) for word in self.words(name))
        except ValueError as problem:
            raise BadConfiguration(
                f"LIMNER_{name} must list addresses or networks such as 10.0.0.0/8: {problem}."
            ) from None

    def existing_file(self, name: str) -> Path | None:
        value = self.text(name)
        if value is None:
            return None
        path = Path(value).expanduser().absolute()
        if not path.is_file():
            raise BadConfiguration(f"LIMNER_{name} names '{value}', but there is no such file.")
        return path


def _is_http_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and parts.hostname is not None and (parts.port or 1) > 0
    except ValueError:
        return False
