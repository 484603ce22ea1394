"""A loopback proxy that adds an API key to every request, for clients that have no option for headers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


@asynccontextmanager
async def adding_key(target: str, secret: str) -> AsyncIterator[str]:
    """The origin to give the client; what it sends reaches `target`, an origin, with the key."""
    host = urlsplit(target).netloc

    async def serve(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            head = await client.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            back.close()
            return
        server, forward = await asyncio.open_connection(*host.split(":"))
        forward.write(_with_key(head, own.encode(), host.encode(), secret.encode()))
        await asyncio.gather(_pour(client, forward), _pour(server, back))

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    own = "{}:{}".format(*listener.sockets[0].getsockname())
    async with listener:
        yield f"http://{own}"


def _with_key(head: bytes, own: bytes, host: bytes, secret: bytes) -> bytes:
    """Our own name becomes the server's; any other stays, so that a wrong host is still a wrong host there.

    One request per connection: the next one needs its key too.
    """
    request_line, *headers = head.removesuffix(b"\r\n\r\n").replace(own, host).split(b"\r\n")
    kept = [line for line in headers if not line.lower().startswith((b"connection:", b"authorization:"))]
    added = [b"Connection: close", b"Authorization: Bearer " + secret]
    return b"\r\n".join([request_line, *kept, *added, b"", b""])


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Until either side hangs up; then the other side hears of it, as it would without a proxy."""
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()
