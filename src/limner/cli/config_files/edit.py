"""Writes an entry into a client's configuration file and takes it out again, so that nothing else is ever lost."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from limner.cli.config_files.base import CannotEdit, Editor, Entry
from limner.cli.config_files.json_file import JsonFile
from limner.cli.config_files.toml_file import TomlFile
from limner.cli.config_files.yaml_file import YamlFile
from limner.mcp_clients import Format

EDITORS: Mapping[Format, Editor] = {"json": JsonFile(), "toml": TomlFile(), "yaml": YamlFile()}


@dataclass(frozen=True, slots=True)
class Target:
    """One entry of one file."""

    path: Path
    format: Format
    table: str
    name: str

    @property
    def copy(self) -> Path:
        """What the file was before us."""
        return self.path.with_name(f"{self.path.name}.before-{self.name}")


def write(target: Target, entry: Entry) -> str:
    """Add or replace the entry; what was done, in a few words. Raises CannotEdit, OSError."""
    editor, text = EDITORS[target.format], _read(target.path)
    written = editor.put(text, target.table, target.name, entry)
    if written == text:
        return "nothing: it was there already"
    if target.path.exists() and editor.get(text, target.table, target.name) is None:
        _replace(target.copy, text, like=target.path)
    _replace(target.path, written, like=target.path)
    return f"written; the file as it was is {target.copy.name}" if target.copy.exists() else "written"


def undo(target: Target) -> str:
    """Take the entry out: byte for byte what was there before, unless somebody has changed the rest since."""
    editor, text = EDITORS[target.format], _read(target.path)
    entry = editor.get(text, target.table, target.name)
    if entry is None:
        return "nothing: it is not there"
    before = _read(target.copy) if target.copy.exists() else None
    if before is None and editor.put("", target.table, target.name, entry) == text:
        target.path.unlink()
        return "removed; the file held nothing else"
    is_ours = before is not None and editor.put(before, target.table, target.name, entry) == text
    restored = before if before is not None and is_ours else editor.remove(text, target.table, target.name)
    _replace(target.path, restored, like=target.path)
    target.copy.unlink(missing_ok=True)
    return "removed"


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise CannotEdit("it is not UTF-8 text") from None


def _replace(path: Path, text: str, *, like: Path) -> None:
    """All or nothing, through links, with the mode the file had; a new one is its owner's alone: it holds a key."""
    path = path.resolve()
    mode = like.stat().st_mode & 0o777 if like.exists() else 0o600
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.part")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(text.encode())
    half.replace(path)
