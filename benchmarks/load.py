"""A load generator that costs little itself: keep-alive connections, prepared requests, one answer after the other."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import httptools

ANSWER_SECONDS = 120


class Failed(Exception):
    """An answer that was not 200, or none."""


def request(path: str, *, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """A whole request: POST with a body, GET without one."""
    lines = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", "Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True, slots=True)
class Load:
    """How it went: seconds each request took, and bytes received in all."""

    latencies: list[float]
    received_bytes: int
    seconds: float

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds


def send(port: int, requests: Sequence[bytes], *, count: int, connections: int = 8) -> Load:
    """`count` requests, the given ones in turn, over that many connections; raises Failed."""
    return asyncio.run(_send(port, requests, count, connections))


async def _send(port: int, requests: Sequence[bytes], count: int, connections: int) -> Load:
    loop = asyncio.get_running_loop()
    host = f"127.0.0.1:{port}".encode()
    left = [each.replace(b"{host}", host, 1) for each in (requests[n % len(requests)] for n in range(count))]
    began = loop.time()
    callers = []
    for _ in range(min(connections, count)):
        _, caller = await loop.create_connection(lambda: _Caller(left), "127.0.0.1", port)
        callers.append(caller)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await asyncio.gather(*(caller.done for caller in callers))
    finally:
        for caller in callers:
            caller.transport.close()
    seconds = loop.time() - began
    return Load([each for caller in callers for each in caller.latencies], sum(c.received for c in callers), seconds)


class _Caller(asyncio.Protocol):
    """One connection, which takes the next request from `left` when an answer is complete."""

    def __init__(self, left: list[bytes]) -> None:
        self._left = left
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self._loop.create_future()
        self.latencies: list[float] = []
        self.received = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self._body = self._body if len(self._body) > 500 else self._body + data
        self._parser.feed_data(data)

    def connection_lost(self, problem: Exception | None) -> None:
        self._fail(f"the server hung up: {problem}")

    def on_message_complete(self) -> None:
        """Told by the parser."""
        if (status := self._parser.get_status_code()) != 200:
            self._fail(f"status {status}: {self._body[:1000]!r}")
            return
        self.latencies.append(self._loop.time() - self._sent_at)
        self._loop.call_soon(self._next)

    def _next(self) -> None:
        if not self._left:
            if not self.done.done():
                self.done.set_result(None)
            return
        self._parser = httptools.HttpResponseParser(self)
        self._body = b""
        self._sent_at = self._loop.time()
        self.transport.write(self._left.pop())

    def _fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(Failed(reason))
