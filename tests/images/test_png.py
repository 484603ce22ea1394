"""A PNG is a picture when every row of it is there, whatever its kind and order; that is found without making its pixels."""

import random
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.images.samples import chunk, encoded, photo, png

from limner.images.pictures import NotAPicture, decode_check

KINDS = [
    (0, 1),
    (0, 2),
    (0, 4),
    (0, 8),
    (0, 16),
    (2, 8),
    (2, 16),
    (3, 1),
    (3, 4),
    (3, 8),
    (4, 8),
    (4, 16),
    (6, 8),
    (6, 16),
]
"""Every colour type with the depths it may have (PNG specification, table 10)."""

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PASSES = ["16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777"]
"""Which pass of an interlaced picture a pixel belongs to (PNG specification, 8.2)."""


def passes(width: int, height: int, *, interlaced: bool) -> list[list[int]]:
    """The rows of each pass, by how many pixels they have; found pixel by pixel."""
    if not interlaced:
        return [[width] * height]
    found: dict[str, dict[int, int]] = {number: {} for number in "1234567"}
    for y in range(height):
        for x in range(width):
            rows = found[PASSES[y % 8][x % 8]]
            rows[y] = rows.get(y, 0) + 1
    return [list(rows.values()) for rows in found.values()]


@given(st.sampled_from(KINDS), st.integers(1, 33), st.integers(1, 33), st.booleans(), st.integers(-3, 3))
def test_a_png_is_whole_when_its_last_row_is(
    kind: tuple[int, int], width: int, height: int, interlaced: bool, beyond: int
) -> None:
    colour, depth = kind
    rows = [row for rows in passes(width, height, interlaced=interlaced) for row in rows]
    length = sum(1 + (pixels * depth * SAMPLES[colour] + 7) // 8 for pixels in rows)
    data = png(
        width,
        height,
        colour=colour,
        depth=depth,
        interlaced=interlaced,
        pixels=zlib.compress(bytes(max(length + beyond, 0))),
        before=chunk(b"PLTE", bytes(768)) if colour == 3 else b"",
    )
    if beyond >= 0:
        assert decode_check(data).width == width
    else:
        with pytest.raises(NotAPicture, match="broken or cut off"):
            decode_check(data)


@pytest.mark.parametrize("row", [0, 7, 19])
def test_a_row_with_a_filter_that_does_not_exist_is_broken(row: int) -> None:
    stream = bytearray(20 * (1 + 3 * 9))
    stream[row * (1 + 3 * 9)] = 5
    with pytest.raises(NotAPicture, match="broken or cut off"):
        decode_check(png(9, 20, pixels=zlib.compress(stream)))


@given(st.integers(0, 2**32), st.integers(1, 8))
def test_what_a_decoder_cannot_read_is_refused(seed: int, changes: int) -> None:
    dice, data = random.Random(seed), bytearray(encoded(photo(40, 30), "PNG"))
    start, end = data.index(b"IDAT") + 4, data.index(b"IEND") - 8
    for _ in range(changes):
        data[dice.randrange(start, end)] = dice.randrange(256)
    try:
        decode_check(bytes(data))
    except NotAPicture:
        return
    with Image.open(BytesIO(data)) as image:
        image.load()


def test_a_large_picture_in_many_chunks_is_read_to_its_end() -> None:
    data = encoded(photo(900, 700), "PNG")
    assert data.count(b"IDAT") >= 5
    assert decode_check(data).height == 700
    with pytest.raises(NotAPicture, match="broken or cut off"):
        decode_check(data[: data.rindex(b"IDAT") - 4])
