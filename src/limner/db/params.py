"""Turns what a caller passes with a statement into what both databases store."""

import re
from datetime import datetime
from functools import lru_cache
from typing import Any

from limner.db.types import to_ms


def bound(params: dict[str, Any]) -> dict[str, Any]:
    """`params` itself, with each datetime as milliseconds and each bool as 0 or 1."""
    for name, value in params.items():
        if isinstance(value, datetime):
            params[name] = to_ms(value)
        elif isinstance(value, bool):
            params[name] = int(value)
    return params


_TOKEN = re.compile(
    r"""
    (?P<kept> '(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | :: )
    | :(?P<name>[a-zA-Z_]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)


@lru_cache(maxsize=4096)
def to_numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """`:name` as PostgreSQL's `$1`, and the names in that order; literals, comments and `::casts` stay as they are."""
    numbers: dict[str, int] = {}

    def number(token: re.Match[str]) -> str:
        return token["kept"] or f"${numbers.setdefault(token['name'], len(numbers) + 1)}"

    return _TOKEN.sub(number, sql).encode(), tuple(numbers)
