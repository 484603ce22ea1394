"""The built-in model: the same picture for the same request, every size and format, never a surprise."""

import hashlib
import io
import threading

import pytest
from PIL import Image

from limner.errors import InvalidRequest, ModerationBlocked
from limner.providers.base import ImageRequest, InputImage, ProviderImage
from limner.providers.sketch import Sketch, seed_of

SMALL = (192, 128)


class Listener:
    """A watch that remembers what it was told, and from which thread."""

    def __init__(self) -> None:
        self.fractions: list[float] = []
        self.partials: list[tuple[bytes, str]] = []

    async def submitted(self, handle: str) -> None:
        raise AssertionError("a sketch has no handle")

    async def progress(self, fraction: float | None, message: str) -> None:
        assert fraction is not None
        self.fractions.append(fraction)

    async def partial(self, data: bytes, media_type: str) -> None:
        self.partials.append((data, media_type))


def ask(prompt: str = "misty mountains at dawn", **fields: object) -> ImageRequest:
    values: dict[str, object] = {"generation_id": "g-1", "model": "sketch", "size_px": SMALL, "seed": 7} | fields
    return ImageRequest(prompt=prompt, **values)  # type: ignore[arg-type]


async def make(request: ImageRequest) -> ProviderImage:
    return await Sketch().generate(request, Listener())


def picture(made: ProviderImage) -> Image.Image:
    return Image.open(io.BytesIO(made.data))


def sha(made: ProviderImage) -> str:
    return hashlib.sha256(made.data).hexdigest()


async def test_the_same_request_gives_the_same_bytes() -> None:
    assert sha(await make(ask())) == sha(await make(ask()))


async def test_another_seed_gives_another_picture() -> None:
    assert sha(await make(ask(seed=1))) != sha(await make(ask(seed=2)))


async def test_without_a_seed_each_generation_has_its_own_and_keeps_it() -> None:
    first, again = await make(ask(seed=None)), await make(ask(seed=None))
    other = await make(ask(seed=None, generation_id="g-2"))
    assert sha(first) == sha(again) != sha(other)
    assert first.usage["seed"] == seed_of(ask(seed=None))


@pytest.mark.parametrize(("kind", "name"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp", "WEBP"), (None, "PNG")])
async def test_the_format_asked_for_is_the_format_sent(kind: str | None, name: str) -> None:
    made = picture(await make(ask(output_format=kind)))
    assert (made.format, made.size) == (name, SMALL)


async def test_a_failure_told_by_the_script_reaches_the_caller() -> None:
    async def refuse(request: ImageRequest) -> None:
        raise ModerationBlocked

    with pytest.raises(ModerationBlocked):
        await Sketch(script=refuse).generate(ask(), Listener())


async def test_progress_rises_and_partial_pictures_are_real_and_small() -> None:
    listener = Listener()
    await Sketch().generate(ask(size_px=(1024, 768), partial_images=2), listener)
    assert listener.fractions == sorted(set(listener.fractions))
    assert len(listener.partials) == 2
    for data, kind in listener.partials:
        small = Image.open(io.BytesIO(data))
        assert (kind, small.format) == ("image/png", "PNG")
        assert max(small.size) <= 512


def given(image: Image.Image) -> InputImage:
    out = io.BytesIO()
    image.save(out, "PNG")
    return InputImage(out.getvalue(), "image/png", image.width, image.height)


async def test_outside_the_mask_every_pixel_stays_as_it_was() -> None:
    before = Image.radial_gradient("L").resize(SMALL).convert("RGB")
    mask = Image.new("RGBA", SMALL, (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (40, 30, 100, 90))
    after = picture(await make(ask("a red sky", operation="edit", images=(given(before),), mask=given(mask)))).convert(
        "RGB"
    )
    hole = (40, 30, 100, 90)
    assert after.crop(hole).tobytes() != before.crop(hole).tobytes()
    after.paste((0, 0, 0), hole)
    before.paste((0, 0, 0), hole)
    assert after.tobytes() == before.tobytes()


async def test_a_mask_without_a_hole_is_refused_with_the_reason() -> None:
    whole = given(Image.new("RGBA", SMALL, (0, 0, 0, 255)))
    with pytest.raises(InvalidRequest) as refused:
        await make(ask(operation="edit", images=(given(Image.new("RGB", SMALL)),), mask=whole))
    assert refused.value.details[0].path == "mask"


async def test_transparent_pictures_have_alpha_in_png_and_webp() -> None:
    for kind in ("png", "webp"):
        made = picture(await make(ask("a red apple", background="transparent", output_format=kind)))
        assert made.mode == "RGBA"
        assert made.getchannel("A").getextrema() == (0, 255)


async def test_drawing_never_happens_on_the_event_loops_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[int] = set()
    true_new = Image.new

    def noted(*args: object, **kwargs: object) -> Image.Image:
        seen.add(threading.get_ident())
        return true_new(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Image, "new", noted)
    await make(ask())
    assert seen
    assert threading.get_ident() not in seen
