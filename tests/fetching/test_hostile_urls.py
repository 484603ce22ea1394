"""A user's URL must not make our server knock on a door of its own house."""

from collections.abc import AsyncIterator

import pytest
from tests.fetching.hostile_urls import HOSTILE_URLS, NAMES
from tests.peers.https import Authority, Peer, canary, response

from limner.errors import InvalidRequest
from limner.fetching.fetcher import Fetcher
from limner.fetching.pinned import SystemResolver


async def resolve(host: str, port: int) -> list[str]:
    """Our names as scripted; everything else as the machine itself would read it."""
    return NAMES.get(host) or list(await SystemResolver()(host, port))


@pytest.fixture
async def listening() -> AsyncIterator[Peer]:
    async with canary("127.0.0.1") as v4, canary("::1", v4.port) as v6, canary("127.0.0.2", v4.port) as other:
        yield v4
        assert v4.connections + v6.connections + other.connections == 0


def is_refused(error: InvalidRequest) -> bool:
    return [(detail.path, detail.code) for detail in error.details] == [("references.0", "url_not_allowed")]


@pytest.mark.parametrize("url", HOSTILE_URLS, ids=lambda url: url[:60])
async def test_a_hostile_url_is_refused_without_a_single_connection(url: str, listening: Peer) -> None:
    fetcher = Fetcher(resolve=resolve, ports=[listening.port])
    hostile = url.replace("{port}", str(listening.port))
    with pytest.raises(InvalidRequest) as fetched:
        await fetcher.fetch(hostile, field="references.0")
    with pytest.raises(InvalidRequest) as posted:
        await fetcher.post(hostile, b"{}", {}, field="references.0")
    with pytest.raises(InvalidRequest) as checked:
        await fetcher.check_url(hostile, field="references.0")
    assert is_refused(fetched.value)
    assert is_refused(posted.value)
    assert is_refused(checked.value)
    assert "127.0.0.1" not in str(checked.value)
    await fetcher.close()


def test_there_are_many_hostile_urls() -> None:
    assert len(set(HOSTILE_URLS)) == len(HOSTILE_URLS) >= 60


async def test_the_canary_does_see_a_fetcher_that_is_allowed_to_go_there() -> None:
    async with canary("127.0.0.1") as listening:
        fetcher = Fetcher(allow=["127.0.0.0/8"], ports=[listening.port])
        with pytest.raises(InvalidRequest):
            await fetcher.fetch(f"https://127.0.0.1:{listening.port}/")
        assert listening.connections == 1


async def test_a_name_that_changes_its_address_is_pinned_to_what_was_checked(authority: Authority, peer: Peer) -> None:
    """The second answer of a rebinding name server would be internal; it is never asked a second time."""
    answers = [["127.0.0.1"], ["127.0.0.2"]]

    async def rebinding(host: str, port: int) -> list[str]:
        return answers.pop(0)

    peer.answer = response(b"picture")
    fetcher = Fetcher(allow=["127.0.0.1/32"], ports=[peer.port], ssl_context=authority.client, resolve=rebinding)
    fetched = await fetcher.fetch(f"https://files.test:{peer.port}/")
    assert fetched.data == b"picture"
    assert len(answers) == 1
    with pytest.raises(InvalidRequest, match="public address"):
        await fetcher.fetch(f"https://files.test:{peer.port}/")
    assert len(peer.requests) == 1


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.2:{port}/",
        "https://internal.test:{port}/",
        "http://files.test:{port}/",
        "//127.0.0.2:{port}/",
        "https://files.test:22/",
        "https://user@files.test:{port}/",
        "file:///etc/passwd",
        "https://[::ffff:127.0.0.2]:{port}/",
        "https://2130706434:{port}/",
    ],
)
async def test_a_redirect_is_checked_like_the_first_url(location: str, authority: Authority, peer: Peer) -> None:
    names = {"files.test": ["127.0.0.1"], "internal.test": ["127.0.0.2"]}

    async def resolve_all(host: str, port: int) -> list[str]:
        return names.get(host, [host])

    async with canary("127.0.0.2", peer.port) as internal:
        peer.answer = response(status="302 Found", location=location.replace("{port}", str(peer.port)))
        fetcher = Fetcher(allow=["127.0.0.1/32"], ports=[peer.port], ssl_context=authority.client, resolve=resolve_all)
        with pytest.raises(InvalidRequest) as refused:
            await fetcher.fetch(f"https://files.test:{peer.port}/", field="references.0")
        assert is_refused(refused.value)
        assert internal.connections == 0
    assert len(peer.requests) == 1
