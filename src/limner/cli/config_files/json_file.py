"""Entries in a JSON file: `{"mcpServers": {"limner": {…}}}`, with whatever comments its owner keeps there."""

import json
from typing import Any

from limner.cli.config_files.base import CannotEdit, Entry
from limner.cli.config_files.jsonc import Node, parse


class JsonFile:
    def get(self, text: str, table: str, name: str) -> Entry | None:
        entries = self._entries(text, table)
        member = entries.member(name) if entries else None
        return member.value.plain if member else None

    def put(self, text: str, table: str, name: str, entry: Entry) -> str:
        if not text.strip():
            return json.dumps({table: {name: entry}}, indent=2) + "\n"
        document = parse(text)
        entries = self._entries(text, table)
        if entries is None:
            return _checked(text, _inserted(text, document, table, {name: entry}), table, name, entry)
        member = entries.member(name)
        if member is None:
            return _checked(text, _inserted(text, entries, name, entry), table, name, entry)
        if member.value.plain == entry:
            return text
        is_one_line = "\n" not in text[member.value.start : member.value.end]
        drawn = json.dumps(entry) if is_one_line else _drawn(entry, _indent_at(text, member.start), _unit(text))
        return _checked(text, text[: member.value.start] + drawn + text[member.value.end :], table, name, entry)

    def remove(self, text: str, table: str, name: str) -> str:
        entries = self._entries(text, table) if text.strip() else None
        names = [member.name for member in entries.members] if entries else []
        return _without(text, entries, names.index(name)) if entries and name in names else text

    def _entries(self, text: str, table: str) -> Node | None:
        document = parse(text) if text.strip() else None
        if document is None:
            return None
        if not document.is_object:
            raise CannotEdit("it is JSON, but no object")
        member = document.member(table)
        if member is None:
            return None
        if not member.value.is_object:
            raise CannotEdit(f"its {table} is no object")
        return member.value


def _inserted(text: str, into: Node, name: str, value: Any) -> str:
    """As the last member, in the style of those before it."""
    if not into.members:
        indent = _indent_at(text, into.start)
        unit = _unit(text)
        drawn = f"\n{indent}{unit}{json.dumps(name)}: {_drawn(value, indent + unit, unit)}\n{indent}"
        return text[: into.start + 1] + drawn + text[into.start + 1 : into.end].lstrip(" \t\r\n") + text[into.end :]
    last = into.members[-1]
    if "\n" not in text[into.start : last.start]:
        return text[: last.value.end] + f", {json.dumps(name)}: {json.dumps(value)}" + text[last.value.end :]
    indent = _indent_at(text, last.start)
    drawn = f"\n{indent}{json.dumps(name)}: {_drawn(value, indent, _unit(text))}"
    if into.trailing_comma is None:
        return text[: last.value.end] + "," + drawn + text[last.value.end :]
    after = into.trailing_comma + 1
    return text[:after] + drawn + "," + text[after:]


def _without(text: str, entries: Node, position: int) -> str:
    member = entries.members[position]
    if len(entries.members) == 1:
        return text[: entries.start] + "{}" + text[entries.end :]
    if position == 0:
        return text[: member.start] + text[entries.members[1].start :]
    before = entries.members[position - 1]
    return text[: before.value.end] + text[member.value.end :]


def _drawn(value: Any, indent: str, unit: str) -> str:
    return json.dumps(value, indent=unit).replace("\n", f"\n{indent}")


def _indent_at(text: str, position: int) -> str:
    """The space that begins the line."""
    line = text[text.rfind("\n", 0, position) + 1 : position]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    """One step of indentation in this file: the first there is."""
    for line in text.splitlines():
        if line[:1] in (" ", "\t") and line.strip():
            return "\t" if line[0] == "\t" else " " * min(len(line) - len(line.lstrip(" ")), 8)
    return "  "


def _checked(before: str, after: str, table: str, name: str, entry: Entry) -> str:
    """What was written says what was meant, and everything else says what it said."""
    expected = dict(parse(before).plain)
    expected[table] = {**expected.get(table, {}), name: entry}
    if parse(after).plain != expected:
        raise CannotEdit("it is written in a way this command does not edit safely")
    return after
