"""Reads what forms send; what does not fit is the same coded error every door gives."""

import re
from collections.abc import Sequence

from starlette.datastructures import FormData, UploadFile

from limner.errors import Detail, InvalidRequest

LONGEST_NAME = 80


def text(form: FormData, name: str, *, most: int = 2000) -> str:
    """A field without its surrounding space; empty when it was not sent."""
    value = form.get(name)
    if value is None or isinstance(value, UploadFile):
        return ""
    if "\x00" in value or re.search(r"[\ud800-\udfff]", value):
        raise wrong(name, "must not contain NUL characters or unpaired surrogates")
    if len(value) > most:
        raise wrong(name, f"must have at most {most} characters")
    return value.strip()


def needed(form: FormData, name: str, *, most: int = 2000) -> str:
    value = text(form, name, most=most)
    if not value:
        raise wrong(name, "is needed")
    return value


def password(form: FormData, name: str = "password") -> str:
    """As typed: spaces belong to it."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def whole(form: FormData, name: str, *, least: int, most: int) -> int | None:
    """A whole number; None when the field is empty."""
    value = text(form, name, most=40).replace(",", "")
    if not value:
        return None
    if not re.fullmatch(r"-?[0-9]{1,20}", value) or not least <= int(value) <= most:
        raise wrong(name, f"must be a whole number from {least} to {most}")
    return int(value)


def choice(form: FormData, name: str, allowed: Sequence[str]) -> str | None:
    """One of the values; None when the field is empty."""
    value = text(form, name, most=200)
    if not value:
        return None
    if value not in allowed:
        raise wrong(name, f"must be one of {', '.join(allowed)}")
    return value


def many(form: FormData, name: str) -> list[str]:
    return [value for value in form.getlist(name) if isinstance(value, str) and value]


def wrong(name: str, problem: str) -> InvalidRequest:
    return InvalidRequest(f"{name} {problem}.", details=[Detail(name, problem)])
