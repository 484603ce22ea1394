"""All suppliers of a server: who is configured, who is down, and how many orders each takes at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from tests.peers.comfyui import WORKFLOW
from tests.providers.conftest import PeerOf
from tests.providers.suppliers import KEY, SUPPLIERS
from tests.providers.watching import Listening

from limner.errors import ModelUnavailable, UpstreamUnavailable
from limner.providers import registry
from limner.providers.base import Unbilled
from limner.providers.breaker import FAILURES_THAT_OPEN
from limner.providers.comfyui_workflow import BadWorkflow
from limner.providers.registry import CONCURRENCY, Providers, ProviderSettings


@pytest.fixture
async def all_providers(
    peer_of: PeerOf, workflow_file: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Providers]:
    monkeypatch.setattr(registry, "POLL_SECONDS", 0.001)
    settings = ProviderSettings(
        openai_api_key=KEY,
        openai_base_url=peer_of("openai").base_url,
        google_api_key=KEY,
        google_base_url=peer_of("google").base_url,
        openrouter_api_key=KEY,
        openrouter_base_url=peer_of("openrouter").base_url,
        bfl_api_key=KEY,
        bfl_base_url=peer_of("bfl").base_url,
        compatible_base_url=peer_of("compatible").base_url,
        comfyui_url=peer_of("comfyui").base_url,
        comfyui_workflow=workflow_file,
    )
    providers = Providers(settings)
    yield providers
    await providers.close()


@pytest.fixture
def workflow_file(tmp_path: Path) -> Path:
    path = tmp_path / "workflow.json"
    path.write_bytes(orjson.dumps(WORKFLOW))
    return path


async def test_without_any_key_only_the_built_in_model_can_be_used_and_the_others_say_why() -> None:
    providers = Providers(ProviderSettings())
    assert providers.names == ("limner",)
    assert providers.unavailable["google"] == "no Google key is configured (LIMNER_GOOGLE_API_KEY)"
    with pytest.raises(ModelUnavailable, match="LIMNER_OPENAI_API_KEY"):
        providers["openai"]
    await providers.close()


async def test_models_on_this_machine_say_what_they_lack(tmp_path: Path) -> None:
    providers = Providers(ProviderSettings(diffusers_dir=tmp_path))
    assert providers.unavailable["diffusers"] == "the extra limner[diffusers] is not installed"
    await providers.close()


async def test_every_configured_supplier_serves(all_providers: Providers, watch: Listening) -> None:
    assert all_providers.unavailable.keys() == {"diffusers"}
    for name, supplier in SUPPLIERS.items():
        async with all_providers.slot(name) as provider:
            assert (await provider.generate(supplier.request(), watch)).data


async def test_a_key_shows_in_no_representation() -> None:
    assert KEY not in repr(ProviderSettings(openai_api_key=KEY, compatible_api_key=KEY))


async def test_a_supplier_takes_no_more_orders_at_once_than_it_may(all_providers: Providers) -> None:
    busy, release, waiting = 0, asyncio.Event(), asyncio.Event()

    async def order() -> None:
        nonlocal busy
        async with all_providers.slot("compatible"):
            busy += 1
            if busy == CONCURRENCY["compatible"]:
                waiting.set()
            await release.wait()

    async with asyncio.TaskGroup() as orders:
        for _ in range(CONCURRENCY["compatible"] + 1):
            orders.create_task(order())
        await waiting.wait()
        assert busy == CONCURRENCY["compatible"]
        release.set()
    assert busy == CONCURRENCY["compatible"] + 1


async def test_a_supplier_that_keeps_failing_is_left_alone(
    all_providers: Providers, peer_of: PeerOf, watch: Listening
) -> None:
    peer = peer_of("openai")
    peer.fail(*["overloaded"] * FAILURES_THAT_OPEN)
    for _ in range(FAILURES_THAT_OPEN):
        with pytest.raises(Unbilled):
            async with all_providers.slot("openai") as provider:
                await provider.generate(SUPPLIERS["openai"].request(), watch)
    with pytest.raises(UpstreamUnavailable):
        async with all_providers.slot("openai"):
            pass
    assert (all_providers.down, len(peer.orders)) == (("openai",), FAILURES_THAT_OPEN)


async def test_what_the_suppliers_offer_themselves_becomes_catalogue_entries(all_providers: Providers) -> None:
    found = {entry["id"]: entry for entry in await all_providers.discover()}
    assert found.keys() == {"openrouter:sourceful/riverflow-v2", "compatible:sd-cpp-local", "comfyui:workflow"}


async def test_suppliers_that_are_away_offer_nothing() -> None:
    settings = ProviderSettings(
        openrouter_api_key=KEY, openrouter_base_url="http://127.0.0.1:9", compatible_base_url="http://127.0.0.1:9"
    )
    providers = Providers(settings)
    assert await providers.discover() == []
    await providers.close()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"inputs": {"seed": "3.seed"}}, "at least"),
        ({"inputs": {"prompt": "6.words"}}, "has no '6.words'"),
        ({"inputs": {"prompt": "6.text", "colour": "3.seed"}}, "names an input 'colour'"),
        ({"workflow": {}}, "at least"),
    ],
)
def test_a_workflow_that_cannot_work_stops_the_start(
    change: dict[str, object], complaint: str, workflow_file: Path
) -> None:
    workflow_file.write_bytes(orjson.dumps(WORKFLOW | change))
    with pytest.raises(BadWorkflow, match=complaint):
        Providers(ProviderSettings(comfyui_url="http://127.0.0.1:9", comfyui_workflow=workflow_file))
