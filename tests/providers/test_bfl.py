"""Black Forest Labs: orders that outlive a process, polls that fail, and addresses that must be theirs."""

from decimal import Decimal

import httpx2
import pytest
from tests.providers.conftest import PeerOf, ProviderOf
from tests.providers.suppliers import KEY, SUPPLIERS, reference
from tests.providers.watching import Listening

from limner.errors import UpstreamUnavailable
from limner.providers.bfl import BlackForestLabs

BFL = SUPPLIERS["bfl"]


async def test_the_handle_of_an_order_brings_its_picture_to_another_process(
    provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    first = await provider_of("bfl").generate(BFL.request(), watch)
    again = await provider_of("bfl").resume(BFL.request(), watch.handles[0], watch)
    assert again.data == first.data
    assert len(peer_of("bfl").orders) == 1


async def test_a_poll_that_fails_does_not_lose_the_order(
    provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    peer_of("bfl").fail("poll_hiccup")
    assert (await provider_of("bfl").generate(BFL.request(), watch)).data
    assert len(peer_of("bfl").orders) == 1


async def test_what_it_cost_and_how_far_it_is_are_passed_on(provider_of: ProviderOf, watch: Listening) -> None:
    made = await provider_of("bfl").generate(BFL.request(), watch)
    assert (made.cost_usd, made.usage["output_mp"]) == (Decimal("0.03"), 1.0)
    assert watch.steps == [(0.5, "rendering")]


async def test_size_seed_format_and_references_go_by_their_names(
    provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    asked = BFL.request(seed=7, output_format="png", images=(reference("red"), reference("blue")))
    await provider_of("bfl").generate(asked, watch)
    body = peer_of("bfl").orders[0].body
    assert {key: body[key] for key in ("width", "height", "seed", "output_format")} == {
        "width": 96,
        "height": 64,
        "seed": 7,
        "output_format": "png",
    }
    assert body["input_image"] != body["input_image_2"]


async def test_the_key_is_not_shown_to_the_picture_link(
    provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    await provider_of("bfl").generate(BFL.request(), watch)
    assert [KEY in str(request.headers) for request in peer_of("bfl").received] == [True, True, True, False]


@pytest.mark.parametrize(
    "handle",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://api.bfl.ai/v1/get_result?id=1",
        "https://bfl.ai.evil.example/v1/get_result",
        "https://evilbfl.ai/v1/get_result",
        "https://api.bfl.ai@evil.example/v1/get_result",
        "file:///etc/passwd",
        "",
    ],
)
async def test_a_handle_that_leads_elsewhere_is_not_followed(
    handle: str, pool: httpx2.AsyncClient, watch: Listening
) -> None:
    provider = BlackForestLabs(pool, api_key=KEY, base_url="https://api.bfl.ai", poll_seconds=0.001)
    with pytest.raises(UpstreamUnavailable):
        await provider.resume(BFL.request(), handle, watch)
