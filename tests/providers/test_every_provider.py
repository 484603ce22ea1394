"""What holds for every supplier of pictures, whatever its wire."""

import asyncio
import io
import socket

import httpx2
import pytest
from PIL import Image
from tests.providers.conftest import PeerOf, ProviderOf
from tests.providers.suppliers import KEY, SUPPLIERS, reference
from tests.providers.watching import Listening

from limner.errors import ServiceError, UpstreamTimeout, UpstreamUnavailable
from limner.providers.base import Unbilled

every_supplier = pytest.mark.parametrize("name", SUPPLIERS)
remote = pytest.mark.parametrize("name", [name for name in SUPPLIERS if name != "comfyui"])


@every_supplier
async def test_a_picture_arrives_as_the_supplier_made_it(name: str, provider_of: ProviderOf, watch: Listening) -> None:
    made = await provider_of(name).generate(SUPPLIERS[name].request(), watch)
    width, height = Image.open(io.BytesIO(made.data)).size
    assert (width / height, made.served_by) == (pytest.approx(1.5, abs=0.01), SUPPLIERS[name].model)


@every_supplier
async def test_one_picture_is_one_order(name: str, provider_of: ProviderOf, peer_of: PeerOf, watch: Listening) -> None:
    await provider_of(name).generate(SUPPLIERS[name].request(), watch)
    assert len(peer_of(name).orders) == 1


@every_supplier
async def test_pictures_can_go_in(name: str, provider_of: ProviderOf, peer_of: PeerOf, watch: Listening) -> None:
    request = SUPPLIERS[name].request(operation="edit", images=(reference(),))
    assert (await provider_of(name).generate(request, watch)).data
    assert len(peer_of(name).orders) == 1


@every_supplier
async def test_where_nobody_answers_nothing_was_billed(name: str, pool: httpx2.AsyncClient, watch: Listening) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    provider = SUPPLIERS[name].build(pool, f"http://127.0.0.1:{port}")
    with pytest.raises(Unbilled) as failure:
        await provider.generate(SUPPLIERS[name].request(), watch)
    assert isinstance(failure.value.error, UpstreamUnavailable)


@every_supplier
async def test_a_redirect_is_not_followed(
    name: str, provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    peer_of(name).fail("redirect")
    with pytest.raises(UpstreamUnavailable) as failure:
        await provider_of(name).generate(SUPPLIERS[name].request(), watch)
    assert failure.value.extra == {"operator": True, "reason": "misconfigured"}


@every_supplier
async def test_an_order_past_its_deadline_is_not_sent_again(
    name: str, provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    peer_of(name).fail("slow")
    with pytest.raises(UpstreamTimeout):
        await provider_of(name).generate(SUPPLIERS[name].request(timeout_seconds=0.2), watch)
    assert len(peer_of(name).orders) == 1


@every_supplier
async def test_a_cancelled_order_stops_waiting(
    name: str, provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    peer_of(name).fail("slow")
    order = asyncio.create_task(provider_of(name).generate(SUPPLIERS[name].request(), watch))
    await peer_of(name).asked()
    order.cancel()
    with pytest.raises(asyncio.CancelledError):
        await order


@remote
async def test_the_key_goes_to_the_supplier_and_into_no_error(
    name: str, provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    peer_of(name).fail("bad_key")
    with pytest.raises(UpstreamUnavailable) as failure:
        await provider_of(name).generate(SUPPLIERS[name].request(), watch)
    assert KEY in str(dict(peer_of(name).received[0].headers))
    assert "sk-" not in f"{failure.value} {failure.value.extra}"


@pytest.mark.parametrize("name", [name for name in SUPPLIERS if name not in ("bfl", "comfyui")])
async def test_a_supplier_without_handles_cannot_resume(name: str, provider_of: ProviderOf, watch: Listening) -> None:
    with pytest.raises(UpstreamTimeout):
        await provider_of(name).resume(SUPPLIERS[name].request(), "handle", watch)


@every_supplier
async def test_only_named_failures_come_out(
    name: str, provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    for fault in ("html", "html_ok", "garbage", "truncated"):
        peer_of(name).fail(fault)
        with pytest.raises((ServiceError, Unbilled)):
            await provider_of(name).generate(SUPPLIERS[name].request(), watch)
