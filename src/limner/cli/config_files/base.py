"""What an editor of one format does, and why it may refuse."""

from typing import Any, Protocol

Entry = dict[str, Any]


class CannotEdit(Exception):
    """The file is not as this format allows, or in a style we do not edit; nothing was changed."""


class Editor(Protocol):
    """Works on text, so that comments, order and spacing of everything else stay. Raises CannotEdit."""

    def get(self, text: str, table: str, name: str) -> Entry | None: ...

    def put(self, text: str, table: str, name: str, entry: Entry) -> str:
        """Add the entry, or replace the one with that name."""
        ...

    def remove(self, text: str, table: str, name: str) -> str:
        """The same text where there is no such entry."""
        ...
