"""The blanks of a template: `{{subject}}`, or `{{light=golden hour|neon}}` with what may stand there, the usual first."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from limner.errors import Detail, InvalidRequest

MOST = 20
MOST_VALUES = 20

_BLANK = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_INSIDE = re.compile(r"\s*([A-Za-z][A-Za-z0-9_-]{0,39})\s*(?:=(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`values` are suggestions, the first of them the default; one without any has to be filled."""

    name: str
    values: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        return not self.values


def of(text: str) -> tuple[Placeholder, ...]:
    """In the order of the text, each once; InvalidRequest for a blank that is none."""
    found: dict[str, Placeholder] = {}
    for blank in _BLANK.finditer(text):
        placeholder = _placeholder(blank[1])
        known = found.get(placeholder.name)
        found[placeholder.name] = placeholder if known is None or known.required else known
    if len(found) > MOST:
        raise _wrong("text", f"has more than {MOST} placeholders")
    return tuple(found.values())


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with every blank filled; InvalidRequest for one that stays empty, and for a value that has no blank.

    What a value says is never read as a placeholder.
    """
    blanks = {each.name: each for each in of(text)}
    if unknown := [name for name in values if name not in blanks]:
        raise _wrong(f"values.{unknown[0][:60]}", f"is no placeholder of this template ({_listed(blanks)})")
    said = {name: value for name, value in values.items() if value.strip()}
    if missing := [name for name, blank in blanks.items() if blank.required and name not in said]:
        raise _wrong(f"values.{missing[0]}", "is needed")

    def filled(blank: re.Match[str]) -> str:
        name = _placeholder(blank[1]).name
        return said.get(name) or blanks[name].values[0]

    return _BLANK.sub(filled, text)


def begun(text: str, values: Mapping[str, str]) -> str:
    """The text as far as it can be filled: what has to be said and is not stays a blank."""
    blanks = {each.name: each for each in of(text)}

    def filled(blank: re.Match[str]) -> str:
        name = _placeholder(blank[1]).name
        return values.get(name) or (blanks[name].values or (f"{{{{{name}}}}}",))[0]

    return _BLANK.sub(filled, text)


def _placeholder(inside: str) -> Placeholder:
    match = _INSIDE.fullmatch(inside)
    if match is None:
        raise _wrong("text", f"has a placeholder {{{{{inside[:40]}}}}}: write {{{{name}}}} or {{{{name=usual|other}}}}")
    values = dict.fromkeys(value.strip() for value in (match[2] or "").split("|") if value.strip())
    if len(values) > MOST_VALUES:
        raise _wrong("text", f"has a placeholder with more than {MOST_VALUES} values")
    return Placeholder(match[1], tuple(values))


def _listed(blanks: Mapping[str, Placeholder]) -> str:
    return ", ".join(blanks) or "it has none"


def _wrong(path: str, problem: str) -> InvalidRequest:
    return InvalidRequest(f"{path} {problem}.", details=[Detail(path, problem, "placeholder")])
