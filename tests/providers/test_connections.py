"""Connections to suppliers: kept for the next order, secure, patient with large bodies, and honest about what was sent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpcore2
import httpx2
import pytest
from tests.peers.https import Authority, Request, authority, https_peer  # noqa: F401

from limner.providers.connections import FAILURES, NEVER_LEFT, SupplierTransport

BODY = bytes(range(256)) * 20_000


@dataclass(slots=True)
class Supplier:
    """Speaks plain HTTP on loopback and counts who connects."""

    port: int = 0
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/images"


Exchange = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def supplier(exchange: Exchange) -> AsyncIterator[Supplier]:
    """`exchange` is one request and its answer, again and again until it closes or raises."""
    peer = Supplier()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer.connections += 1
        try:
            while not writer.is_closing():
                await exchange(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # hung up
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()


async def ask(reader: asyncio.StreamReader) -> bytes:
    """Takes a request; its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    return await reader.readexactly(length)


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(await ask(reader)))
    await writer.drain()


def kept(client: httpx2.AsyncClient) -> list[httpcore2.AsyncConnectionInterface]:
    return client._transport._pool.connections


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(transport=SupplierTransport(), timeout=20) as pool:
        yield pool


async def test_a_connection_is_kept_for_the_next_order(client: httpx2.AsyncClient) -> None:
    async with supplier(echo) as peer:
        for body in (b"one", b"two", b""):
            assert (await client.post(peer.url, content=body)).content == body
        assert peer.connections == 1


async def test_large_bodies_arrive_whole_both_ways(client: httpx2.AsyncClient) -> None:
    async with supplier(echo) as peer:
        assert (await client.post(peer.url, content=BODY)).content == BODY


async def test_a_supplier_waits_for_a_slow_reader(client: httpx2.AsyncClient) -> None:
    async with supplier(echo) as peer, client.stream("POST", peer.url, content=BODY) as response:
        pieces = []
        async for piece in response.aiter_bytes():
            pieces.append(piece)
            await asyncio.sleep(0)
    assert b"".join(pieces) == BODY


async def test_a_connection_the_supplier_has_closed_meanwhile_is_not_used_again(client: httpx2.AsyncClient) -> None:
    closed = asyncio.Event()

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await echo(reader, writer)
        writer.close()
        await writer.wait_closed()
        closed.set()

    async with supplier(once) as peer:
        for number in (1, 2):
            assert (await client.post(peer.url, content=b"x")).content == b"x"
            await closed.wait()
            closed.clear()
            while any(connection.is_available() and not connection.has_expired() for connection in kept(client)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # the end crosses loopback
            assert peer.connections == number


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"])
async def test_a_supplier_that_hangs_up_may_have_been_paid(client: httpx2.AsyncClient, said: bytes) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ask(reader)
        writer.write(said)
        writer.close()

    async with supplier(hang_up) as peer:
        with pytest.raises(FAILURES) as failed:
            await client.post(peer.url, content=b"x")
        assert not isinstance(failed.value, NEVER_LEFT)
        assert peer.connections == 1


async def test_where_nobody_listens_nothing_was_sent(client: httpx2.AsyncClient) -> None:
    async with supplier(echo) as peer:
        pass
    for url in (peer.url, "http://nowhere.invalid/"):
        with pytest.raises(NEVER_LEFT):
            await client.post(url, content=b"x")


async def test_a_name_is_reached_at_whichever_of_its_addresses_answers(client: httpx2.AsyncClient) -> None:
    """`localhost` is ::1 as well on many machines, and this supplier listens on 127.0.0.1 alone."""
    async with supplier(echo) as peer:
        assert (await client.post(f"http://localhost:{peer.port}/", content=b"x")).content == b"x"


async def test_tls_is_spoken_with_whom_the_authority_vouches_for(authority: Authority) -> None:  # noqa: F811
    async def say(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(request.body * 2))
        await writer.drain()

    async with https_peer(authority) as peer:
        peer.answer = say
        url = f"https://127.0.0.1:{peer.port}/images"
        async with httpx2.AsyncClient(transport=SupplierTransport(authority.client)) as client:
            assert (await client.post(url, content=BODY)).content == BODY * 2
        async with httpx2.AsyncClient(transport=SupplierTransport()) as client:
            with pytest.raises(NEVER_LEFT, match="certificate"):
                await client.post(url, content=b"x")
        assert len(peer.requests) == 1
