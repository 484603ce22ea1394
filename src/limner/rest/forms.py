"""Edits sent as multipart/form-data: the same fields as in JSON, with pictures as files."""

from dataclasses import replace
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from limner.errors import InvalidRequest
from limner.images.requests import NewImages, Reference
from limner.rest import reading

MOST_FILES = 33
MOST_FIELDS = 60
NUMBERS = ("seed", "n", "waitSeconds", "ttlSeconds")
SWITCHES = {"true": True, "false": False}
LISTS = ("images", "references")
FILE = "(file)"
"""What stands for a file while the fields are checked as JSON's would be."""


def is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


class Form:
    """`fields` are what JSON would have said; `with_files` puts the files where they belong."""

    def __init__(self, fields: dict[str, Any], files: dict[str, list[Reference]]) -> None:
        self.fields = fields
        self._files = files

    @classmethod
    async def of(cls, request: Request) -> "Form":
        """InvalidRequest for a body that is no form."""
        try:
            async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS) as form:
                return await _read(form)
        except MultiPartException as problem:
            raise InvalidRequest(f"The form cannot be read: {problem.message}.") from None

    def with_files(self, new: NewImages) -> NewImages:
        masks = self._files.get("mask", [])
        return replace(
            new,
            images=tuple(self._files.get("images", ())),
            references=tuple(self._files.get("references", ())),
            mask=masks[0] if masks else None,
        )


async def _read(form: FormData) -> Form:
    fields: dict[str, Any] = {}
    pointers: dict[str, list[Reference]] = {}
    for name, value in form.multi_items():
        name = name.removesuffix("[]")
        if name in (*LISTS, "mask"):
            pointers.setdefault(name, []).append(await value.read() if isinstance(value, UploadFile) else value)
        elif isinstance(value, UploadFile):
            raise reading.wrong(name, "takes a text, not a file")
        else:
            fields[name] = _typed(name, value)
    shown = {name: [each if isinstance(each, str) else FILE for each in values] for name, values in pointers.items()}
    if "mask" in shown:
        fields["mask"] = shown.pop("mask")[0]
    return Form(fields | shown, pointers)


def _typed(name: str, value: str) -> Any:
    """A form has only texts; what is no number or switch is left for the check to refuse."""
    if name in NUMBERS and value.isascii() and value.isdigit() and len(value) <= 20:
        return int(value)
    if name in ("includeBytes", "dryRun"):
        return SWITCHES.get(value, value)
    return value
