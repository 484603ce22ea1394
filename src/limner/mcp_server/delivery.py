"""Learns whether the answer to a call reached its caller: what got lost on the way may be adopted, not paid for again."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from limner.http.disconnects import is_gone
from limner.images.beginning import Started
from limner.images.service import Images

_WHERE_RESULTS_BEGIN = 400
"""A JSON-RPC response says so within its first bytes, in a stream of events too."""


class Delivery:
    """Stands round the transport. Tools note under `limner.outcomes` of the scope which outcomes they hand back."""

    def __init__(self, app: ASGIApp, images: Images) -> None:
        self._app = app
        self._images = images

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        outcomes: list[Started] = []
        scope["limner.outcomes"] = outcomes
        arrived = False

        async def noting(message: Message) -> None:
            nonlocal arrived
            if not outcomes or not _holds_result(message):
                await send(message)
                return
            gone_before = await is_gone(receive)
            await send({**message, "more_body": True})
            arrived = not gone_before and not await is_gone(receive)
            if not message.get("more_body", False):
                await send({"type": "http.response.body", "body": b""})

        try:
            await self._app(scope, receive, noting)
        finally:
            for started in outcomes:
                self._images.handed_over(started, arrived=arrived)


def _holds_result(message: Message) -> bool:
    return message["type"] == "http.response.body" and b'"result":' in message.get("body", b"")[:_WHERE_RESULTS_BEGIN]
