"""The models: what each takes and costs, and whether it can be used now."""

from collections.abc import Mapping
from typing import Any

from limner.catalog.catalog import Catalog
from limner.catalog.models import Model
from limner.schemas.shapes import Shape


class ModelPrice(Shape):
    base: int
    options: Mapping[str, Mapping[str, int]]


class ModelEntry(Shape):
    id: str
    name: str
    description: str
    available: bool
    reason: str | None
    status: str
    shutdown_at: str | None
    replaced_by: str | None
    credits: ModelPrice
    parameters: Mapping[str, Any]
    expected_seconds: float

    @classmethod
    def of(cls, model: Model, catalog: Catalog) -> "ModelEntry":
        reason = catalog.reason(model)
        return cls(
            id=model.id,
            name=model.name,
            description=model.description,
            available=reason is None,
            reason=reason,
            status=model.status,
            shutdown_at=model.shutdown_at.isoformat() if model.shutdown_at else None,
            replaced_by=model.replaced_by,
            credits=ModelPrice(base=model.credits.base, options=model.credits.options),
            parameters={
                name: each.model_dump(mode="json", exclude_none=True) for name, each in model.parameters.items()
            },
            expected_seconds=model.expected_seconds,
        )


def models_data(catalog: Catalog) -> dict[str, Any]:
    return {
        "models": [ModelEntry.of(model, catalog).data() for model in catalog.models()],
        "default": catalog.default.id,
    }
