"""The request that made a generation, to be made once more."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from limner.blobs.base import Blobs
from limner.catalog.models import ENUM_OPTIONS, Options
from limner.images.generations import Generation
from limner.images.requests import NewImages


async def repeat(blobs: Blobs, generation: Generation, idempotency_key: str) -> NewImages:
    """What was asked for, with the inputs as they were kept; BlobMissing where one is gone."""
    inputs = generation.inputs or {}
    pictures = tuple([await blobs.get(each["blobKey"]) for each in inputs.get("images", ())])
    mask = inputs.get("mask")
    edits = generation.operation == "edit"
    return NewImages(
        prompt=generation.prompt or "",
        operation=generation.operation,
        model_id=generation.model_id,
        options=_options(generation.options),
        style=generation.style,
        images=pictures if edits else (),
        references=() if edits else pictures,
        mask=await blobs.get(mask["blobKey"]) if mask else None,
        idempotency_key=idempotency_key,
        nearest_size=True,
        waits=False,
    )


def _options(stored: Mapping[str, Any]) -> Options:
    named = {attribute: stored.get(name) for name, (attribute, _) in ENUM_OPTIONS.items()}
    return replace(Options(), seed=stored.get("seed"), **named)
