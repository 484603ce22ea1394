"""What every shape is built on: strict objects, camelCase on the wire, times with milliseconds."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel


def iso(moment: datetime) -> str:
    """ISO 8601 UTC with milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _well_formed(value: Any) -> Any:
    """What no database stores and no wire carries is its own clear error."""
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("must not contain NUL characters")
    if isinstance(value, str) and re.search(r"[\ud800-\udfff]", value):
        raise ValueError("must not contain unpaired surrogates")
    return value


def _uuid(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        raise ValueError("must be a UUID") from None


WELL_FORMED = BeforeValidator(_well_formed)
Id = Annotated[str, Field(json_schema_extra={"format": "uuid"}), WELL_FORMED, AfterValidator(_uuid)]
Time = Annotated[datetime, PlainSerializer(iso, return_type=str)]


class Shape(BaseModel):
    """Strict: no unknown fields, no guessing at types."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        strict=True,
        frozen=True,
        protected_namespaces=(),
    )

    def data(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True)


class Nothing(Shape):
    pass
