"""Connections to suppliers: the library's pool and protocol (httpcore2) over asyncio's own transports.

Its own connections go through anyio, which costs a third of a whole exchange: a cancel scope for each read and write, and
a look at the socket whenever a connection is taken or given back.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable
from socket import SOCK_STREAM
from typing import Any, cast

import httpcore2
import httpx2
from httpcore2 import SOCKET_OPTION, AsyncNetworkBackend, AsyncNetworkStream

CONNECT_SECONDS = 5.0
IDLE_CONNECTIONS = 32

_AHEAD_BYTES = 512 * 1024
"""What may have come and not been read, before the supplier is made to wait."""

FAILURES = (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException)
"""What an exchange over this transport raises."""

NEVER_LEFT = (httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.PoolTimeout)
"""Those of them after which the supplier has heard nothing."""


class SupplierTransport(httpx2.AsyncBaseTransport):
    """Keeps connections for the next order; takes no proxy from the environment and sends nothing twice."""

    def __init__(self, ssl_context: ssl.SSLContext | None = None) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=ssl_context or httpx2.create_ssl_context(trust_env=False),
            max_connections=None,
            max_keepalive_connections=IDLE_CONNECTIONS,
            keepalive_expiry=5.0,
            network_backend=_Network(),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        answer = await self._pool.handle_async_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=dict(request.extensions),
            )
        )
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._answer.aiter_stream():
            yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()


class _Network(AsyncNetworkBackend):
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the library's signature
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """Tries the addresses of a host in turn, each for its share of the time: the first may lead nowhere."""
        loop = asyncio.get_running_loop()
        failure: Exception = httpcore2.ConnectError("no address")
        try:
            async with asyncio.timeout(timeout):
                found = await loop.getaddrinfo(host, port, type=SOCK_STREAM)
                for *_, address in found:
                    try:
                        async with asyncio.timeout(timeout and timeout / len(found)):
                            return (await loop.create_connection(_Connection, str(address[0]), port))[1]
                    except TimeoutError as error:
                        failure = httpcore2.ConnectTimeout(str(error))
                    except OSError as error:
                        failure = httpcore2.ConnectError(str(error))
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        raise failure

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Connection(asyncio.Protocol, AsyncNetworkStream):
    """Both sides of one: the event loop's protocol, and the library's stream. One reader and one writer at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []
        self._ahead = 0
        self._ended = False
        self._lost: Exception | None = None
        self._heard: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None

    # --- the event loop's side ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._pieces.append(data)
        self._ahead += len(data)
        if self._ahead > _AHEAD_BYTES:
            self._transport.pause_reading()
        _wake(self._heard)

    def eof_received(self) -> None:
        self._ended = True
        _wake(self._heard)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._lost = True, exc
        _wake(self._heard)
        _wake(self._drained)

    def pause_writing(self) -> None:
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        _wake(self._drained)
        self._drained = None

    # --- the library's side ---

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """All that has come: the library's parser takes any length, and has as much work with a small piece."""
        if not self._pieces and not self._ended:
            self._heard = self._loop.create_future()
            await _within(timeout, self._heard, httpcore2.ReadTimeout)
        if not self._pieces:
            if self._lost is not None:
                raise httpcore2.ReadError(str(self._lost))
            return b""
        data = b"".join(self._pieces)
        self._pieces.clear()
        if self._ahead > _AHEAD_BYTES:
            self._transport.resume_reading()
        self._ahead = 0
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        if self._transport.is_closing():
            raise httpcore2.WriteError(str(self._lost or "the connection is closed"))
        self._transport.write(buffer)
        if self._drained is not None:
            await _within(timeout, self._drained, httpcore2.WriteTimeout)
            if self._lost is not None:
                raise httpcore2.WriteError(str(self._lost))

    async def aclose(self) -> None:
        self._transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> AsyncNetworkStream:
        try:
            transport = await self._loop.start_tls(
                self._transport, self, ssl_context, server_hostname=server_hostname, ssl_handshake_timeout=timeout
            )
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(str(error)) from error
        except OSError as error:  # ssl.SSLError and ConnectionAbortedError are
            self._transport.abort()
            raise httpcore2.ConnectError(str(error)) from error
        assert transport is not None
        self._transport = transport
        return self

    def get_extra_info(self, info: str) -> Any:
        """`is_readable` of an idle connection means that the supplier has hung up, or speaks without being asked."""
        if info == "is_readable":
            return self._ended or bool(self._pieces)
        names = {"ssl_object": "ssl_object", "socket": "socket", "client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names[info]) if info in names else None


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)


async def _within(
    seconds: float | None, future: asyncio.Future[None], failure: type[httpcore2.TimeoutException]
) -> None:
    if seconds is None:
        await future
        return
    try:
        async with asyncio.timeout(seconds):
            await future
    except TimeoutError as error:
        raise failure(str(error)) from error
