"""A plain proxy on the loopback: every request goes to the next server in turn, and whoever hangs up, hangs up there too."""

import asyncio
from collections.abc import Sequence

import httpx2
from starlette.types import Message, Receive, Scope, Send

HOP_BY_HOP = {b"connection", b"keep-alive", b"transfer-encoding", b"content-length"}


class RoundRobin:
    def __init__(self, upstreams: Sequence[str]) -> None:
        self.upstreams = list(upstreams)
        self.taken = dict.fromkeys(upstreams, 0)
        self._turn = 0
        self._http = httpx2.AsyncClient(timeout=httpx2.Timeout(120, pool=None), limits=httpx2.Limits())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        body = await _body(receive)
        forwarding = asyncio.create_task(self._forward(scope, body, send))
        leaving = asyncio.create_task(_until_left(receive))
        await asyncio.wait([forwarding, leaving], return_when=asyncio.FIRST_COMPLETED)
        for task in (forwarding, leaving):
            task.cancel()
        await asyncio.wait([forwarding, leaving])
        if not forwarding.cancelled() and (problem := forwarding.exception()) is not None:
            raise problem

    async def close(self) -> None:
        await self._http.aclose()

    async def _forward(self, scope: Scope, body: bytes, send: Send) -> None:
        upstream = self.upstreams[self._turn % len(self.upstreams)]
        self._turn += 1
        self.taken[upstream] = self.taken.get(upstream, 0) + 1
        query = scope["query_string"].decode()
        url = f"{upstream}{scope['raw_path'].decode()}{'?' + query if query else ''}"
        headers = [(name, value) for name, value in scope["headers"] if name not in HOP_BY_HOP]
        async with self._http.stream(scope["method"], url, headers=headers, content=body) as response:
            kept = [(name.lower(), value) for name, value in response.headers.raw if name.lower() not in HOP_BY_HOP]
            await send({"type": "http.response.start", "status": response.status_code, "headers": kept})
            async for piece in response.aiter_raw():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _body(receive: Receive) -> bytes:
    pieces: list[bytes] = []
    while True:
        message: Message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


async def _until_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
