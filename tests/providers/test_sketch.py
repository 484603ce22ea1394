"""The built-in model as a provider: the same picture for the same request, in a thread, and never a surprise."""

import asyncio
import hashlib
import io
import threading
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.providers.watching import Listening

from limner.catalog.entries import load
from limner.catalog.models import EnumDescriptor, Model
from limner.errors import InvalidRequest, ModerationBlocked, UpstreamTimeout
from limner.providers.base import ImageRequest, InputImage, ProviderImage
from limner.providers.sketch import Sketch, seed_of

SMALL = (192, 128)
SKETCH = next(model for model in load(None) if model.id == "limner:sketch")


def ask(prompt: str = "misty mountains at dawn", **fields: Any) -> ImageRequest:
    plain = ImageRequest(generation_id="g-1", model="sketch", prompt=prompt, size_px=SMALL, seed=7)
    return replace(plain, **fields)


async def make(request: ImageRequest) -> ProviderImage:
    return await Sketch().generate(request, Listening())


def picture(made: ProviderImage) -> Image.Image:
    return Image.open(io.BytesIO(made.data))


def sha(made: ProviderImage) -> str:
    return hashlib.sha256(made.data).hexdigest()


def given_picture(image: Image.Image) -> InputImage:
    out = io.BytesIO()
    image.save(out, "PNG")
    return InputImage(out.getvalue(), "image/png", image.width, image.height)


def swirl(size: tuple[int, int] = SMALL) -> Image.Image:
    """A photograph's stand-in: soft tones everywhere, and one hard edge."""
    grey = Image.radial_gradient("L").resize(size)
    mirrored = grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    picture = Image.merge("RGB", (grey, mirrored, Image.linear_gradient("L").resize(size)))
    picture.paste((180, 90, 40), (20, 70, 60, 110))
    return picture


def ratios(model: Model) -> tuple[str, ...]:
    descriptor = model.parameters["aspectRatio"]
    assert isinstance(descriptor, EnumDescriptor)
    return descriptor.values


# --- the same for the same ------------------------------------------------------------------------


async def test_the_same_request_gives_the_same_bytes() -> None:
    assert sha(await make(ask())) == sha(await make(ask()))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 8},
        {"prompt": "misty mountains at night"},
        {"quality": "high"},
        {"thinking_level": "deep"},
        {"quality": "draft"},
        {"size_px": (128, 192)},
    ],
    ids=str,
)
async def test_whatever_shapes_the_picture_changes_it(change: dict[str, Any]) -> None:
    assert sha(await make(ask(**change))) != sha(await make(ask()))


async def test_without_a_seed_each_generation_has_its_own_and_keeps_it() -> None:
    first, again = await make(ask(seed=None)), await make(ask(seed=None))
    other = await make(ask(seed=None, generation_id="g-2"))
    assert sha(first) == sha(again) != sha(other)
    named = await make(ask(seed=first.seed))
    assert sha(named) == sha(first)
    assert 0 <= seed_of(ask(seed=None)) < 2**63


async def test_the_largest_seed_is_a_seed() -> None:
    assert sha(await make(ask(seed=2**63 - 1))) != sha(await make(ask(seed=0)))


# --- sizes and formats ----------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", ratios(SKETCH))
async def test_every_ratio_has_its_exact_size(ratio: str) -> None:
    for resolution in ("1K", "2K") if ratio == "1:1" else ("1K",):
        size = SKETCH.sizes[ratio][resolution]
        made = picture(await make(ask("a boat on a lake", size_px=tuple(size), output_format="jpeg")))
        assert made.size == tuple(size)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("ratio", ratios(SKETCH))
async def test_every_ratio_has_its_exact_size_at_the_largest_resolutions_too(ratio: str) -> None:
    for resolution in ("2K", "4K"):
        size = SKETCH.sizes[ratio][resolution]
        made = picture(await make(ask("a fox in a forest", size_px=tuple(size), output_format="webp")))
        assert made.size == tuple(size)


@pytest.mark.parametrize("size", [(64, 64), (64, 512), (512, 64), (1, 1), (3, 900)])
@pytest.mark.parametrize("prompt", ["sea", "a cat", "still life", "clouds in watercolour", 'poster "Hi"'])
async def test_small_and_narrow_sizes_are_drawn_as_asked(size: tuple[int, int], prompt: str) -> None:
    assert picture(await make(ask(prompt, size_px=size))).size == size


async def test_a_size_beyond_reason_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        await make(ask(size_px=(20000, 20000)))


@pytest.mark.parametrize(("kind", "name"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP"), (None, "PNG")])
async def test_the_format_asked_for_is_the_format_sent(kind: str | None, name: str) -> None:
    made = picture(await make(ask(output_format=kind)))
    assert (made.format, made.mode, made.size) == (name, "RGB", SMALL)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
async def test_every_file_says_that_an_algorithm_made_it(kind: str) -> None:
    made = picture(await make(ask(output_format=kind)))
    made.load()
    xmp = made.info.get("XML:com.adobe.xmp") or made.info["xmp"]
    assert "digitalsourcetype/algorithmicMedia" in (xmp if isinstance(xmp, str) else xmp.decode())
    software = made.info.get("Software") or made.getexif()[0x0131]
    assert software == "Limner sketch"


@pytest.mark.parametrize("kind", ["png", "webp"])
@pytest.mark.parametrize("prompt", ["a red apple", "a cat", "mountains", "bauhaus tiles", 'poster "Hi"', "portrait"])
async def test_transparent_pictures_have_real_alpha(prompt: str, kind: str) -> None:
    made = picture(await make(ask(prompt, background="transparent", output_format=kind, size_px=(256, 256))))
    assert made.mode == "RGBA"
    assert made.getchannel("A").getextrema() == (0, 255)


async def test_clear_pixels_keep_no_dark_fringe() -> None:
    made = picture(await make(ask("a white cat", background="transparent", size_px=(400, 400))))
    half_clear = [pixel for pixel in made.get_flattened_data() if 100 < pixel[3] < 160]
    assert half_clear
    whites = [pixel for pixel in half_clear if min(pixel[:3]) > 200]
    assert whites, "the white outline stays white where it thins out"


# --- prompts --------------------------------------------------------------------------------------


async def test_quoted_words_are_set_and_other_words_look_other() -> None:
    pictures = {
        sha(await make(ask(f'a poster that says "{words}"', size_px=(256, 256))))
        for words in ("Open", "Closed", "夜の海", "Ночь", "🎈", "Café", "Cafe")
    }
    assert len(pictures) == 7


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    prompt=st.text(min_size=1, max_size=300),
    style=st.sampled_from(["", "\nStyle: ink", "\nStyle: pixel", " pattern of cats"]),
)
async def test_no_text_can_make_it_fail(prompt: str, style: str) -> None:
    made = await make(ask(prompt + style, size_px=(72, 64)))
    assert picture(made).size == (72, 64)


@pytest.mark.parametrize(
    "prompt",
    [
        "x" * 8000,
        "🎨" * 8000,
        "سماء الليل فوق البحر " * 380,
        '"' * 8000,
        '"' + "very long " * 790 + '"',
        "' ' “” «»",
        "\t\n ",
        "a\u0301" * 4000,
    ],
    ids=["letters", "emoji", "arabic", "quotes", "long quote", "empty quotes", "blank", "accents"],
)
async def test_the_longest_and_oddest_prompts_are_drawn(prompt: str) -> None:
    assert picture(await make(ask(prompt, size_px=(160, 160)))).size == (160, 160)


# --- the watch ------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [0, 1, 3])
async def test_progress_rises_and_partial_pictures_are_real_and_small(wanted: int) -> None:
    watch = Listening()
    request = ask(size_px=(1024, 768), partial_images=wanted, output_format="webp")
    final = await Sketch().generate(request, watch)
    fractions = [fraction for fraction, _ in watch.steps]
    assert fractions == sorted(set(fractions))
    assert len(fractions) >= 3
    assert len(watch.partials) == wanted
    for data, kind in watch.partials:
        small = Image.open(io.BytesIO(data))
        assert (kind, small.format) == ("image/webp", "WEBP")
        assert max(small.size) <= 512
        assert data != final.data


async def test_drawing_never_happens_on_the_event_loops_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[int] = set()
    true_new, true_save = Image.new, Image.Image.save

    def new(*args: Any, **kwargs: Any) -> Image.Image:
        seen.add(threading.get_ident())
        return true_new(*args, **kwargs)

    def save(*args: Any, **kwargs: Any) -> None:
        seen.add(threading.get_ident())
        true_save(*args, **kwargs)

    monkeypatch.setattr(Image, "new", new)
    monkeypatch.setattr(Image.Image, "save", save)
    source = InputImage(given_picture(swirl()).data, "image/png", *SMALL)
    seen.clear()
    await make(ask(partial_images=2))
    await make(ask(operation="edit", images=(source,), partial_images=1))
    assert seen
    assert threading.get_ident() not in seen


async def test_only_so_many_pictures_are_drawn_at_once() -> None:
    drawing, most, enough = 0, 0, asyncio.Event()

    class Counting(Listening):
        async def progress(self, fraction: float | None, message: str) -> None:
            nonlocal drawing, most
            if message == "composing":
                drawing += 1
                most = max(most, drawing)
                if drawing == 2:
                    enough.set()
                await asyncio.wait_for(enough.wait(), 30)
            if message == "encoding":
                drawing -= 1

    sketch = Sketch(parallel=2)
    await asyncio.gather(*(sketch.generate(ask(seed=seed), Counting()) for seed in range(6)))
    assert most == 2


# --- told what to do by tests ---------------------------------------------------------------------


async def test_a_failure_told_by_the_script_reaches_the_caller() -> None:
    async def refuse(request: ImageRequest) -> None:
        raise ModerationBlocked

    with pytest.raises(ModerationBlocked):
        await Sketch(script=refuse).generate(ask(), Listening())


async def test_a_waiting_script_can_be_cancelled() -> None:
    begun = asyncio.Event()

    async def wait(request: ImageRequest) -> None:
        begun.set()
        await asyncio.Event().wait()

    call = asyncio.create_task(Sketch(script=wait).generate(ask(), Listening()))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_there_is_nothing_to_resume() -> None:
    sketch = Sketch()
    with pytest.raises(UpstreamTimeout):
        await sketch.resume(ask(), "handle", Listening())
    assert list(await sketch.discover()) == []
    await sketch.close()


# --- edits ----------------------------------------------------------------------------------------


async def edit(prompt: str, *images: Image.Image, **fields: Any) -> Image.Image:
    sources = tuple(given_picture(image) for image in images)
    return picture(await make(ask(prompt, operation="edit", images=sources, size_px=None, **fields)))


@pytest.mark.parametrize("kind", ["png", "webp"])
@pytest.mark.parametrize("prompt", ["a red balloon", "mountains in watercolour", "add a cat"])
async def test_outside_the_mask_every_pixel_stays_as_it_was(prompt: str, kind: str) -> None:
    hole = (40, 30, 100, 90)
    before, mask = swirl(), Image.new("RGBA", SMALL, (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), hole)
    after = (await edit(prompt, before, mask=given_picture(mask), output_format=kind)).convert("RGB")
    assert after.crop(hole).tobytes() != before.crop(hole).tobytes()
    after.paste((0, 0, 0), hole)
    before.paste((0, 0, 0), hole)
    assert after.tobytes() == before.tobytes()


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "L"])
async def test_a_mask_without_a_hole_is_refused_with_the_reason(mode: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await edit("anything", swirl(), mask=given_picture(Image.new(mode, SMALL, "white")))
    assert refused.value.details[0].path == "mask"


@pytest.mark.parametrize(
    "instruction",
    [
        "make it teal and gold", "as a watercolour", "in black and white, monochrome", "pixel art", "brighter", "darker",
        "blur it", "sharpen", "mirror it", "rotate", "zoom in", "put a frame around it", "invert", "fade the colours",
        "add a red boat", 'write "Hello"', "at night", "surprise me",
    ],
)  # fmt: skip
async def test_an_instruction_changes_the_picture_and_keeps_its_shape(instruction: str) -> None:
    before = swirl()
    after = await edit(instruction, before)
    assert after.size == before.size
    assert after.convert("RGB").tobytes() != before.tobytes()


@pytest.mark.parametrize("count", [2, 3, 4, 7, 16])
async def test_several_pictures_become_one_sheet_that_shows_them_all(count: int) -> None:
    colours = [(10 + 15 * number, 250 - 15 * number, 90) for number in range(count)]
    sheet = await edit("combine", *(Image.new("RGB", (90, 60), colour) for colour in colours), aspect_ratio="1:1")
    seen = set(sheet.convert("RGB").get_flattened_data())
    near = [
        any(sum(abs(a - b) for a, b in zip(pixel, colour, strict=True)) < 30 for pixel in seen) for colour in colours
    ]
    assert all(near)


async def test_an_edit_can_lift_the_subject_off_its_ground() -> None:
    before = Image.new("RGB", SMALL, (240, 240, 240))
    before.paste((200, 30, 30), (60, 40, 130, 100))
    after = await edit("remove the background", before, background="transparent")
    assert after.getpixel((2, 2))[3] == 0  # type: ignore[index]
    assert after.getpixel((90, 70))[3] == 255  # type: ignore[index]


async def test_references_lend_their_colours() -> None:
    plain = await make(ask("mountains"))
    for colour in ((200, 20, 120), (20, 160, 60)):
        tinted = await make(ask("mountains", images=(given_picture(Image.new("RGB", (80, 80), colour)),)))
        assert sha(tinted) != sha(plain)


async def test_a_picture_that_cannot_be_read_is_the_callers_error() -> None:
    broken = InputImage(b"\x89PNG not really", "image/png", 8, 8)
    with pytest.raises(InvalidRequest) as refused:
        await make(ask(operation="edit", images=(broken,)))
    assert refused.value.details[0].path == "images"


async def test_a_picture_with_alpha_keeps_it_when_it_is_changed() -> None:
    before = Image.new("RGBA", SMALL, (0, 0, 0, 0))
    before.paste((200, 90, 30, 255), (50, 30, 140, 100))
    after = await edit("brighter, pixel art", before)
    assert after.mode == "RGBA"
    assert after.getchannel("A").getextrema() == (0, 255)
