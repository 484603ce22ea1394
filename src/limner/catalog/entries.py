"""Reading the catalogue: the built-in `models.toml`, what suppliers say they offer, and an operator's own file.

A model's entry is complete: no other part knows a supplier's limits.
"""

import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from limner.catalog.models import Model

_NOT_SHARED = {
    "aliases",
    "status",
    "shutdownAt",
    "replacedBy",
    "successorUpstreamId",
    "alsoServedBy",
    "fallbacks",
    "recommended",
}


class BadCatalog(Exception):
    """A catalogue file cannot be used; the message is one sentence for the operator."""


def load(path: Path | None, discovered: Iterable[Mapping[str, Any]] = ()) -> list[Model]:
    """The built-in entries, then discovered ones that are new, then the operator's, which win; raises BadCatalog."""
    entries = {entry["id"]: dict(entry) for entry in _read_builtin()}
    for entry in discovered:
        entries.setdefault(entry["id"], dict(entry))
    for entry in _read(path) if path else []:
        entries[entry["id"]] = {**entries.get(entry["id"], {}), **entry}
    completed: dict[str, dict[str, Any]] = {}
    for name, entry in entries.items():
        completed[name] = _completed(entry, completed)
    return [_model(entry) for entry in completed.values()]


def _read_builtin() -> list[dict[str, Any]]:
    text = resources.files("limner.catalog").joinpath("models.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["models"]


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        entries = TypeAdapter(list[dict[str, Any]]).validate_python(
            tomllib.loads(path.read_text("utf-8")).get("models", [])
        )
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as problem:
        raise BadCatalog(f"The catalogue {path} cannot be read: {str(problem).splitlines()[0]}.") from None
    for entry in entries:
        if not isinstance(entry.get("id"), str):
            raise BadCatalog(f"The catalogue {path} has an entry without an id.")
    return entries


def _completed(entry: Mapping[str, Any], above: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """`like` names the entry above that says what this one leaves out, except what belongs to one model's life."""
    own = {key: value for key, value in entry.items() if key != "like"}
    if (name := entry.get("like")) is None:
        return own
    if name not in above:
        raise BadCatalog(f"The catalogue entry {entry['id']} is like '{name}', but no such entry stands above it.")
    return {key: value for key, value in above[name].items() if key not in _NOT_SHARED} | own


def _model(entry: Mapping[str, Any]) -> Model:
    try:
        return Model.model_validate(entry)
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadCatalog(f"The catalogue entry {entry['id']} is wrong at {where}: {first['msg']}.") from None
