"""Opens connections for users' URLs: the one place where a host becomes an address, so nothing can slip past the check."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from httpcore2 import SOCKET_OPTION, AnyIOBackend, AsyncNetworkBackend, AsyncNetworkStream, ConnectError, ConnectTimeout

from limner.fetching.addresses import Allowance
from limner.fetching.urls import UrlRefused

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""All addresses of a host, in the order to try them; OSError when there are none."""

_CONNECT_SECONDS = 5.0
_ADDRESSES_TRIED = 4


class SystemResolver:
    """What the operating system says, asked in threads of its own: a slow name server holds up nobody else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="resolve")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _getaddrinfo, host, port)
        return list(dict.fromkeys(found))


class PinnedBackend(AsyncNetworkBackend):
    """Resolves a host once, refuses it unless every address is allowed, and connects to just those addresses.

    Checking all of them, and connecting to what was checked, leaves no second look-up for a name server to lie in.
    """

    def __init__(self, allowance: Allowance, resolve: Resolver) -> None:
        self._allowance = allowance
        self._resolve = resolve
        self._network = AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the library's signature
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        failure: Exception = ConnectError("no address")
        for address in (await self.addresses(host, port))[:_ADDRESSES_TRIED]:
            try:
                return await self._network.connect_tcp(address, port, _CONNECT_SECONDS, local_address, socket_options)
            except (ConnectError, ConnectTimeout) as error:
                failure = error
        raise failure

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """All of them, checked. UrlRefused when one is not allowed, OSError when there is none."""
        self.check_port(port)
        found = await self._resolve(host, port)
        if not all(map(self._allowance.admits, found)):
            raise UrlRefused("The URL does not lead to a public address.")
        return found

    def check_port(self, port: int) -> None:
        if port not in self._allowance.ports:
            raise UrlRefused("Only port 443 is allowed.")


def _getaddrinfo(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host.encode(), port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
