"""Entries in a YAML file: items of a block list, each with its `name`.

Only the plain style people and programs write by hand is edited; anything cleverer is refused.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from limner.cli.config_files.base import CannotEdit, Entry
from limner.mcp_clients import yaml_item


@dataclass(frozen=True, slots=True)
class _Block:
    """The list under a key: the lines of its items, and how far they are indented."""

    key: int
    items: tuple[tuple[int, int], ...]
    end: int
    indent: int


class YamlFile:
    def get(self, text: str, table: str, name: str) -> Entry | None:
        lines = text.splitlines()
        found = _item(lines, _block(lines, table), name)
        return None if found is None else _entry(lines[found[0] : found[1]])

    def put(self, text: str, table: str, name: str, entry: Entry) -> str:
        lines = text.splitlines()
        block = _block(lines, table)
        if block is None:
            return "\n".join([*lines, f"{table}:", yaml_item(entry)]) + "\n"
        start, end = _item(lines, block, name) or (block.end, block.end)
        lines[start:end] = yaml_item(entry, block.indent).splitlines()
        lines[block.key] = f"{table}:"
        return "\n".join(lines) + "\n"

    def remove(self, text: str, table: str, name: str) -> str:
        lines = text.splitlines()
        block = _block(lines, table)
        found = _item(lines, block, name)
        if block is None or found is None:
            return text
        del lines[found[0] : found[1]]
        if len(block.items) == 1:
            del lines[block.key]
        return "".join(f"{line}\n" for line in lines)


def _block(lines: list[str], table: str) -> _Block | None:
    key = next((number for number, line in enumerate(lines) if re.match(rf"{table}\s*:", line)), None)
    if key is None:
        return None
    value = lines[key].partition(":")[2].partition("#")[0].strip()
    if value not in ("", "[]"):
        raise CannotEdit(f"its {table} is not a list with an item on each line")
    end = key + 1
    while end < len(lines) and (lines[end].startswith((" ", "-", "#")) or not lines[end].strip()):
        end += 1
    while end > key + 1 and not lines[end - 1].strip():
        end -= 1
    return _with_items(lines, key, end)


def _with_items(lines: list[str], key: int, end: int) -> _Block:
    starts = [number for number in range(key + 1, end) if re.match(r"\s*- ", lines[number])]
    indents = [len(lines[number]) - len(lines[number].lstrip()) for number in starts]
    own = [number for number, indent in zip(starts, indents, strict=True) if indent == min(indents)]
    if any("\t" in lines[number] for number in range(key + 1, end)):
        raise CannotEdit("it is indented with tabs, which YAML does not allow")
    items = tuple(zip(own, [*own[1:], end], strict=True))
    return _Block(key, items, end, min(indents, default=2))


def _item(lines: list[str], block: _Block | None, name: str) -> tuple[int, int] | None:
    for start, end in block.items if block else ():
        if _entry(lines[start:end]).get("name") == name:
            return start, end
    return None


def _entry(lines: list[str]) -> dict[str, Any]:
    first = lines[0].lstrip()
    depth = len(lines[0]) - len(first) + 2
    return _mapping([f"{' ' * depth}{first[2:]}", *lines[1:]])


def _mapping(lines: list[str]) -> dict[str, Any]:
    """Plain scalars and mappings in mappings, which is all an entry of ours has; other values are read as text."""
    said = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    depth = min((len(line) - len(line.lstrip()) for line in said), default=0)
    own = [number for number, line in enumerate(said) if line[depth : depth + 1].strip() and ":" in line]
    fields: dict[str, Any] = {}
    for start, end in zip(own, [*own[1:], len(said)], strict=False):
        name, _, value = said[start].partition(":")
        nested = said[start + 1 : end]
        fields[name.strip()] = _mapping(nested) if nested and not value.strip() else _scalar(value.strip())
    return fields


def _scalar(text: str) -> Any:
    if text.startswith('"'):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text.strip("'")
