"""Decodes and encodes pictures beside the event loop, a few at a time and never more pixels at once than fit."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

from limner.images import pictures, renditions
from limner.images.pictures import MAX_PIXELS, Picture, inspect
from limner.images.provenance import DigitalSource
from limner.images.renditions import Rendition

T = TypeVar("T")


class PicturePool:
    """Pillow lets go of the interpreter while it works, so threads do; a pixel costs about 4 to 12 bytes meanwhile."""

    def __init__(self, *, threads: int = 2, max_pixels: int = MAX_PIXELS) -> None:
        """`max_pixels` may be in work together; a picture with more than that works alone."""
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="pictures")
        self._max_pixels = max_pixels
        self._pixels = 0
        self._turn = asyncio.Lock()
        self._freed = asyncio.Condition()

    async def decode_check(self, data: bytes) -> Picture:
        return await self._work(data, partial(pictures.decode_check, data))

    async def preview(
        self, data: bytes, source: DigitalSource, *, max_px: int = 1024, max_base64_bytes: int = 200_000
    ) -> Rendition:
        work = partial(renditions.preview, data, source, max_px=max_px, max_base64_bytes=max_base64_bytes)
        return await self._work(data, work)

    async def variant(
        self, data: bytes, source: DigitalSource, *, width: int | None = None, media_type: str | None = None
    ) -> Rendition:
        return await self._work(data, partial(renditions.variant, data, source, width=width, media_type=media_type))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _work(self, data: bytes, work: Callable[[], T]) -> T:
        picture = inspect(data)
        async with self._room_for(picture.width * picture.height):
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    @asynccontextmanager
    async def _room_for(self, pixels: int) -> AsyncGenerator[None]:
        async with self._turn, self._freed:  # one waits at a time, so that small pictures cannot starve a large one
            await self._freed.wait_for(lambda: self._pixels == 0 or self._pixels + pixels <= self._max_pixels)
            self._pixels += pixels
        try:
            yield
        finally:
            async with self._freed:
                self._pixels -= pixels
                self._freed.notify_all()
