"""A connection that breaks at the worst moment: a loopback proxy that passes a request on and cuts its answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass
class Cutting:
    """The next `cut_answers` answers never arrive."""

    url: str = ""
    cut_answers: int = 0


@asynccontextmanager
async def cutting(target: str) -> AsyncIterator[Cutting]:
    address = urlsplit(target)
    proxy = Cutting()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(address.hostname, address.port)
        forward = asyncio.create_task(_pump(reader, far_writer))
        try:
            while data := await far_reader.read(65536):
                if proxy.cut_answers:
                    proxy.cut_answers -= 1
                    break
                writer.write(data)
                await writer.drain()
        finally:
            forward.cancel()
            far_writer.close()
            writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield proxy


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
