"""Previews, widths and formats."""

from base64 import b64encode
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from tests.images.samples import encoded, noise, photo

from limner.errors import InvalidRequest
from limner.images.pictures import NotAPicture, inspect
from limner.images.renditions import MIN_PREVIEW_BASE64_BYTES, WIDTHS, Rendition, preview, variant

TRAINED, ALGORITHMIC = "trainedAlgorithmicMedia", "algorithmicMedia"
FORMS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def image(rendition: Rendition) -> Image.Image:
    with Image.open(BytesIO(rendition.data)) as opened:
        opened.load()
        return opened


def is_as_said(rendition: Rendition) -> bool:
    picture = inspect(rendition.data)
    return (picture.media_type, picture.width, picture.height) == (
        rendition.media_type,
        rendition.width,
        rendition.height,
    )


def base64_size(data: bytes) -> int:
    return len(b64encode(data))


def oriented(tag: int, form: str = "JPEG") -> bytes:
    """40 by 20 as stored; stored upright its left third would be red."""
    upright = Image.new("RGB", (40, 20), "blue")
    upright.paste("red", (0, 0, 14, 20))
    exif = Image.Exif()
    exif[0x0112] = tag
    return encoded(upright, form, exif=exif, **({"quality": 95} if form == "JPEG" else {"lossless": True}))


def test_a_preview_is_at_most_1024_pixels_and_keeps_the_shape() -> None:
    wide = preview(encoded(photo(1_600, 900)), TRAINED)
    assert (wide.width, wide.height, wide.media_type) == (1_024, 576, "image/jpeg")
    assert is_as_said(wide)
    tall = preview(encoded(photo(900, 1_600), "WEBP"), TRAINED)
    assert (tall.width, tall.height) == (576, 1_024)


def test_a_small_picture_is_not_blown_up() -> None:
    small = preview(encoded(photo(300, 200)), TRAINED)
    assert (small.width, small.height) == (300, 200)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("limit", [200_000, 100_000, 20_000, MIN_PREVIEW_BASE64_BYTES])
def test_even_noise_fits_into_the_budget(mode: str, limit: int) -> None:
    made = preview(encoded(noise(700, 650, mode)), TRAINED, max_base64_bytes=limit)
    assert base64_size(made.data) <= limit
    assert is_as_said(made)
    assert made.media_type == ("image/jpeg" if mode == "RGB" else "image/webp")
    assert base64_size(made.data) > limit // 10  # and the budget is used


def test_a_budget_that_nothing_fits_into_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no preview fits"):
        preview(encoded(photo(9, 9)), TRAINED, max_base64_bytes=100)


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    grain=st.integers(0, 200),
    alpha=st.booleans(),
    form=st.sampled_from(["PNG", "WEBP", "JPEG"]),
    max_px=st.integers(1, 600),
    limit=st.integers(MIN_PREVIEW_BASE64_BYTES, 60_000),
)
def test_a_preview_fits_whatever_is_put_in(
    width: int, height: int, grain: int, alpha: bool, form: str, max_px: int, limit: int
) -> None:
    picture = photo(width, height, alpha=alpha, noise=grain)
    data = encoded(picture.convert("RGB") if form == "JPEG" else picture, form)
    made = preview(data, TRAINED, max_px=max_px, max_base64_bytes=limit)
    assert max(made.width, made.height) <= max_px
    assert base64_size(made.data) <= limit
    assert is_as_said(made)


def test_transparency_stays_and_only_where_there_is_some() -> None:
    made = image(preview(encoded(photo(300, 300, alpha=True)), TRAINED))
    assert made.mode == "RGBA"
    assert made.getpixel((150, 150))[3] < 40 < 200 < made.getpixel((2, 2))[3]
    opaque = photo(300, 300).convert("RGBA")
    assert preview(encoded(opaque), TRAINED).media_type == "image/jpeg"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("media_type", FORMS)
def test_a_variant_has_the_width_and_the_type_asked_for(width: int, media_type: str) -> None:
    made = variant(encoded(photo(1_600, 800)), TRAINED, width=width, media_type=media_type)
    assert (made.width, made.height, made.media_type) == (width, width // 2, media_type)
    assert is_as_said(made)


@pytest.mark.parametrize("source", FORMS)
@pytest.mark.parametrize("target", FORMS)
def test_every_format_turns_into_every_other_at_full_size(source: str, target: str) -> None:
    data = encoded(photo(320, 200), FORMS[source])
    made = variant(data, TRAINED, media_type=target)
    assert (made.width, made.height, made.media_type) == (320, 200, target)
    assert is_as_said(made)
    assert (made.data == data) == (source == target)


@pytest.mark.parametrize("media_type", FORMS)
def test_a_variant_that_would_change_nothing_is_the_original(media_type: str) -> None:
    data = encoded(photo(500, 400), FORMS[media_type])
    assert variant(data, TRAINED, width=512) == Rendition(data, media_type, 500, 400)
    assert variant(data, TRAINED) == Rendition(data, media_type, 500, 400)


@pytest.mark.parametrize("asked", [{"width": 300}, {"width": 0}, {"width": 100_000}, {"media_type": "image/gif"}])
def test_a_width_or_type_that_is_not_offered_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest, match="one of") as refused:
        variant(encoded(photo(9, 9)), TRAINED, **asked)
    assert [detail.code for detail in refused.value.details] == ["not_offered"]


def test_what_is_transparent_becomes_white_as_jpeg() -> None:
    clear = Image.new("RGBA", (300, 300), (255, 0, 0, 0))
    made = image(variant(encoded(clear), TRAINED, media_type="image/jpeg"))
    assert made.getpixel((150, 150)) == (255, 255, 255)


@pytest.mark.parametrize("target", FORMS)
@pytest.mark.parametrize("source", [TRAINED, ALGORITHMIC])
def test_a_rendition_says_how_the_picture_was_made(target: str, source: str) -> None:
    made = variant(encoded(photo(600, 400)), source, width=256, media_type=target)
    assert f"newscodes/digitalsourcetype/{source}<".encode() in _xmp(made)
    assert f"digitalsourcetype/{source}<".encode() in _xmp(preview(encoded(photo(60, 40)), source))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_what_the_original_says_of_its_making_goes_first_and_nothing_else_is_copied(form: str) -> None:
    said = (
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><creator>Ada</creator><type>http://cv.iptc.org/newscodes/"
        b"digitalsourcetype/compositeWithTrainedAlgorithmicMedia</type></x:xmpmeta>"
    )
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", said.decode())
    text.add_text("Comment", "Ada lives here")
    exif = Image.Exif()
    exif[0x013B] = "Ada"
    options = {"pnginfo": text} if form == "PNG" else {"xmp": said}
    data = encoded(photo(600, 400), form, exif=exif, **options)
    for media_type in FORMS:
        made = variant(data, ALGORITHMIC, width=256, media_type=media_type)
        assert b"digitalsourcetype/compositeWithTrainedAlgorithmicMedia<" in _xmp(made)
        assert b"Ada" not in made.data
        assert not image(made).getexif()


@pytest.mark.parametrize("target", FORMS)
def test_the_colour_profile_is_kept(target: str) -> None:
    data = encoded(photo(600, 400), "PNG", icc_profile=SRGB)
    assert image(variant(data, TRAINED, width=256, media_type=target)).info["icc_profile"] == SRGB
    assert image(preview(data, TRAINED)).info["icc_profile"] == SRGB


def test_a_profile_that_no_longer_fits_the_colours_is_dropped() -> None:
    grey = SRGB[:16] + b"GRAY" + SRGB[20:]
    data = encoded(photo(600, 400).convert("L"), "PNG", icc_profile=grey)
    assert "icc_profile" not in image(variant(data, TRAINED, width=256)).info


@pytest.mark.parametrize(("tag", "size", "red"), [
    (1, (40, 20), (3, 10)), (2, (40, 20), (36, 10)), (3, (40, 20), (36, 10)), (4, (40, 20), (3, 10)),
    (5, (20, 40), (10, 3)), (6, (20, 40), (10, 3)), (7, (20, 40), (10, 36)), (8, (20, 40), (10, 36)),
])  # fmt: skip
@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_a_rendition_stands_upright(tag: int, size: tuple[int, int], red: tuple[int, int], form: str) -> None:
    for made in (
        variant(oriented(tag, form), TRAINED, media_type="image/png"),
        preview(oriented(tag, form), TRAINED),
    ):
        assert (made.width, made.height) == size
        pixel = image(made).convert("RGB").getpixel(red)
        assert pixel[0] > 180 > 80 > pixel[2]


def test_the_width_of_a_lying_picture_is_the_width_it_is_seen_with() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    made = variant(encoded(photo(1_600, 800), "JPEG", exif=exif), TRAINED, width=256)
    assert (made.width, made.height) == (256, 512)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # as importing pictures does, which pytest undoes
def test_a_broken_orientation_is_no_orientation() -> None:
    data = encoded(photo(60, 40), "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    assert preview(data, TRAINED).width == 60


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_every_kind_of_pixel_comes_out_as_it_looks(mode: str) -> None:
    """A light square on dark ground, in 1 to 16 bits, with and without colours, palettes and transparency."""
    picture = Image.new("L", (64, 64), 20)
    picture.paste(230, (16, 16, 48, 48))
    if mode == "I;16":
        picture = picture.convert("I").point(lambda value: value * 256).convert("I;16")
    else:
        picture = picture.convert(mode)
    data = encoded(picture, "JPEG") if mode == "CMYK" else encoded(picture, "PNG")
    for made in (preview(data, TRAINED), variant(data, TRAINED, media_type="image/webp")):
        seen = image(made).convert("L")
        assert seen.getpixel((32, 32)) > 190
        assert seen.getpixel((4, 4)) < 60


@pytest.mark.parametrize("size", [(1, 1), (1, 5_000), (5_000, 1), (2, 3_001)])
def test_the_thinnest_pictures_have_previews_and_variants(size: tuple[int, int]) -> None:
    for made in (preview(encoded(photo(*size)), TRAINED), variant(encoded(photo(*size)), TRAINED, width=256)):
        assert is_as_said(made)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_broken_picture_has_no_renditions(form: str) -> None:
    data = encoded(noise(80, 80), form)
    half = data[: len(data) // 2]
    with pytest.raises(NotAPicture):
        preview(half, TRAINED)
    with pytest.raises(NotAPicture):
        variant(half, TRAINED, media_type="image/jpeg" if form != "JPEG" else "image/png")


def _xmp(rendition: Rendition) -> bytes:
    packet = image(rendition).info["xmp"]
    return packet if isinstance(packet, bytes) else packet.encode()
