"""The suppliers' own client libraries against our peers: what they put on the wire, we put there too."""

from typing import Any

import openai
import pytest
from google import genai
from google.genai import types
from openrouter import OpenRouter as OpenRouterClient
from openrouter.utils import RetryConfig
from pydantic.alias_generators import to_camel
from tests.peers.peer import Peer, Received
from tests.providers.conftest import PeerOf, ProviderOf
from tests.providers.suppliers import KEY, SUPPLIERS, reference
from tests.providers.watching import Listening

from limner.providers.base import ImageRequest, InputImage
from limner.providers.wire import data_url

GOOGLE_KEYS = {"mime_type", "thinking_level"}
PLAIN_BASE64 = str.maketrans("-_", "+/")


def assert_same_order(theirs: Received, ours: Received) -> None:
    assert (ours.path, ours.body, list(ours.files)) == (theirs.path, settled(theirs.body), list(theirs.files))


def settled(value: Any) -> Any:
    """Google's client mixes mimeType with mime_type and writes base64 with - and _; its API takes both (proto3 JSON)."""
    if isinstance(value, list):
        return [settled(each) for each in value]
    if not isinstance(value, dict):
        return value
    named = {to_camel(key) if key in GOOGLE_KEYS else key: settled(each) for key, each in value.items()}
    return named | ({"data": named["data"].translate(PLAIN_BASE64)} if "mimeType" in named else {})


OPENAI_ORDERS = [
    pytest.param({}, {}, id="bare"),
    pytest.param({"size_px": (1536, 864)}, {"size": "1536x864"}, id="size"),
    pytest.param({"quality": "draft"}, {"quality": "low"}, id="quality"),
    pytest.param(
        {"background": "transparent", "output_format": "webp"},
        {"background": "transparent", "output_format": "webp"},
        id="transparent",
    ),
    pytest.param({"safety_identifier": "digest"}, {"safety_identifier": "digest"}, id="user"),
    pytest.param({"options": {"moderation": "low"}}, {"moderation": "low"}, id="options"),
]


@pytest.mark.parametrize(("ours", "theirs"), OPENAI_ORDERS)
async def test_openai_generations(
    ours: dict[str, Any], theirs: dict[str, Any], provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    peer = peer_of("openai")
    async with openai.AsyncOpenAI(api_key=KEY, base_url=peer.base_url, max_retries=0) as client:
        await client.images.generate(model="gpt-image-2", prompt="a fox", **theirs)
    await provider_of("openai").generate(request("openai", **{"size_px": None, **ours}), watch)
    assert_same_order(*peer.orders)


async def test_openai_streams(provider_of: ProviderOf, peer_of: PeerOf, watch: Listening) -> None:
    peer = peer_of("openai")
    async with openai.AsyncOpenAI(api_key=KEY, base_url=peer.base_url, max_retries=0) as client:
        stream = await client.images.generate(model="gpt-image-2", prompt="a fox", stream=True, partial_images=2)
        seen = [event.type async for event in stream]
    await provider_of("openai").generate(request("openai", size_px=None, partial_images=2), watch)
    assert_same_order(*peer.orders)
    assert len(watch.partials) == seen.count("image_generation.partial_image") == 2


@pytest.mark.parametrize("masked", [False, True])
async def test_openai_edits(masked: bool, provider_of: ProviderOf, peer_of: PeerOf, watch: Listening) -> None:
    peer = peer_of("openai")
    images, mask = (reference("red"), reference("blue")), reference("white") if masked else None
    extra = {"mask": part(mask, "mask")} if mask else {}
    async with openai.AsyncOpenAI(api_key=KEY, base_url=peer.base_url, max_retries=0) as client:
        await client.images.edit(
            model="gpt-image-2",
            prompt="a fox",
            image=[part(image, f"image-{place}") for place, image in enumerate(images, 1)],
            **extra,
        )
    ours = request("openai", size_px=None, operation="edit", images=images, mask=mask)
    await provider_of("openai").generate(ours, watch)
    assert_same_order(*peer.orders)


GOOGLE_ORDERS = [
    pytest.param({}, {}, id="bare"),
    pytest.param(
        {"aspect_ratio": "21:9", "resolution": "2K"},
        {"image_config": types.ImageConfig(aspect_ratio="21:9", image_size="2K")},
        id="ratio",
    ),
    pytest.param(
        {"thinking_level": "deep"},
        {"thinking_config": types.ThinkingConfig(thinking_level=types.ThinkingLevel.HIGH)},
        id="deep",
    ),
    pytest.param({"seed": 7}, {"seed": 7}, id="seed"),
]


@pytest.mark.parametrize(("ours", "theirs"), GOOGLE_ORDERS)
@pytest.mark.parametrize("pictures", [0, 2])
async def test_google_generate_content(
    pictures: int,
    ours: dict[str, Any],
    theirs: dict[str, Any],
    provider_of: ProviderOf,
    peer_of: PeerOf,
    watch: Listening,
) -> None:
    peer, images = peer_of("google"), (reference("red"), reference("blue"))[:pictures]
    contents = ["a fox", *(types.Part.from_bytes(data=image.data, mime_type=image.media_type) for image in images)]
    async with genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=peer.base_url)).aio as client:
        config = types.GenerateContentConfig(response_modalities=["IMAGE"], **theirs)
        await client.models.generate_content(model="gemini-3-pro-image", contents=contents, config=config)
    await provider_of("google").generate(request("google", **{"aspect_ratio": None, **ours}, images=images), watch)
    assert_same_order(*peer.orders)


OPENROUTER_ORDERS = [
    pytest.param({}, {}, id="bare"),
    pytest.param(
        {"aspect_ratio": "16:9", "resolution": "2K"}, {"aspect_ratio": "16:9", "resolution": "2K"}, id="ratio"
    ),
    pytest.param({"size_px": (96, 64)}, {"size": "96x64"}, id="size"),
    pytest.param({"quality": "high", "seed": 7}, {"quality": "high", "seed": 7}, id="quality"),
    pytest.param(
        {"background": "transparent", "output_format": "webp", "safety_identifier": "digest"},
        {"background": "transparent", "output_format": "webp", "user": "digest"},
        id="transparent",
    ),
    pytest.param(
        {"options": {"provider": {"allow_fallbacks": False}}}, {"provider": {"allow_fallbacks": False}}, id="options"
    ),
]


@pytest.mark.parametrize(("ours", "theirs"), OPENROUTER_ORDERS)
@pytest.mark.parametrize("pictures", [0, 1])
async def test_openrouter_images(
    pictures: int,
    ours: dict[str, Any],
    theirs: dict[str, Any],
    provider_of: ProviderOf,
    peer_of: PeerOf,
    watch: Listening,
) -> None:
    peer, images = peer_of("openrouter"), (reference(),)[:pictures]
    given = {"input_references": [openrouter_part(image) for image in images]} if images else {}
    async with openrouter_client(peer) as client:
        await client.images.generate_async(model=SUPPLIERS["openrouter"].model, prompt="a fox", **given, **theirs)
    made = request("openrouter", **{"size_px": None, **ours}, images=images)
    await provider_of("openrouter").generate(made, watch)
    assert_same_order(*peer.orders)


async def test_openrouter_chat(provider_of: ProviderOf, peer_of: PeerOf, watch: Listening) -> None:
    """The images API does not know this model, so ours comes third: asked there in vain, then on the chat wire."""
    peer, image = peer_of("openrouter"), reference()
    content = [{"type": "text", "text": "a fox"}, openrouter_part(image)]
    async with openrouter_client(peer) as client:
        await client.chat.send_async(
            model="openai/gpt-5-image",
            messages=[{"role": "user", "content": content}],
            modalities=["image", "text"],
            image_config={"aspect_ratio": "16:9", "image_size": "2K"},
            seed=7,
        )
    asked = {"model": "openai/gpt-5-image", "aspect_ratio": "16:9", "resolution": "2K", "seed": 7}
    made = await provider_of("openrouter").generate(
        request("openrouter", size_px=None, images=(image,), **asked), watch
    )
    theirs, _, ours = peer.orders
    assert_same_order(theirs, ours)
    assert made.cost_usd is not None


def request(name: str, **asks: Any) -> ImageRequest:
    return SUPPLIERS[name].request(**asks)


def part(image: InputImage, name: str) -> tuple[str, bytes, str]:
    return (f"{name}.png", image.data, image.media_type)


def openrouter_part(image: InputImage) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": data_url(image.data, image.media_type)}}


def openrouter_client(peer: Peer) -> OpenRouterClient:
    return OpenRouterClient(api_key=KEY, server_url=peer.base_url, retry_config=RetryConfig("none", None, False))
