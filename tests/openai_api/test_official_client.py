"""The official `openai` client, unchanged but for address and key."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from io import BytesIO

import openai
import pytest
from openai import AsyncOpenAI
from PIL import Image
from tests.service import SKETCH, Service

from limner.errors import ModerationBlocked, UpstreamTimeout, UpstreamUnavailable


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{service.url}/v1", api_key=service.key, max_retries=2) as client:
        yield client


async def test_a_picture_in_the_size_and_format_asked_for(client: AsyncOpenAI, service: Service) -> None:
    answer = await client.images.generate(
        model=SKETCH, prompt="a harbour at dawn", size="1536x1024", quality="high", output_format="webp"
    )
    assert answer.data is not None
    with Image.open(BytesIO(b64decode(answer.data[0].b64_json or ""))) as picture:
        assert (picture.size, picture.format) == ((1536, 1024), "WEBP")
    assert (answer.size, answer.output_format, answer.quality) == ("1536x1024", "webp", "high")
    assert (await service.balance()).available == 99


async def test_several_pictures_as_links_that_need_no_key(client: AsyncOpenAI, service: Service) -> None:
    answer = await client.images.generate(model=SKETCH, prompt="quilt", n=3, response_format="url")
    assert answer.data is not None
    async with service.client() as stranger:
        pictures = [await stranger.get(each.url or "") for each in answer.data]
    assert [picture.status_code for picture in pictures] == [200, 200, 200]


async def test_compression_makes_a_smaller_copy(client: AsyncOpenAI) -> None:
    sizes = []
    for compression in (95, 10):
        answer = await client.images.generate(
            model=SKETCH, prompt="ridges", output_format="jpeg", output_compression=compression
        )
        assert answer.data is not None
        sizes.append(len(answer.data[0].b64_json or ""))
    assert sizes[1] < sizes[0] / 2


async def test_partial_pictures_arrive_before_the_whole(client: AsyncOpenAI) -> None:
    stream = await client.images.generate(model=SKETCH, prompt="dunes", stream=True, partial_images=2)
    events = [event async for event in stream]
    assert [event.type for event in events] == [
        "image_generation.partial_image",
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    for event in events:
        with Image.open(BytesIO(b64decode(event.b64_json))) as picture:
            picture.load()


async def test_an_edit_repaints_only_inside_the_mask(client: AsyncOpenAI) -> None:
    original, mask = Image.new("RGB", (512, 512), "navy"), Image.new("RGBA", (512, 512), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (128, 128, 384, 384))
    answer = await client.images.edit(
        model=SKETCH, image=[("in.png", png(original))], mask=("mask.png", png(mask)), prompt="a rose sun"
    )
    assert answer.data is not None
    with Image.open(BytesIO(b64decode(answer.data[0].b64_json or ""))) as edited:
        assert edited.size == (512, 512)
        assert edited.convert("RGB").getpixel((10, 10)) == (0, 0, 128)


async def test_what_says_nothing_is_taken_and_what_was_not_decided_is_left_out(client: AsyncOpenAI) -> None:
    answer = await client.images.generate(
        model=SKETCH, prompt="fox", output_compression=100, partial_images=0, stream=False, quality="hd", user="u-1"
    )
    assert (answer.quality, answer.background, answer.safety_identifier) == ("high", None, "u-1")
    other = await client.images.generate(model=SKETCH, prompt="fox", safety_identifier="s-1", user="u-1")
    assert (other.quality, other.safety_identifier) == (None, "s-1")


async def test_an_edit_takes_addresses_as_json_too(client: AsyncOpenAI, service: Service) -> None:
    made = await client.images.generate(model=SKETCH, prompt="fox", size="512x512", response_format="url")
    assert made.data is not None
    clear = Image.new("RGBA", (512, 512), (0, 0, 0, 0))
    mask = {"image_url": f"data:image/png;base64,{b64encode(png(clear)).decode()}"}
    images = [{"image_url": made.data[0].url}]
    body = {"model": SKETCH, "prompt": "at night", "images": images, "mask": mask}
    answer = await service.http.post("/v1/images/edits", json=body)
    assert (answer.status_code, answer.json()["size"]) == (200, "512x512")
    wrong = await service.http.post("/v1/images/edits", json={**body, "mask": {"image_url": "data:image/png,x"}})
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "mask")


async def test_only_what_can_be_used_is_listed(client: AsyncOpenAI) -> None:
    models = [model.id async for model in client.models.list()]
    assert models == [SKETCH]
    assert (await client.models.retrieve(SKETCH)).owned_by == "limner"


async def test_refusals_are_openais(client: AsyncOpenAI, service: Service) -> None:
    service.stage.errors["bad"] = ModerationBlocked(extra={"stage": "input", "reason": "violence"})
    with pytest.raises(openai.BadRequestError) as refused:
        await client.images.generate(model=SKETCH, prompt="bad")
    assert refused.value.code == "moderation_blocked"
    with pytest.raises(openai.NotFoundError) as unknown:
        await client.images.generate(model="dall-e-9", prompt="x")
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as size:
        await client.images.generate(model=SKETCH, prompt="x", size="9000x9000")  # type: ignore[call-overload]
    assert (size.value.code, size.value.param) == ("unsupported_option", "size")
    with pytest.raises(openai.AuthenticationError):
        await client.with_options(api_key="sk_wrong").images.generate(model=SKETCH, prompt="x")


async def test_too_few_credits_are_a_quota_and_not_tried_again(client: AsyncOpenAI, service: Service) -> None:
    _, key = await service.account("poor@example.org", credits=0)
    with pytest.raises(openai.RateLimitError) as poor:
        await client.with_options(api_key=key).images.generate(model=SKETCH, prompt="x")
    assert poor.value.code == "insufficient_quota"
    assert poor.value.response.headers["x-should-retry"] == "false"


async def test_the_client_repeats_only_what_cannot_be_paid_twice(client: AsyncOpenAI, service: Service) -> None:
    service.stage.errors["lost"] = UpstreamTimeout()
    service.stage.errors["down"] = UpstreamUnavailable(retry_after_seconds=0)
    with pytest.raises(openai.InternalServerError):
        await client.images.generate(model=SKETCH, prompt="lost")
    with pytest.raises(openai.InternalServerError):
        await client.images.generate(model=SKETCH, prompt="down")
    prompts = [request.prompt for request in service.stage.seen]
    assert (prompts.count("lost"), prompts.count("down")) == (1, 3)
    assert await service.transaction_types() == ["grant"]


async def test_a_client_that_timed_out_and_repeats_pays_once(client: AsyncOpenAI, service: Service) -> None:
    service.stage.holding = True
    call = asyncio.create_task(client.with_options(timeout=0.7).images.generate(model=SKETCH, prompt="slow"))
    await service.stage.arrival()
    await asyncio.wait([call], timeout=1.0)  # the first try gives up and the client sends the second by itself
    service.stage.let_go()
    try:
        await call
    except openai.APITimeoutError:
        await client.images.generate(model=SKETCH, prompt="slow")
    assert len(service.stage.seen) == 1
    assert (await service.balance()).available == 99


def png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


async def test_errors_name_openai_s_own_parameters(service: Service) -> None:
    async with service.client(service.key) as http:
        model = await http.post("/v1/images/generations", json={"prompt": "x", "model": "nobody:nothing"})
        files = {"image": ("a.png", b"no picture", "image/png")}
        image = await http.post("/v1/images/edits", data={"prompt": "x"}, files=files)
    assert (model.json()["error"]["param"], image.json()["error"]["param"]) == ("model", "image")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/v1/images/variations", 404), ("GET", "/v1/images/generations", 405), ("POST", "/v1/big", 413)],
)
async def test_what_is_not_there_is_told_in_openai_s_shape(
    service: Service, method: str, path: str, status: int
) -> None:
    body = b"x" * (33 * 1024 * 1024) if status == 413 else None
    answer = await service.http.request(method, path, content=body)
    error = answer.json()["error"]
    assert (answer.status_code, answer.headers["x-should-retry"]) == (status, "false")
    assert {"message", "type", "code", "param", "requestId"} <= set(error)
