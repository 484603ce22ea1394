"""Templates and styles an account keeps; owns the `saved_prompts` table.

A template is a prompt with placeholders and the settings it is made with. A style is a few words that go into
`style`. Both are called by a name, which MCP clients list.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Literal

import orjson

from limner.db.base import Row, Transaction
from limner.db.types import new_id, utc
from limner.errors import Detail, InvalidRequest, NotFound
from limner.prompts import placeholders
from limner.prompts.placeholders import Placeholder

Kind = Literal["template", "style"]
KINDS: tuple[Kind, ...] = ("template", "style")
KIND_OF: Mapping[str, Kind] = {kind: kind for kind in KINDS}

MOST_PER_ACCOUNT = 200
TEXT_CHARACTERS: Mapping[Kind, int] = {"template": 8000, "style": 500}
NAME = r"[a-z0-9](?:[a-z0-9\-]{0,62}[a-z0-9])?"
BUILT_IN = frozenset({"generate-image", "generate-image-detailed"})
"""Names MCP has given already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPrompt:
    """What is kept; `settings` are arguments of generate_image by their names there."""

    kind: Kind
    name: str
    title: str
    text: str
    description: str = ""
    settings: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        return placeholders.of(self.text) if self.kind == "template" else ()

    def arguments(self, values: Mapping[str, str]) -> dict[str, str]:
        """What generate_image takes: prompt and settings of a template, the style of a style."""
        if self.kind == "style":
            placeholders.fill("", values)
            return {"style": self.text}
        return {"prompt": placeholders.fill(self.text, values), **self.settings}

    def check(self) -> None:
        """Raises InvalidRequest for what cannot be kept."""
        if not re.fullmatch(NAME, self.name) or self.name in BUILT_IN:
            raise wrong("name", "must be small letters, digits and dashes, and no name MCP has already")
        if not self.text.strip() or len(self.text) > TEXT_CHARACTERS[self.kind]:
            raise wrong("text", f"must have 1 to {TEXT_CHARACTERS[self.kind]} characters for a {self.kind}")
        if self.kind == "style" and self.settings:
            raise wrong("settings", "belong to templates, a style has none")
        _ = self.placeholders


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPrompt(NewPrompt):
    id: str
    account_id: str
    created_at: datetime
    updated_at: datetime

    def as_new(self) -> NewPrompt:
        """Without whose it is and since when: what an export holds."""
        return NewPrompt(**{each.name: getattr(self, each.name) for each in fields(NewPrompt)})


@dataclass(frozen=True, slots=True)
class Imported:
    created: int
    updated: int


def create(tx: Transaction, account_id: str, new: NewPrompt, now: datetime) -> SavedPrompt:
    """InvalidRequest for a name that is taken, and for more than an account may keep."""
    new.check()
    if count(tx, account_id) >= MOST_PER_ACCOUNT:
        raise InvalidRequest(
            f"An account can keep {MOST_PER_ACCOUNT} templates and styles.", next_step="Delete one first."
        )
    row = tx.first(
        """INSERT INTO saved_prompts (id, account_id, kind, name, title, description, text, settings, created_at, updated_at)
           VALUES (:id, :account_id, :kind, :name, :title, :description, :text, :settings, :now, :now)
           ON CONFLICT (account_id, name) DO NOTHING RETURNING *""",
        id=new_id(),
        account_id=account_id,
        now=now,
        **_columns(new),
    )
    if row is None:
        raise _taken(new.name)
    return _saved(row)


def replace(tx: Transaction, account_id: str, id_or_name: str, new: NewPrompt, now: datetime) -> SavedPrompt:
    """Everything but the id; NotFound for another account's, InvalidRequest for a name that is taken."""
    new.check()
    old = get(tx, account_id, id_or_name)
    other = _by(tx, account_id, "name", new.name)
    if other is not None and other.id != old.id:
        raise _taken(new.name)
    row = tx.first(
        """UPDATE saved_prompts SET kind = :kind, name = :name, title = :title, description = :description, text = :text,
                  settings = :settings, updated_at = :now
           WHERE id = :id RETURNING *""",
        id=old.id,
        now=now,
        **_columns(new),
    )
    if row is None:
        raise _unknown()
    return _saved(row)


def get(tx: Transaction, account_id: str, id_or_name: str) -> SavedPrompt:
    """NotFound for another account's and an unknown one alike."""
    if not re.fullmatch(NAME, id_or_name):  # which ids are, too
        raise _unknown()
    found = _by(tx, account_id, "id", id_or_name) or _by(tx, account_id, "name", id_or_name)
    if found is None:
        raise _unknown()
    return found


def of_account(tx: Transaction, account_id: str, kind: Kind | None = None) -> Sequence[SavedPrompt]:
    """By title."""
    rows = tx.all("SELECT * FROM saved_prompts WHERE account_id = :account_id", account_id=account_id)
    found = [_saved(row) for row in rows if kind in (None, row["kind"])]
    return sorted(found, key=lambda prompt: (prompt.title.casefold(), prompt.name))


def count(tx: Transaction, account_id: str) -> int:
    return tx.scalar("SELECT count(*) FROM saved_prompts WHERE account_id = :account_id", account_id=account_id)


def delete(tx: Transaction, account_id: str, id_or_name: str) -> None:
    tx.execute("DELETE FROM saved_prompts WHERE id = :id", id=get(tx, account_id, id_or_name).id)


def delete_all(tx: Transaction, account_id: str) -> None:
    """With the account."""
    tx.execute("DELETE FROM saved_prompts WHERE account_id = :account_id", account_id=account_id)


def take_in(tx: Transaction, account_id: str, prompts: Sequence[NewPrompt], now: datetime) -> Imported:
    """Keep all of an export or nothing; a name that is there already is replaced."""
    known = {prompt.name for prompt in of_account(tx, account_id)}
    for new in prompts:
        if new.name in known:
            replace(tx, account_id, new.name, new, now)
        else:
            create(tx, account_id, new, now)
    updated = len(known & {new.name for new in prompts})
    return Imported(created=len(prompts) - updated, updated=updated)


def free_name(tx: Transaction, account_id: str, wish: str) -> str:
    """A name made from some words, that nothing has yet."""
    base = "-".join(re.findall(r"[a-z0-9]+", wish.lower())[:6])[:50].strip("-") or "prompt"
    taken = BUILT_IN | {prompt.name for prompt in of_account(tx, account_id)}
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def wrong(path: str, problem: str) -> InvalidRequest:
    return InvalidRequest(f"{path} {problem}.", details=[Detail(path, problem, "value")])


def _columns(new: NewPrompt) -> dict[str, str]:
    return {
        "kind": new.kind,
        "name": new.name,
        "title": new.title,
        "description": new.description,
        "text": new.text,
        "settings": orjson.dumps(dict(new.settings)).decode(),
    }


def _by(tx: Transaction, account_id: str, column: Literal["id", "name"], value: str) -> SavedPrompt | None:
    row = tx.first(
        f"SELECT * FROM saved_prompts WHERE account_id = :account_id AND {column} = :value",  # noqa: S608 — one of two words
        account_id=account_id,
        value=value,
    )
    return None if row is None else _saved(row)


def _saved(row: Row) -> SavedPrompt:
    return SavedPrompt(
        id=row["id"],
        account_id=row["account_id"],
        kind=row["kind"],
        name=row["name"],
        title=row["title"],
        description=row["description"],
        text=row["text"],
        settings=orjson.loads(row["settings"]),
        created_at=utc(row["created_at"]),
        updated_at=utc(row["updated_at"]),
    )


def _taken(name: str) -> InvalidRequest:
    return InvalidRequest(
        f"There is already a template or style named '{name}'.",
        details=[Detail("name", "is taken", "taken")],
        next_step="Choose another name, or change that one.",
    )


def _unknown() -> NotFound:
    return NotFound("There is no such template or style.")
