"""A loopback https server, its authority, and fetchers that may or may not go there."""

from collections.abc import AsyncIterator

import pytest
from tests.peers.https import Authority, Peer, https_peer


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("tls"), ["files.test", "other.test", "127.0.0.1"])


@pytest.fixture
async def peer(authority: Authority) -> AsyncIterator[Peer]:
    async with https_peer(authority) as server:
        yield server
