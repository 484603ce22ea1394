"""A generation as an order to its supplier: options as they were checked, inputs as they were kept."""

import hashlib
from typing import Any

from limner.blobs.base import BlobMissing, Blobs
from limner.errors import InvalidRequest
from limner.images.generations import Generation
from limner.providers.base import ImageRequest, InputImage


async def order_of(row: Generation, blobs: Blobs) -> ImageRequest:
    """Raises InvalidRequest when the kept copy of an input is gone."""
    options = row.options
    images, mask = await _inputs(row, blobs)
    return ImageRequest(
        generation_id=row.id,
        model=options["upstreamId"],
        prompt=f"{row.prompt}\n\nStyle: {row.style}" if row.style else row.prompt or "",
        operation=row.operation,
        aspect_ratio=options["aspectRatio"],
        resolution=options["resolution"],
        size_px=tuple(options["sizePx"]) if options["sizePx"] else None,
        quality=options["quality"],
        thinking_level=options["thinkingLevel"],
        background=options["background"],
        output_format=options["outputFormat"],
        seed=options["seed"],
        images=images,
        mask=mask,
        partial_images=options["partialImages"],
        timeout_seconds=options["timeoutSeconds"],
        safety_identifier=hashlib.sha256(row.account_id.encode()).hexdigest()[:32],
        options=options["providerOptions"],
    )


async def _inputs(row: Generation, blobs: Blobs) -> tuple[tuple[InputImage, ...], InputImage | None]:
    if row.inputs is None:
        return (), None
    images = [await _input(each, blobs) for each in row.inputs["images"]]
    mask = row.inputs["mask"]
    return tuple(images), await _input(mask, blobs) if mask else None


async def _input(stored: dict[str, Any], blobs: Blobs) -> InputImage:
    try:
        data = await blobs.get(stored["blobKey"])
    except BlobMissing:
        raise InvalidRequest("An input picture is no longer there.", next_step="Send it again.") from None
    return InputImage(data, stored["mediaType"], stored["width"], stored["height"])
