"""Output schemas: what stands in structuredContent, said once and short.

Nothing is required: a failed call has `error` instead, a dry run only its price, and clients check both
against the same schema.
"""

from collections.abc import Mapping
from typing import Any

from limner.schemas import Shape, json_schema

ERROR = {"type": ["object", "null"]}
OBJECTS = {"type": "array", "items": {"type": "object"}}
PAGE = {"total": {"type": ["integer", "null"]}, "limit": {"type": "integer"}, "offset": {"type": "integer"}}


def schema_of(shape: type[Shape], **more: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a shape with their types, and `more` beside them."""
    fields = json_schema(shape, mode="serialization")["properties"]
    return schema({name: _bare(field) for name, field in fields.items()} | dict(more))


def schema(properties: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties) | {"error": ERROR}}


def page_of(name: str) -> dict[str, Any]:
    """A list of things under `name`."""
    return schema({name: OBJECTS, **PAGE})


def _bare(field: Mapping[str, Any]) -> dict[str, Any]:
    if "anyOf" in field:
        return {"type": [_bare(branch)["type"] for branch in field["anyOf"]]}
    kind = field.get("type", "object")
    if kind == "array":
        return {"type": kind, "items": {"type": field.get("items", {}).get("type", "object")}}
    return {"type": kind} | ({"enum": field["enum"]} if "enum" in field else {})
