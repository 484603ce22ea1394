"""From what was sent to a shape, and what a shape says about itself as JSON Schema."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from limner.errors import Detail, InvalidRequest
from limner.schemas.shapes import Shape

S = TypeVar("S", bound=Shape)


def parse(shape: type[S], data: Any) -> S:
    """`data` as `shape`; raises InvalidRequest that names every wrong path."""
    try:
        return shape.model_validate(data)
    except ValidationError as problem:
        raise _invalid(problem) from None


def json_schema(shape: type[Shape], *, mode: Literal["validation", "serialization"] = "validation") -> dict[str, Any]:
    """The JSON Schema of a shape without what a model would pay tokens for and learn nothing from."""
    whole = shape.model_json_schema(by_alias=True, mode=mode)
    if mode == "serialization":
        return whole
    schema = _required_first(_lean(whole))
    schema.pop("description", None)
    return schema


def _required_first(schema: dict[str, Any]) -> dict[str, Any]:
    """Models fill arguments in the order they read them."""
    required = schema.get("required", ())
    fields = sorted(schema.get("properties", {}).items(), key=lambda field: field[0] not in required)
    return {**schema, "properties": dict(fields)}


_PROBLEMS: Mapping[str, str] = {
    "extra_forbidden": "unknown field",
    "missing": "is needed",
    "model_type": "must be an object",
    "tuple_type": "must be a list",
}
"""Where the validator's own words say something about Python instead of about the request."""


def _invalid(problem: ValidationError) -> InvalidRequest:
    details = [
        Detail(
            ".".join(str(part) for part in each["loc"]) or "(body)",
            _PROBLEMS.get(each["type"], _in_words_of_json(each["msg"])),
            each["type"],
        )
        for each in problem.errors(include_url=False, include_context=False, include_input=False)
    ]
    first = details[0]
    return InvalidRequest(f"{first.path}: {first.message}.", details=details[:20])


def _in_words_of_json(problem: str) -> str:
    return problem.removeprefix("Value error, ").replace("Tuple should", "List should").replace(" after validation", "")


def _lean(node: Any) -> Any:
    if isinstance(node, dict):
        return _lean_object({str(name): value for name, value in node.items()})  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_lean(each) for each in node]  # pyright: ignore[reportUnknownVariableType]
    return node


def _lean_object(node: dict[str, Any]) -> dict[str, Any]:
    """Optional fields say so by not being required: no null branches, no null defaults, no titles."""
    branches = [each for each in node.get("anyOf", ()) if each != {"type": "null"}]
    if len(branches) == 1:
        node = {**branches[0], **{name: value for name, value in node.items() if name != "anyOf"}}
    if node.get("default", ...) is None or node.get("default") == []:
        node.pop("default")
    lean = {name: _lean(value) for name, value in node.items() if name != "title" or not isinstance(value, str)}
    if "properties" in node:
        lean["properties"] = {name: _lean(value) for name, value in node["properties"].items()}
    return lean
