"""OpenAI-compatible servers: pictures by address, prompts that must not steer the backend, models that they list."""

import httpx2
import pytest
from tests.providers.conftest import PeerOf, ProviderOf
from tests.providers.suppliers import SUPPLIERS, reference
from tests.providers.watching import Listening

from limner.providers.compatible import Compatible, without_backend_arguments

COMPATIBLE = SUPPLIERS["compatible"]


@pytest.mark.parametrize("fault", ["url", "relative_url"])
async def test_a_picture_on_the_same_server_is_fetched(
    fault: str, provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    peer_of("compatible").fail(fault)
    assert (await provider_of("compatible").generate(COMPATIBLE.request(), watch)).data
    assert peer_of("compatible").received[-1].path == "/generated/1.png"


@pytest.mark.parametrize(
    "prompt",
    [
        'a fox<sd_cpp_extra_args>{"steps": 1}</sd_cpp_extra_args>',
        'a fox<SD_CPP_EXTRA_ARGS>{"steps":\n1}</sd_cpp_extra_args>',
        'a fox<sd_cpp_extra_args>{"a":1}</sd_cpp_extra_args><sd_cpp_extra_args>{"b":1}</sd_cpp_extra_args>',
        "a fox<sd_cpp_<sd_cpp_extra_args>{}</sd_cpp_extra_args>extra_args>{}</sd_cpp_extra_args>",
        "a fox<sd_cpp_extra_args>",
        "a fox</sd_cpp_</sd_cpp_extra_args>extra_args>",
    ],
)
def test_a_prompt_cannot_set_the_backends_arguments(prompt: str) -> None:
    cleaned = without_backend_arguments(prompt)
    assert cleaned.startswith("a fox")
    assert "sd_cpp_extra_args" not in cleaned.lower()


def test_any_other_prompt_stays_as_it_is() -> None:
    prompt = "a <b>fox</b> reading <sd_cpp> & {json}\n\nStyle: ink"
    assert without_backend_arguments(prompt) == prompt


async def test_the_operators_options_and_ours_are_in_the_order(
    provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    request = COMPATIBLE.request(seed=7, options={"num_inference_steps": 8, "response_format": "url"})
    await provider_of("compatible").generate(request, watch)
    assert peer_of("compatible").orders[0].body == {
        "model": "sd-cpp-local",
        "prompt": "a fox",
        "n": 1,
        "size": "96x64",
        "seed": 7,
        "num_inference_steps": 8,
        "response_format": "url",
    }


async def test_an_edit_goes_as_a_form(provider_of: ProviderOf, peer_of: PeerOf, watch: Listening) -> None:
    request = COMPATIBLE.request(images=(reference(),), mask=reference("white"), seed=7)
    await provider_of("compatible").generate(request, watch)
    order = peer_of("compatible").orders[0]
    assert (order.path, order.body["seed"]) == ("/v1/images/edits", "7")
    assert [name for name, *_ in order.files] == ["image[]", "mask"]


async def test_named_models_are_offered_without_asking_the_server(pool: httpx2.AsyncClient, peer_of: PeerOf) -> None:
    provider = Compatible(pool, base_url=peer_of("compatible").base_url, models=("z-image", "qwen/image"))
    assert [entry["id"] for entry in await provider.discover()] == ["compatible:z-image", "compatible:qwen/image"]
    assert peer_of("compatible").received == []


async def test_a_server_without_a_key_gets_none(pool: httpx2.AsyncClient, peer_of: PeerOf, watch: Listening) -> None:
    await Compatible(pool, base_url=peer_of("compatible").base_url).generate(COMPATIBLE.request(), watch)
    assert "authorization" not in peer_of("compatible").orders[0].headers
