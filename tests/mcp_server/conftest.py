"""A server whose suppliers are peers, for the editions that know only suppliers' models."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.providers.conftest import PeerOf, peer_of, running_peers  # noqa: F401 — fixtures
from tests.providers.suppliers import KEY
from tests.service import Service, serving

from limner.images import attempt


@pytest.fixture
async def supplied(
    tmp_path: Path,
    sqlite_url: str,
    peer_of: PeerOf,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Service]:
    monkeypatch.setattr(attempt, "_delay_seconds", lambda *_: 0.0)
    env: dict[str, str] = {}
    for name in ("openai", "google", "openrouter"):
        env |= {f"LIMNER_{name.upper()}_BASE_URL": peer_of(name).base_url, f"LIMNER_{name.upper()}_API_KEY": KEY}
    async with serving(tmp_path / "data", sqlite_url, env=env) as service:
        yield service
