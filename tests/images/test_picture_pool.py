"""Pictures are worked on beside the event loop, within bounds."""

import asyncio

import pytest
from tests.images.samples import encoded, noise, photo, png
from tests.subprocesses import run_python

from limner.images.picture_pool import PicturePool
from limner.images.pictures import NotAPicture, decode_check
from limner.images.renditions import preview, variant

SOURCE = "algorithmicMedia"


async def test_the_pool_does_what_the_functions_do() -> None:
    pool, data = PicturePool(), encoded(photo(600, 400))
    assert await pool.decode_check(data) == decode_check(data)
    assert await pool.preview(data, SOURCE, max_px=200) == preview(data, SOURCE, max_px=200)
    assert await pool.variant(data, SOURCE, width=256) == variant(data, SOURCE, width=256)
    pool.close()


async def test_the_event_loop_goes_on_while_a_picture_is_decoded() -> None:
    pool = PicturePool()
    work = asyncio.create_task(pool.decode_check(encoded(photo(2_000, 2_000))))
    turns = 0
    while not work.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await work).width == 2_000
    assert turns > 3
    pool.close()


async def test_a_refused_picture_leaves_its_place_to_the_next() -> None:
    pool = PicturePool(max_pixels=1)
    broken = encoded(noise(64, 64))[:500]
    for _ in range(3):
        with pytest.raises(NotAPicture):
            await pool.decode_check(broken)
        with pytest.raises(NotAPicture):
            await pool.decode_check(b"no picture at all")
    assert (await pool.decode_check(encoded(photo(9, 9)))).width == 9
    pool.close()


async def test_someone_who_stops_waiting_leaves_their_place_to_the_next() -> None:
    pool, data = PicturePool(max_pixels=1), png(3_000, 3_000)
    working = [asyncio.create_task(pool.decode_check(data)) for _ in range(4)]
    await asyncio.sleep(0)
    for task in working[:3]:
        task.cancel()
    assert (await working[3]).width == 3_000
    assert (await pool.decode_check(data)).width == 3_000
    pool.close()


MEMORY = """
import asyncio, resource
from tests.images.samples import png
from limner.images.picture_pool import PicturePool

async def main():
    data = png(4_000, 2_000)
    pool = PicturePool(threads=8, max_pixels=8_000_000)
    await pool.decode_check(png(10, 10))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await asyncio.gather(*(pool.decode_check(data) for _ in range(16)))
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)

asyncio.run(main())
"""


def test_many_large_pictures_at_once_cost_the_memory_of_few() -> None:
    """Sixteen of 24 MB each and eight threads that would like to: the pixels allowed at once are what counts."""
    assert int(run_python(MEMORY).stdout) < 80
