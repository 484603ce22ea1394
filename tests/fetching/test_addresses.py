"""Which addresses count as public."""

from ipaddress import ip_address

import pytest

from limner.fetching.addresses import Allowance, is_public


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.215.14", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::200e", "64:ff9b::808:808"]
)
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(ip_address(address))
    assert Allowance().admits(address)


def test_nothing_python_calls_private_is_public() -> None:
    """An address of every /15 of IPv4; Python's table and ours were written by different hands."""
    for block in range(0x8000):
        address = ip_address(block << 17 | 0x1FFFE)
        if not address.is_global or address.is_multicast or address.is_reserved:
            assert not is_public(address), address


def test_an_operator_can_open_a_network_and_no_other() -> None:
    allowance = Allowance.of(["10.1.0.0/16", "fd00::/8"], [8443])
    assert allowance.admits("10.1.2.3")
    assert allowance.admits("fd12::1")
    assert not allowance.admits("10.2.0.1")
    assert not allowance.admits("::ffff:10.1.2.3")
    assert allowance.ports == {443, 8443}


def test_a_network_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="not appear to be"):
        Allowance.of(["intranet"], [])
