"""A mail server on loopback: takes what it is sent and remembers it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import cast


class MailServer:
    def __init__(self) -> None:
        self.url = ""
        self._letters: asyncio.Queue[EmailMessage] = asyncio.Queue()

    async def letter(self) -> EmailMessage:
        """The next letter that arrives."""
        return await asyncio.wait_for(self._letters.get(), 10)

    @property
    def is_empty(self) -> bool:
        return self._letters.empty()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 loopback\r\n")
        while line := await reader.readline():
            verb = line.split(None, 1)[0].upper().rstrip()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                data = await reader.readuntil(b"\r\n.\r\n")
                await self._letters.put(cast("EmailMessage", message_from_bytes(data[:-5], policy=default)))
            writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 fine\r\n")
            await writer.drain()
            if verb == b"QUIT":
                break
        writer.close()


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    peer = MailServer()
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    peer.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}?from=Limner <limner@example.org>"
    async with server:
        yield peer
