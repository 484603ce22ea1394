"""Whose address a limit counts: the peer's, or what a trusted proxy says it saw, and never what a stranger claims."""

from pathlib import Path

import pytest
from tests.service import Service, serving

from limner.config import Config
from limner.http.addresses import Addresses
from limner.oauth.door import REGISTRATIONS

TRUSTED = "127.0.0.1,10.0.0.0/8,fd00::/8"


def seen(peer: str, *forwarded: str, trusted: str = TRUSTED) -> str:
    addresses = Addresses(Config.from_env({"LIMNER_TRUSTED_PROXIES": trusted}, port=1).trusted_proxies)
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    return addresses.of({"type": "http", "client": (peer, 4711), "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("127.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("127.0.0.1", ["9.9.9.9, 203.0.113.5"], "203.0.113.5"),  # the left of it is a claim
        ("127.0.0.1", ["203.0.113.5, 10.1.2.3"], "203.0.113.5"),  # a proxy behind a proxy
        ("127.0.0.1", ["9.9.9.9", "203.0.113.5"], "203.0.113.5"),  # the last header is the nearest proxy's
        ("127.0.0.1", ["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
        ("198.51.100.1", ["203.0.113.5"], "198.51.100.1"),  # who is not trusted claims nothing
        ("198.51.100.1", ["203.0.113.5, 127.0.0.1"], "198.51.100.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("::ffff:127.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("fd00::1", ["2001:db8:1:2:3::4"], "2001:db8:1:2::/64"),
        ("127.0.0.1", ["2001:db8:1:2:aaaa::1"], "2001:db8:1:2::/64"),
        ("127.0.0.1", ["203.0.113.5:4711"], "203.0.113.5"),
        ("127.0.0.1", ['"[2001:db8:1:2::9]:4711"'], "2001:db8:1:2::/64"),
        ("127.0.0.1", ["203.0.113.5, <script>"], "unknown"),
        ("127.0.0.1", ["203.0.113.5, "], "unknown"),
    ],
)
def test_the_last_hop_that_is_no_trusted_proxy_counts(peer: str, forwarded: list[str], address: str) -> None:
    assert seen(peer, *forwarded) == address


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert seen("127.0.0.1", "203.0.113.5", trusted="") == "127.0.0.1"


async def registrations(service: Service, forwarded: str) -> list[int]:
    """More of them than one address may send at once, each with a claim of its own."""
    async with service.client() as http:
        answers = [
            await http.post(
                "/oauth/register",
                json={"redirect_uris": ["https://x.example/callback"]},
                headers={"X-Forwarded-For": forwarded.format(number)},
            )
            for number in range(REGISTRATIONS.burst + 10)
        ]
    return [answer.status_code for answer in answers]


async def test_a_forged_address_does_not_get_round_the_limit(service: Service) -> None:
    assert (await registrations(service, "9.9.9.{}")).count(429) > 0


async def test_behind_a_proxy_every_caller_has_a_limit_of_their_own(tmp_path: Path, sqlite_url: str) -> None:
    async with serving(tmp_path, sqlite_url, env={"LIMNER_TRUSTED_PROXIES": "127.0.0.1"}) as service:
        assert (await registrations(service, "9.9.9.{}, 203.0.113.5")).count(429) > 0
        assert (await registrations(service, "203.0.113.5, 198.51.100.{}")).count(429) == 0
