"""When a supplier is not there, the operator's fallback makes the picture, openly and at no higher price."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.providers.conftest import PeerOf, peer_of, running_peers  # noqa: F401 — fixtures
from tests.providers.suppliers import KEY
from tests.service import Service, serving

from limner.images import attempt

CATALOG = """
[[models]]
id = "openai:gpt-image-2"
fallbacks = ["google:gemini-3-pro-image", "limner:sketch"]
"""


@pytest.fixture
async def service(
    tmp_path: Path,
    sqlite_url: str,
    peer_of: PeerOf,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Service]:
    monkeypatch.setattr(attempt, "_delay_seconds", lambda *_: 0.0)
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(CATALOG)
    env = {
        "LIMNER_CATALOG": str(catalog),
        "LIMNER_OPENAI_API_KEY": KEY,
        "LIMNER_OPENAI_BASE_URL": peer_of("openai").base_url,
    }
    async with serving(tmp_path / "data", sqlite_url, env=env) as service:
        yield service


MODEL = "openai:gpt-image-2"


async def test_a_fallback_serves_openly_and_at_the_price_of_the_model_asked_for(
    service: Service,
    peer_of: PeerOf,  # noqa: F811
) -> None:
    peer_of("openai").fail("server_error")
    answer = (await service.generate(modelId=MODEL)).json()
    image = answer["image"]
    assert (image["modelId"], image["providerId"], image["servedBy"]) == (MODEL, "limner", "sketch")
    assert image["warnings"] == [
        f"{MODEL} could not serve (upstream_unavailable); limner:sketch made this picture instead."
    ]
    assert answer["credits"]["charged"] == 5
    assert await service.audit() == []


async def test_after_moderation_there_is_no_fallback(
    service: Service,
    peer_of: PeerOf,  # noqa: F811
) -> None:
    peer_of("openai").fail("refusal")
    answer = await service.generate(modelId=MODEL)
    assert answer.json()["error"]["code"] == "moderation_blocked"
    assert service.stage.seen == []


async def test_what_the_fallback_cannot_do_it_is_not_asked_for(
    service: Service,
    peer_of: PeerOf,  # noqa: F811
) -> None:
    peer_of("openai").fail("server_error")
    answer = await service.generate(modelId=MODEL, aspectRatio="3:1")
    assert answer.json()["error"]["code"] == "upstream_unavailable"
    assert service.stage.seen == []
