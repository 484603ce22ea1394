"""Reads JSON as editors write it, with comments and trailing commas, and remembers where everything stands."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from limner.cli.config_files.base import CannotEdit

_SPACE = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null')


@dataclass(frozen=True, slots=True)
class Member:
    """`"name": value` of an object, from `start` to the value's end."""

    name: str
    start: int
    value: "Node"


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands; the members of an object, and where its last comma is if it trails."""

    start: int
    end: int
    plain: Any
    members: tuple[Member, ...] = field(default=())
    trailing_comma: int | None = None

    @property
    def is_object(self) -> bool:
        return isinstance(self.plain, dict)

    def member(self, name: str) -> Member | None:
        return next((member for member in self.members if member.name == name), None)


def parse(text: str) -> Node:
    """The document's value; CannotEdit says where the text is not JSON."""
    reader = _Reader(text)
    reader.skip_space()
    node = reader.value()
    reader.skip_space()
    if reader.at != len(text):
        raise reader.wrong()
    return node


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 1 if text.startswith("\ufeff") else 0

    def skip_space(self) -> None:
        match = _SPACE.match(self._text, self.at)
        assert match is not None
        self.at = match.end()

    def value(self) -> Node:
        match self._text[self.at : self.at + 1]:
            case "{":
                return self._object()
            case "[":
                return self._array()
            case _:
                return self._scalar()

    def wrong(self) -> CannotEdit:
        line = self._text.count("\n", 0, self.at) + 1
        return CannotEdit(f"it is not JSON at line {line}")

    def _object(self) -> Node:
        start, members, comma = self.at, list[Member](), None
        self._take("{")
        while not self._next_is("}"):
            if members and comma is None:
                raise self.wrong()
            name = self._scalar()
            if not isinstance(name.plain, str):
                raise self.wrong()
            self.skip_space()
            self._take(":")
            self.skip_space()
            members.append(Member(name.plain, name.start, self.value()))
            comma = self._comma()
        self._take("}")
        plain = {member.name: member.value.plain for member in members}
        return Node(start, self.at, plain, tuple(members), comma)

    def _array(self) -> Node:
        start, items, comma = self.at, list[Any](), None
        self._take("[")
        while not self._next_is("]"):
            if items and comma is None:
                raise self.wrong()
            items.append(self.value().plain)
            comma = self._comma()
        self._take("]")
        return Node(start, self.at, items)

    def _scalar(self) -> Node:
        match = _SCALAR.match(self._text, self.at)
        if match is None:
            raise self.wrong()
        start, self.at = self.at, match.end()
        try:
            return Node(start, self.at, json.loads(match[0], strict=False))
        except ValueError:
            raise self.wrong() from None

    def _comma(self) -> int | None:
        """Where the comma after an item stands, if there is one."""
        self.skip_space()
        if not self._next_is(","):
            return None
        self.at += 1
        return self.at - 1

    def _next_is(self, character: str) -> bool:
        self.skip_space()
        return self._text.startswith(character, self.at)

    def _take(self, character: str) -> None:
        if not self._text.startswith(character, self.at):
            raise self.wrong()
        self.at += 1
