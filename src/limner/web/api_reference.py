"""The API reference: what /openapi.json says, as a page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.web.docs import Library
from limner.web.door import PageDoor
from limner.web.pages import Pages
from limner.web.visitors import Visitor


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: str
    needed: bool
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    verb: str
    path: str
    summary: str
    tag: str
    parameters: list[Field]
    body: list[Field]
    answers: list[tuple[str, str]]


class ApiReference:
    """`describe` gives the OpenAPI document; it is read when somebody first looks."""

    def __init__(self, pages: Pages, library: Library, describe: Callable[[], Mapping[str, Any]]) -> None:
        self._pages = pages
        self._library = library
        self._describe = describe
        self._operations: list[Operation] = []

    def routes(self, door: PageDoor) -> list[Route]:
        return [door.public("/docs/api", self._page)]

    async def _page(self, request: Request, visitor: Visitor) -> Response:
        if not self._operations:
            self._operations = Described(self._describe()).operations
        tags = list(dict.fromkeys(each.tag for each in self._operations))
        groups = [(tag, [each for each in self._operations if each.tag == tag]) for tag in tags]
        return self._pages.render("api_reference.html", visitor, operations=groups, groups=self._library.groups(), q="")


class Described:
    """An OpenAPI document, its references followed."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    @cached_property
    def operations(self) -> list[Operation]:
        paths: Mapping[str, Mapping[str, Any]] = self._document["paths"]
        return [self._operation(path, verb, told) for path, verbs in paths.items() for verb, told in verbs.items()]

    def _operation(self, path: str, verb: str, told: Mapping[str, Any]) -> Operation:
        content: Mapping[str, Mapping[str, Any]] = told.get("requestBody", {}).get("content", {})
        schemas: list[Mapping[str, Any]] = [each["schema"] for each in content.values()]
        return Operation(
            id=str(told["operationId"]),
            verb=verb.upper(),
            path=path,
            summary=str(told.get("summary", "")),
            tag=str((told.get("tags") or ["Other"])[0]),
            parameters=[
                Field(each["name"], self._kind(each["schema"]), bool(each.get("required")), each.get("description", ""))
                for each in told.get("parameters", ())
            ],
            body=self._fields(schemas[0]) if schemas else [],
            answers=[(status, str(answer.get("description", ""))) for status, answer in told["responses"].items()],
        )

    def _fields(self, schema: Mapping[str, Any]) -> list[Field]:
        schema = self._followed(schema)
        needed = schema.get("required", ())
        properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
        return [
            Field(name, self._kind(each), name in needed, str(each.get("description", "")))
            for name, each in properties.items()
        ]

    def _followed(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        reference = schema.get("$ref")
        return self._document["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema

    def _kind(self, schema: Mapping[str, Any]) -> str:
        """A type in few words: `string, 1 to 255 characters`, `16:9 | 1:1`, `list of string`."""
        if "$ref" in schema:
            return str(schema["$ref"]).rpartition("/")[2]
        if branches := [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]:
            return " or ".join(dict.fromkeys(self._kind(each) for each in branches))
        if "enum" in schema:
            return " | ".join(str(each) for each in schema["enum"])
        if "const" in schema:
            return str(schema["const"])
        if schema.get("type") == "array":
            return f"list of {self._kind(schema.get('items', {}))}"
        return f"{schema.get('type', 'any')}{_limits(schema)}"


def _limits(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f", {least:,} to {most:,}"
    longest = schema.get("maxLength")
    return f", at most {longest:,} characters" if longest is not None else ""
