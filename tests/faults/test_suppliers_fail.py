"""The fault table through the front door: every row has its code, charges nothing, and is ordered as often as it may."""

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from tests.peers.comfyui import WORKFLOW
from tests.providers.conftest import PeerOf, peer_of, running_peers  # noqa: F401 — fixtures
from tests.providers.suppliers import KEY, SUPPLIERS
from tests.providers.test_faults import STREAMED, TABLE, Row
from tests.service import Service, serving

from limner.errors import ServiceError
from limner.images import attempt
from limner.images.attempt import ATTEMPTS
from limner.providers import registry

MODELS = {
    "openai": "openai:gpt-image-2",
    "google": "google:gemini-3-pro-image",
    "openrouter": "openrouter:google/gemini-2.5-flash-image",
    "bfl": "bfl:flux-2-pro",
    "compatible": "compatible:sd-cpp-local",
    "comfyui": "comfyui:workflow",
}
IMPATIENT = """
[[models]]
id = "openai:impatient"
like = "openai:gpt-image-2"
timeoutSeconds = 0.3
"""
STATUS = {kind.code: kind.status for kind in ServiceError.__subclasses__()}


@pytest.fixture
async def service(
    tmp_path: Path,
    sqlite_url: str,
    peer_of: PeerOf,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Service]:
    """A server with every supplier, all of them peers, without its pauses."""
    monkeypatch.setattr(attempt, "_delay_seconds", lambda *_: 0.0)
    monkeypatch.setattr(registry, "POLL_SECONDS", 0.001)
    workflow = tmp_path / "workflow.json"
    workflow.write_bytes(orjson.dumps(WORKFLOW))
    env = {f"LIMNER_{name.upper()}_BASE_URL": peer_of(name).base_url for name in SUPPLIERS if name != "comfyui"}
    env |= {f"LIMNER_{name.upper()}_API_KEY": KEY for name in SUPPLIERS if name != "comfyui"}
    env |= {"LIMNER_COMFYUI_URL": peer_of("comfyui").base_url, "LIMNER_COMFYUI_WORKFLOW": str(workflow)}
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(IMPATIENT)
    env["LIMNER_CATALOG"] = str(catalog)
    async with serving(tmp_path / "data", sqlite_url, credits=10_000, env=env) as service:
        yield service


@pytest.mark.parametrize("supplier", SUPPLIERS)
async def test_a_failed_picture_has_its_code_and_costs_nothing(
    supplier: str,
    service: Service,
    peer_of: PeerOf,  # noqa: F811
) -> None:
    for row in (row for row in TABLE if row.supplier == supplier and row.asks != STREAMED):  # REST asks for no stream
        assert await outcome(row, service, peer_of) == expected(row), str(row)
        made = await service.generate(modelId=MODELS[supplier])
        assert made.status_code == 200, f"after {row}"
    assert not await service.audit()


@pytest.mark.parametrize("supplier", SUPPLIERS)
async def test_bytes_that_are_no_picture_cost_nothing(
    supplier: str,
    service: Service,
    peer_of: PeerOf,  # noqa: F811
) -> None:
    row = Row(supplier, "not_a_picture", "no_image")
    assert await outcome(row, service, peer_of) == expected(row)


async def test_a_supplier_that_is_busy_for_a_moment_is_asked_again_and_paid_once(
    service: Service,
    peer_of: PeerOf,  # noqa: F811
) -> None:
    peer = peer_of("google")
    peer.fail("overloaded", "rate_limited_with_delay")
    made = await service.generate(modelId="google:gemini-2.5-flash-image")
    assert (made.status_code, made.json()["credits"]["charged"], len(peer.orders)) == (200, 3, 3)
    assert await service.transaction_types() == ["grant", "charge"]


async def test_an_order_past_its_deadline_is_neither_repeated_nor_charged(
    service: Service,
    peer_of: PeerOf,  # noqa: F811
) -> None:
    row = Row("openai", "slow", "upstream_timeout")
    assert await outcome(row, service, peer_of, model="openai:impatient") == expected(row)


async def test_a_model_the_supplier_has_ended_names_its_successor(
    service: Service,
    peer_of: PeerOf,  # noqa: F811
) -> None:
    peer_of("google").fail("retired")
    answer = await service.generate(modelId="google:gemini-2.5-flash-image")
    error = answer.json()["error"]
    assert (error["code"], error["replacedBy"]) == ("model_unavailable", "google:gemini-nano-banana-2.1")


async def outcome(
    row: Row,
    service: Service,
    peer_of: PeerOf,  # noqa: F811
    model: str | None = None,
) -> tuple[str, int, int, int]:
    """Code, status, credits it cost, and what the supplier was sent that may cost money."""
    peer = peer_of(row.supplier)
    peer.received.clear()
    peer.fail(*[row.fault] * (ATTEMPTS if row.unbilled else row.orders))
    before = (await service.balance()).available
    answer = await service.generate(modelId=model or MODELS[row.supplier])
    peer.faults.clear()
    balance = await service.balance()
    error = answer.json()["error"]
    assert error["creditsCharged"] == balance.held == 0
    return error["code"], answer.status_code, before - balance.available, len(peer.orders)


def expected(row: Row) -> tuple[str, int, int, int]:
    return row.code, STATUS[row.code], 0, ATTEMPTS if row.unbilled else row.orders
