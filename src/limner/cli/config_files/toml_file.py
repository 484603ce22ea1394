"""Entries in a TOML file: a `[table.name]` section each."""

import re
import tomllib
from typing import Any

from limner.cli.config_files.base import CannotEdit, Entry
from limner.mcp_clients import toml_table

_HEADER = re.compile(r"^[ \t]*\[\[?[ \t]*([^\]]+?)[ \t]*\]\]?[ \t]*(?:#.*)?$", re.MULTILINE)


class TomlFile:
    def get(self, text: str, table: str, name: str) -> Entry | None:
        return _parsed(text).get(table, {}).get(name)

    def put(self, text: str, table: str, name: str, entry: Entry) -> str:
        wanted = _parsed(text)
        wanted[table] = {**wanted.get(table, {}), name: entry}
        start, end = _section(text, f"{table}.{name}") or (len(text), len(text))
        drawn = toml_table(table, name, entry) + "\n"
        before = text[:start] if start < len(text) or not text else text.rstrip("\n") + "\n\n"
        return _checked(before + drawn + ("\n" if text[end:].strip() else "") + text[end:].lstrip("\n"), wanted)

    def remove(self, text: str, table: str, name: str) -> str:
        wanted = _parsed(text)
        if name not in wanted.get(table, {}):
            return text
        del wanted[table][name]
        if not wanted[table]:
            del wanted[table]
        section = _section(text, f"{table}.{name}")
        if section is None:
            raise CannotEdit(f"its {name} is not a section of its own")
        start, end = section
        rest = text[end:].lstrip("\n")
        return _checked(text[:start] + rest if rest else text[:start].rstrip("\n") + "\n" * bool(text[:start]), wanted)


def _section(text: str, title: str) -> tuple[int, int] | None:
    """From the section's header to the next one that is no part of it."""
    headers = list(_HEADER.finditer(text))
    own = [header for header in headers if _title(header) == title or _title(header).startswith(f"{title}.")]
    if not own:
        return None
    after = [header.start() for header in headers if header.start() > own[-1].start() and header not in own]
    return own[0].start(), after[0] if after else len(text)


def _title(header: "re.Match[str]") -> str:
    return re.sub(r'[ \t"\']', "", header[1])


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise CannotEdit(f"it is not TOML: {problem}") from None


def _checked(text: str, wanted: dict[str, Any]) -> str:
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        written = None
    if written != wanted:
        raise CannotEdit("it is written in a way this command does not edit safely")
    return text
