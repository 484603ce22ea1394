"""The OpenAPI 3.1 description of the REST API, made from its shapes and operations: /openapi.json."""

import re
from functools import cached_property
from http import HTTPStatus
from typing import Any

from pydantic.json_schema import JsonSchemaMode, models_json_schema
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.http.json import Json
from limner.rest.answers import ErrorAnswer
from limner.rest.operations import OPERATIONS, TAGS, Failure, Operation, Parameter
from limner.schemas import Shape

REFERENCE = "#/components/schemas/{model}"

DESCRIPTION = (
    "Make, edit, find and deliver pictures. Every request needs `Authorization: Bearer sk_…`. Credits are whole numbers, "
    "times are ISO 8601 in UTC, ids are UUIDs. A picture is charged if and only if it was stored."
)


class OpenApiRoutes:
    def __init__(self, *, public_url: str, version: str) -> None:
        self._public_url = public_url
        self._version = version

    def routes(self) -> list[Route]:
        return [Route("/openapi.json", self._openapi)]

    async def _openapi(self, request: Request) -> Response:
        return Json(
            self._document, headers={"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}
        )

    @cached_property
    def _document(self) -> dict[str, Any]:
        return document(self._public_url, self._version)


def document(public_url: str, version: str) -> dict[str, Any]:
    """The whole description, for a server at `public_url`."""
    references, components = _components()
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Limner",
            "version": version,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "security": [{"bearer": []}],
        "tags": [
            {"name": tag, "description": TAGS[tag]} for tag in dict.fromkeys(operation.tag for operation in OPERATIONS)
        ],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "headers": _headers(),
            "schemas": components,
        },
    }


References = dict[type[Shape], dict[str, Any]]


def _components() -> tuple[References, dict[str, Any]]:
    sent = {each.body for each in OPERATIONS if each.body is not None}
    answered = {shape for each in OPERATIONS for shape in (each.answer, each.either, *each.also.values()) if shape}
    modes: list[tuple[type[Shape], JsonSchemaMode]] = [
        *((shape, "validation") for shape in sorted(sent, key=lambda shape: shape.__name__)),
        *((shape, "serialization") for shape in sorted({*answered, ErrorAnswer}, key=lambda shape: shape.__name__)),
    ]
    found, definitions = models_json_schema(list(modes), by_alias=True, ref_template=REFERENCE)
    return {shape: found[shape, mode] for shape, mode in modes}, definitions["$defs"]


def _operation(operation: Operation, references: References) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _id(operation),
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [
            *(_path_parameter(operation, name) for name in re.findall(r"{(\w+)}", operation.path)),
            *map(_parameter, operation.parameters),
        ],
        "responses": _responses(operation, references),
    }
    if operation.body is not None:
        content: dict[str, Any] = {"schema": references[operation.body]}
        if operation.example is not None:
            content["example"] = operation.example
        described["requestBody"] = {
            "required": operation.body_required,
            "content": {"application/json": content},
        }
    return described


def _id(operation: Operation) -> str:
    """Such as `post_images_generate`."""
    words = [word.strip("{}") for word in operation.path.split("/")[3:]]
    return "_".join([operation.method.lower(), *words])


NAME = {"type": "string", "minLength": 1, "maxLength": 100}
UUID = {"type": "string", "format": "uuid"}


def _path_parameter(operation: Operation, name: str) -> dict[str, Any]:
    if operation.tag == "Prompts":
        schema: dict[str, Any] = NAME
    elif operation.tag == "Keys":
        schema = {"anyOf": [UUID, {"const": "current"}]}
    else:
        schema = UUID
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {"name": parameter.name, "in": parameter.place, "schema": dict(parameter.schema)}
    if parameter.description:
        described["description"] = parameter.description
    return described


def _responses(operation: Operation, references: References) -> dict[str, Any]:
    responses = {str(operation.status): _success(operation, operation.status, operation.answer, references)}
    for status, shape in operation.also.items():
        responses[str(status)] = _success(operation, status, shape, references)
    by_status: dict[int, list[Failure]] = {}
    for failure in dict.fromkeys(operation.failures):
        by_status.setdefault(failure.status, []).append(failure)
    for status in sorted(by_status):
        responses[str(status)] = _failure(status, by_status[status], references)
    return responses


def _success(operation: Operation, status: int, shape: type[Shape] | None, references: References) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if shape is not None:
        schema = references[shape]
        if operation.either is not None and status == operation.status:
            schema = {"anyOf": [schema, references[operation.either]]}
        content["application/json"] = {"schema": schema}
    for media in operation.media:
        content[media] = _media(media)
    described: dict[str, Any] = {"description": HTTPStatus(status).phrase, "headers": _header_references(limits=True)}
    return {**described, "content": content} if content else described


def _media(media: str) -> dict[str, Any]:
    if media == "text/event-stream":
        kinds = ["queued", "running", "partial", "done"]
        event = {"event": {"enum": kinds}, "data": {"type": "string", "contentMediaType": "application/json"}}
        return {"schema": {"type": "object", "properties": event}}
    return {"schema": {"type": "string"}} if media == "text/csv" else {}


def _failure(status: int, failures: list[Failure], references: References) -> dict[str, Any]:
    codes = ", ".join(f"`{failure.code}`" for failure in failures)
    first = failures[0]()
    example = {"error": {**first.as_data(), "requestId": "0190a5b2-7c1e-7000-8000-000000000000"}}
    return {
        "description": f"{HTTPStatus(status).phrase}: {codes}",
        "headers": _header_references(limits=status != HTTPStatus.UNAUTHORIZED),
        "content": {"application/json": {"schema": references[ErrorAnswer], "example": example}},
    }


def _headers() -> dict[str, Any]:
    return {
        "X-Request-Id": {"description": "Name it when you ask the operator.", "schema": {"type": "string"}},
        "RateLimit": {
            "description": "What remains: `r` calls, `t` seconds until one more.",
            "schema": {"type": "string"},
        },
        "RateLimit-Policy": {"description": "The limit: `q` calls in `w` seconds.", "schema": {"type": "string"}},
    }


def _header_references(*, limits: bool) -> dict[str, Any]:
    names = ["X-Request-Id", *(["RateLimit", "RateLimit-Policy"] if limits else [])]
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
