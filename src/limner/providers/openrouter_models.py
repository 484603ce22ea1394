"""What OpenRouter lists about an image model, as an entry of our catalogue with a price that leaves a margin."""

import math
from collections.abc import Mapping
from typing import Any

from limner.providers.images_api import QUALITY
from limner.providers.wire import Json, items, rows, table, text

CHEAPEST_CREDIT_USD = 0.04
"""What a credit brings in the largest default pack."""

MARGIN = 1.25
_MEGAPIXELS = {"1K": 1.1, "2K": 4.2, "4K": 16.8}
_TOKENS_OF_A_DEAR_PICTURE = 6_240
"""An OpenAI picture of 1536x1024 at high quality: the most any listed model has been seen to spend at 1K."""

_ENUMS = {"aspect_ratio": "aspectRatio", "background": "background"}
_FORMATS = ("png", "jpeg", "webp")


def entry(model: Json, endpoints: list[Json]) -> Mapping[str, Any] | None:
    """None for a model without a price: what it costs is not known, so it cannot be sold."""
    model_id, parameters = text(model.get("id")), _parameters(table(model.get("supported_parameters")))
    resolutions = [*table(parameters.get("resolution")).get("values", ())]
    price = _credits(endpoints, resolutions)
    if not model_id or price is None:
        return None
    return {
        "id": f"openrouter:{model_id}",
        "aliases": [model_id],
        "provider": "openrouter",
        "upstreamId": model_id,
        "name": text(model.get("name")) or model_id,
        "description": text(model.get("description"))[:300],
        "credits": price,
        "parameters": parameters,
    }


def _parameters(offered: Json) -> dict[str, Any]:
    """OpenRouter's descriptors in our words; what we have no word for is left out."""
    values = {name: [text(value) for value in items(table(offered.get(name)).get("values"))] for name in offered}
    enums = {ours: [value for value in values.get(theirs, []) if value != "auto"] for theirs, ours in _ENUMS.items()}
    enums["resolution"] = [value for value in values.get("resolution", []) if value in _MEGAPIXELS]
    enums["quality"] = [ours for ours, theirs in QUALITY.items() if theirs in values.get("quality", [])]
    enums["outputFormat"] = [value for value in values.get("output_format", []) if value in _FORMATS]
    parameters: dict[str, Any] = {name: {"type": "enum", "values": known} for name, known in enums.items() if known}
    if "seed" in offered:
        parameters["seed"] = {"type": "boolean"}
    if most := table(offered.get("input_references")).get("max"):
        parameters["references"] = {"type": "range", "min": 0, "max": min(16, int(most))}
        parameters["images"] = {"type": "range", "min": 1, "max": min(16, int(most))}
    return parameters


def _credits(endpoints: list[Json], resolutions: list[str]) -> dict[str, Any] | None:
    """Priced by the dearest endpoint, because OpenRouter chooses which one serves."""
    lines = [line for endpoint in endpoints for line in rows(endpoint.get("pricing"))]
    lines = [line for line in lines if line.get("billable") == "output_image"]
    base = max((_usd(line, "1K") for line in lines), default=0.0)
    if base <= 0:
        return None
    credits = {"base": _sold_for(base)}
    dearer = {
        resolution: _sold_for(max(_usd(line, resolution) for line in lines)) - credits["base"]
        for resolution in resolutions
        if resolution != "1K"
    }
    return {**credits, "options": {"resolution": dearer}} if any(dearer.values()) else credits


def _usd(line: Json, resolution: str) -> float:
    per_unit = line.get("cost_usd")
    cost = float(per_unit) if isinstance(per_unit, int | float) else 0.0
    match line.get("unit"):
        case "megapixel":
            return cost * _MEGAPIXELS[resolution]
        case "token":
            return cost * _TOKENS_OF_A_DEAR_PICTURE
        case _:
            return cost


def _sold_for(usd: float) -> int:
    return max(1, math.ceil(usd * MARGIN / CHEAPEST_CREDIT_USD))
