"""Saves pictures where the person stands."""

from collections.abc import Sequence
from pathlib import Path


def save(data: bytes, path: Path) -> Path:
    """Write all or nothing; the absolute path."""
    path = path.expanduser().absolute()
    half = path.with_name(f".{path.name}.part")
    half.write_bytes(data)
    half.replace(path)
    return path


def unused(path: Path, besides: Sequence[Path] = ()) -> Path:
    """`path`, or the first numbered one that is not there yet: never over a file somebody has."""
    number = 1
    candidate = path
    while candidate.exists() or candidate in besides:
        number += 1
        candidate = path.with_stem(f"{path.stem}-{number}")
    return candidate
