"""What a self-hosted model is offered with, unless the operator's catalogue says more about it."""

from collections.abc import Mapping
from typing import Any

DISCOVERY_SECONDS = 15.0

# About one megapixel each, edges divisible by 64: the sizes open models were trained at.
SIZES = {
    "1:1": (1024, 1024),
    "3:2": (1216, 832),
    "2:3": (832, 1216),
    "4:3": (1152, 896),
    "3:4": (896, 1152),
    "16:9": (1344, 768),
    "9:16": (768, 1344),
    "21:9": (1536, 640),
}


def entry(provider: str, upstream_id: str, *, sizes: bool, seed: bool, images: int, mask: bool) -> Mapping[str, Any]:
    """A catalogue entry at one credit a picture: the supplier's bill is the operator's electricity."""
    parameters: dict[str, Any] = {}
    if sizes:
        parameters["aspectRatio"] = {"type": "enum", "values": list(SIZES), "default": "1:1"}
    if seed:
        parameters["seed"] = {"type": "boolean"}
    if images:
        parameters["images"] = {"type": "range", "min": 1, "max": images}
        parameters["references"] = {"type": "range", "min": 0, "max": images}
    if images and mask:
        parameters["mask"] = {"type": "boolean"}
    return {
        "id": f"{provider}:{upstream_id}",
        "provider": provider,
        "upstreamId": upstream_id,
        "name": upstream_id,
        "description": "Runs on the operator's own server.",
        "credits": {"base": 1},
        "parameters": parameters,
        "sizes": {ratio: {"1K": list(size)} for ratio, size in SIZES.items()} if sizes else {},
        "expectedSeconds": 60.0,
    }
