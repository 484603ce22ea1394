"""Where a request comes from: the peer's address, or what a trusted proxy says it saw."""

import ipaddress
import re
from collections.abc import Sequence

from starlette.types import Scope

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_WITH_PORT = re.compile(r'"?\[([0-9A-Fa-f:.]+)\](?::[0-9]+)?"?|([0-9.]+):[0-9]+')

_NEIGHBOURHOOD = 64
"""One IPv6 subscriber has a whole /64: limits count it as one address."""


class Addresses:
    """`trusted` are the proxies whose `X-Forwarded-For` counts; from anybody else it is a claim."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = trusted

    def of(self, scope: Scope) -> str:
        """The address to count by: the last hop that is no trusted proxy of ours."""
        client = scope.get("client")
        hops = [*_forwarded(scope), client[0] if client else ""]
        address = next((hop for hop in reversed(hops) if not self._is_trusted(hop)), hops[0])
        return _counted(address)

    def _is_trusted(self, text: str) -> bool:
        address = _parsed(text)
        return address is not None and any(
            address in network for network in self._trusted if network.version == address.version
        )


def _forwarded(scope: Scope) -> list[str]:
    return [
        hop.strip()
        for name, value in scope["headers"]
        if name == b"x-forwarded-for"
        for hop in value.decode("latin-1").split(",")
    ]


def _parsed(text: str) -> Address | None:
    """Some proxies add the port."""
    with_port = _WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address(next(filter(None, with_port.groups())) if with_port else text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _counted(text: str) -> str:
    address = _parsed(text)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network(f"{address}/{_NEIGHBOURHOOD}", strict=False))
    return str(address) if address is not None else "unknown"
