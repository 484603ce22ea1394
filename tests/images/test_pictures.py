"""What a picture's bytes really are."""

import random
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.images.samples import BOMBS, PNG_MAGIC, encoded, noise, photo, png
from tests.subprocesses import run_python

from limner.images.pictures import MAX_PIXELS, NotAPicture, Picture, decode_check, inspect, sha256

SAMPLES = {
    "image/png": encoded(photo(40, 30), "PNG"),
    "image/jpeg": encoded(photo(40, 30), "JPEG"),
    "image/webp": encoded(photo(40, 30), "WEBP"),
}


@pytest.mark.parametrize("media_type", SAMPLES)
def test_type_and_size_are_read_from_the_bytes(media_type: str) -> None:
    picture = Picture(media_type, 40, 30, has_alpha=False)
    assert inspect(SAMPLES[media_type]) == decode_check(SAMPLES[media_type]) == picture


@pytest.mark.parametrize(
    "data",
    [
        encoded(photo(9, 9, alpha=True), "PNG"),
        encoded(photo(9, 9, alpha=True), "WEBP"),
        encoded(photo(9, 9, alpha=True), "WEBP", lossless=True),
        encoded(photo(9, 9, alpha=True).convert("LA"), "PNG"),
        encoded(photo(9, 9).convert("P"), "PNG", transparency=0),
        encoded(photo(9, 9), "PNG", transparency=(0, 0, 0)),
    ],
)
def test_transparency_is_seen_in_every_form(data: bytes) -> None:
    assert inspect(data).has_alpha
    assert decode_check(data).has_alpha


def test_a_camera_file_with_a_second_picture_behind_it_is_a_jpeg() -> None:
    data = encoded(photo(40, 30), "MPO", save_all=True, append_images=[photo(20, 15)])
    with Image.open(BytesIO(data)) as image:
        assert image.format == "MPO"
    assert decode_check(data) == Picture("image/jpeg", 40, 30, has_alpha=False)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The data is empty"),
        (encoded(photo(9, 9).convert("P"), "GIF"), "a GIF"),
        (b"%PDF-1.7\n" + SAMPLES["image/jpeg"], "a PDF"),
        (b'  <svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG"),
        (b"<?xml version='1.0'?><svg/>", "XML, SVG or HTML"),
        (b"<!doctype html><title>Not found</title>", "XML, SVG or HTML"),
        (b'{"error": "not found"}', "JSON"),
        (encoded(photo(9, 9), "BMP"), "a BMP"),
        (encoded(photo(9, 9), "TIFF"), "a TIFF"),
        (encoded(photo(9, 9), "AVIF"), "AVIF, HEIC or video"),
        (encoded(photo(9, 9), "PPM"), "something else"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "something else"),
        (PNG_MAGIC, "The PNG is broken"),
        (SAMPLES["image/webp"][:20], "The WebP is broken"),
        (b"\xff\xd8\xff\xe0", "The JPEG is broken"),
    ],
)
def test_anything_else_is_refused_and_named(data: bytes, words: str) -> None:
    for check in (inspect, decode_check):
        with pytest.raises(NotAPicture, match=words) as refused:
            check(data)
        assert refused.value.code == "unsupported_media"


@pytest.mark.parametrize("media_type", SAMPLES)
def test_what_stands_behind_a_picture_does_not_make_it_something_else(media_type: str) -> None:
    for tail in (b"<script>alert(1)</script>", b"PK\x03\x04", b"%PDF-1.7", b"GIF89a", b"#!/bin/sh\n"):
        assert decode_check(SAMPLES[media_type] + tail).media_type == media_type


@pytest.mark.parametrize("media_type", SAMPLES)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_picture_that_breaks_off_fails_its_check(media_type: str, part: float) -> None:
    data = encoded(noise(64, 64), {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}[media_type])
    with pytest.raises(NotAPicture, match="broken"):
        decode_check(data[: int(len(data) * part)])


def test_the_largest_picture_we_handle_is_64_million_pixels() -> None:
    assert inspect(png(8_000, 8_000, pixels=b"")).width * 8_000 == MAX_PIXELS
    with pytest.raises(NotAPicture, match="64 million pixels"):
        inspect(png(8_000, 8_001, pixels=b""))
    with pytest.raises(NotAPicture, match="64 million pixels"):
        inspect(png(20_000, 20_000, pixels=b""))


MEMORY = """
from tests.images.samples import {bomb}, encoded, photo
from tests.subprocesses import peak_mib
from limner.images.pictures import NotAPicture, decode_check
from limner.images.renditions import preview

data = {bomb}()
preview(encoded(photo(512, 512)), "algorithmicMedia")
before = peak_mib()
for work in (decode_check, lambda data: preview(data, "algorithmicMedia")):
    try:
        work(data)
    except NotAPicture as error:
        print(error)
print(peak_mib() - before)
"""


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_costs_no_memory(bomb: Callable[[], bytes]) -> None:
    result = run_python(MEMORY.replace("{bomb}", bomb.__name__))
    assert result.returncode == 0, result.stderr
    assert int(result.stdout.split()[-1]) < 50


@pytest.mark.parametrize("bomb", [bomb for bomb in BOMBS if bomb.__name__ != "trailing_pixels_bomb"])
def test_a_bomb_is_refused(bomb: Callable[[], bytes]) -> None:
    with pytest.raises(NotAPicture):
        decode_check(bomb())


def test_a_real_progressive_jpeg_is_welcome() -> None:
    data = encoded(photo(300, 200), "JPEG", progressive=True, quality=95)
    assert decode_check(data + b"\xff\xda\x00\x02" * 1_000).width == 300


@settings(max_examples=300, deadline=None)
@given(media_type=st.sampled_from(sorted(SAMPLES)), seed=st.integers(0, 2**32), changes=st.integers(1, 12))
@example(media_type="image/png", seed=0, changes=1)
def test_damaged_bytes_are_read_or_refused_but_never_anything_else(media_type: str, seed: int, changes: int) -> None:
    dice, data = random.Random(seed), bytearray(SAMPLES[media_type])
    for _ in range(changes):
        data[min(int(dice.expovariate(1 / 60)), len(data) - 1)] = dice.randrange(256)
    for check in (inspect, decode_check):
        with suppress(NotAPicture):
            assert check(bytes(data)).media_type == media_type


@given(
    st.binary(max_size=200)
    | st.binary(max_size=60).map(PNG_MAGIC.__add__)
    | st.binary(max_size=60).map(b"\xff\xd8\xff".__add__)
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        decode_check(data)


def test_the_digest_is_sha256_in_hexadecimal() -> None:
    assert sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
