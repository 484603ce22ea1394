"""The built-in model `limner:sketch`: procedural artwork, drawn offline in a thread, the same for the same request."""

import asyncio
import hashlib
import io
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from PIL import Image, ImageOps

from limner.errors import Detail, InvalidRequest, UpstreamTimeout
from limner.providers.base import ImageRequest, InputImage, ProviderImage, Watch
from limner.providers.sketches.draw import Order, Stage, draw
from limner.providers.sketches.edit import borrowed, edit
from limner.providers.sketches.encode import encoded, media_type, preview

Script = Callable[[ImageRequest], Awaitable[None]]
_DETAIL = {"draft": 0, "standard": 1, "high": 2}
_LARGEST_PX = 20_000_000
_USUAL_SIZE = (1024, 1024)
_FORMATS = ("PNG", "JPEG", "WEBP")


class Sketch:
    """Draws what a prompt says with shapes and gradients; costs nothing and needs no network.

    `parallel` drawings run at once, each in a thread. `script` is for tests: it is awaited before drawing
    and may wait or raise.
    """

    name = "limner"
    safe_to_repeat = True
    cancellable = True

    def __init__(self, *, parallel: int = 2, script: Script | None = None) -> None:
        self._slots = asyncio.Semaphore(parallel)
        self._script = script

    async def generate(self, request: ImageRequest, watch: Watch) -> ProviderImage:
        if self._script:
            await self._script(request)
        async with self._slots:
            await watch.progress(0.02, "composing")
            picture = await self._drawn(request, watch)
            await watch.progress(0.9, "encoding")
            data = await asyncio.to_thread(encoded, picture, _format(request), exact=request.mask is not None)
        return ProviderImage(data, served_by="sketch", seed=seed_of(request))

    async def resume(self, request: ImageRequest, handle: str, watch: Watch) -> ProviderImage:
        raise UpstreamTimeout("This model has no orders to take up again.")

    async def discover(self) -> Sequence[Mapping[str, Any]]:
        return ()

    async def close(self) -> None:
        """Nothing is held between calls."""

    async def _drawn(self, request: ImageRequest, watch: Watch) -> Image.Image:
        """The finished picture; previews of unfinished stages go to the watch."""
        stages = await asyncio.to_thread(_stages, request)
        previews = request.partial_images
        while stage := await asyncio.to_thread(next, stages, None):
            if stage.fraction >= 1:
                return stage.picture
            await watch.progress(0.02 + stage.fraction * 0.85, stage.message)
            if previews > 0:
                previews -= 1
                await watch.partial(
                    await asyncio.to_thread(preview, stage.picture, _format(request)), _media_type(request)
                )
        raise AssertionError("a drawing ends with its finished stage")


def seed_of(request: ImageRequest) -> int:
    """The seed asked for, else one of the generation's own: every call differs, a repeated one does not."""
    if request.seed is not None:
        return request.seed
    digest = hashlib.sha256(request.generation_id.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "big") >> 11  # whole in every JSON reader


def _stages(request: ImageRequest) -> Iterator[Stage]:
    pictures = [_opened(image) for image in request.images]
    width, height = _size(request, pictures)
    order = Order(
        prompt=request.prompt,
        seed=seed_of(request),
        width=width,
        height=height,
        detail=3 if request.thinking_level == "deep" else _DETAIL.get(request.quality or "standard", 1),
        clear=request.background == "transparent" and _format(request) != "jpeg",
        borrowed=borrowed(pictures),
    )
    if request.operation == "edit" and pictures:
        return edit(order, pictures, _mask(request))
    return draw(order)


def _size(request: ImageRequest, pictures: Sequence[Image.Image]) -> tuple[int, int]:
    """The size asked for; an edit without one keeps its picture's, within reason."""
    if request.size_px is None and request.operation == "edit" and pictures:
        width, height = pictures[0].size
        shrink = min(1.0, (_LARGEST_PX / (width * height)) ** 0.5)
        return max(1, int(width * shrink)), max(1, int(height * shrink))
    width, height = request.size_px or _USUAL_SIZE
    if min(width, height) < 1 or width * height > _LARGEST_PX:
        raise _refused("size", f"{width}x{height} cannot be drawn.")
    return width, height


def _mask(request: ImageRequest) -> Image.Image | None:
    if request.mask is None:
        return None
    mask = _opened(request.mask)
    if mask.mode != "RGBA" or mask.getchannel("A").getextrema() == (255, 255):
        raise _refused("mask", "The mask has no transparent area: that is the part to repaint.")
    return mask


def _opened(image: InputImage) -> Image.Image:
    try:
        with Image.open(io.BytesIO(image.data), formats=_FORMATS) as opened:
            upright = ImageOps.exif_transpose(opened)
            return upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _refused("images", "A picture could not be read.") from error


def _refused(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, details=[Detail(field, message)])


def _format(request: ImageRequest) -> str:
    return request.output_format or "png"


def _media_type(request: ImageRequest) -> str:
    return media_type(_format(request))
