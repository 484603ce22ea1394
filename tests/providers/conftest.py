"""Peers that live for the whole run, a pool for each test, and suppliers built over both."""

from collections.abc import AsyncIterator, Callable, Iterator

import httpx2
import pytest
from tests.peers.peer import Peer
from tests.providers.suppliers import SUPPLIERS
from tests.providers.watching import Listening

from limner.providers.base import Provider
from limner.providers.wire import open_pool

PeerOf = Callable[[str], Peer]
ProviderOf = Callable[[str], Provider]


@pytest.fixture(scope="session")
def running_peers() -> Iterator[dict[str, Peer]]:
    peers: dict[str, Peer] = {}
    yield peers
    for peer in peers.values():
        peer.stop()


@pytest.fixture
def peer_of(running_peers: dict[str, Peer]) -> Iterator[PeerOf]:
    """The peer of a supplier by name, as if nobody had asked it anything."""

    def find(name: str) -> Peer:
        if name not in running_peers:
            running_peers[name] = SUPPLIERS[name].peer().start()
        return running_peers[name]

    yield find
    for peer in running_peers.values():
        peer.reset()


@pytest.fixture
async def pool() -> AsyncIterator[httpx2.AsyncClient]:
    async with open_pool() as pool:
        yield pool


@pytest.fixture
def provider_of(pool: httpx2.AsyncClient, peer_of: PeerOf) -> ProviderOf:
    return lambda name: SUPPLIERS[name].build(pool, peer_of(name).base_url)


@pytest.fixture
def watch() -> Listening:
    return Listening()
