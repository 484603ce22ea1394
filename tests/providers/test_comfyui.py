"""ComfyUI: the operator's graph with our values in it, orders that can be stopped, found again, or placed again."""

import asyncio
from typing import Any

import pytest
from tests.peers.peer import Peer
from tests.providers.conftest import PeerOf, ProviderOf
from tests.providers.suppliers import SUPPLIERS, reference
from tests.providers.watching import Listening

COMFYUI = SUPPLIERS["comfyui"]


def inputs(peer: Peer, node: str) -> dict[str, Any]:
    return peer.orders[-1].body["prompt"][node]["inputs"]


async def test_our_values_stand_in_the_operators_graph(
    provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    request = COMFYUI.request(seed=7, images=(reference(),), mask=reference("white"), generation_id="gen-9")
    await provider_of("comfyui").generate(request, watch)
    peer = peer_of("comfyui")
    assert (inputs(peer, "6")["text"], inputs(peer, "3")["seed"], inputs(peer, "3")["steps"]) == ("a fox", 7, 20)
    assert (inputs(peer, "5")["width"], inputs(peer, "5")["height"]) == (96, 64)
    assert (inputs(peer, "10")["image"], inputs(peer, "11")["image"]) == ("limner/gen-9-1.png", "limner/gen-9-mask.png")


async def test_without_a_seed_every_order_has_its_own(
    provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    seeds = set()
    for _ in range(3):
        await provider_of("comfyui").generate(COMFYUI.request(), watch)
        seeds.add(inputs(peer_of("comfyui"), "3")["seed"])
    assert len(seeds) == 3


async def test_the_saved_picture_comes_before_a_preview(
    provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    await provider_of("comfyui").generate(COMFYUI.request(), watch)
    assert peer_of("comfyui").received[-1].query == {
        "filename": "limner_00001_.png",
        "subfolder": "",
        "type": "output",
    }


async def test_a_cancelled_order_is_interrupted_and_taken_out_of_the_queue(
    provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    peer = peer_of("comfyui")
    peer.fail("slow")
    order = asyncio.create_task(provider_of("comfyui").generate(COMFYUI.request(), watch))
    await peer.asked()
    order.cancel()
    with pytest.raises(asyncio.CancelledError):
        await order
    stops = [request for request in peer.received if request.path in ("/interrupt", "/queue") and request.body]
    assert [(stop.path, stop.body) for stop in stops] == [
        ("/interrupt", {"prompt_id": watch.handles[0]}),
        ("/queue", {"delete": watch.handles}),
    ]


async def test_another_process_finds_the_order_again(
    provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    await provider_of("comfyui").generate(COMFYUI.request(), watch)
    assert (await provider_of("comfyui").resume(COMFYUI.request(), watch.handles[0], watch)).data
    assert len(peer_of("comfyui").orders) == 1


@pytest.mark.parametrize("fault", ["lost", "interrupted"])
async def test_an_order_that_was_stopped_or_forgotten_is_placed_again(
    fault: str, provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    peer_of("comfyui").fail(fault)
    with pytest.raises(Exception, match="upstream_unavailable"):
        await provider_of("comfyui").generate(COMFYUI.request(), watch)
    assert (await provider_of("comfyui").resume(COMFYUI.request(), watch.handles[0], watch)).data
    assert len(peer_of("comfyui").orders) == 2
