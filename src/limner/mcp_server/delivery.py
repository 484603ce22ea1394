"""Brings the answer to a call to its caller, and learns whether it arrived: what got lost may be adopted, not paid again."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from limner.http.connections import is_taken
from limner.http.disconnects import is_gone
from limner.images.beginning import Started
from limner.images.service import Images

MOST_EVENT_BYTES = 900_000
"""Clients put limits on one event of a stream (the official Python client: 1 MiB), and none on a plain answer."""

_WHERE_RESULTS_BEGIN = 400
"""A JSON-RPC response says so within its first bytes, in a stream of events too."""


class Stream:
    """Whether anything of the answer was sent already, so that it can only be a stream of events."""

    def __init__(self) -> None:
        self.has_begun = False


class Delivery:
    """Stands round the transport. Tools note under `limner.outcomes` of the scope which outcomes they hand back.

    A client may close a stream as soon as it has the event with its result. So the end of the stream is written with
    it: bytes that such a client never reads would make its leaving look like a hang-up.
    """

    def __init__(self, app: ASGIApp, images: Images) -> None:
        self._app = app
        self._images = images

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (cancelled := scope.get("limner.cancelled")) is not None:
            await self._images.give_up(cancelled.caller_id, cancelled.digest)
        outcomes: list[Started] = []
        scope["limner.outcomes"] = outcomes
        answer = _Answer(scope, receive, send)
        try:
            await self._app(scope, receive, answer.send)
        finally:
            for started in outcomes:
                if answer.is_written:
                    self._images.handed_over(started, is_taken(scope))
                else:
                    self._images.lost(started)


class _Answer:
    """What the transport sends, on its way out. Its head waits for the first of its body."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._head: Message | None = None
        self._stream = scope["limner.stream"] = Stream()
        self._is_complete = False
        self.is_written = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._head = message
        elif self._head is not None:
            await self._begin(self._head, message)
        elif not self._is_complete:
            await self._go_on(message)

    async def _begin(self, head: Message, first: Message) -> None:
        self._head = None
        if _is_stream(head) and _holds_result(first) and not fits_stream(len(first["body"])):
            head, first = _plain(head, first)
        self._stream.has_begun = True
        await self._send(head)
        await self._go_on(first)

    async def _go_on(self, message: Message) -> None:
        if _holds_result(message):
            self.is_written = not await is_gone(self._receive)
            message = {**message, "more_body": False}
        self._is_complete = not message.get("more_body", False)
        await self._send(message)


def fits_stream(event_bytes: int) -> bool:
    """Whether an event so long, its frame included, may stand in a stream."""
    return event_bytes <= MOST_EVENT_BYTES


def _is_stream(head: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in head["headers"])


def _holds_result(message: Message) -> bool:
    return b'"result":' in message.get("body", b"")[:_WHERE_RESULTS_BEGIN]


def _plain(head: Message, event: Message) -> tuple[Message, Message]:
    """The one event of a stream as an answer of its own."""
    _, _, data = event["body"].partition(b"data: ")
    body = data.rstrip(b"\r\n")
    headers = [each for each in head["headers"] if each[0] not in (b"content-type", b"content-length")]
    length = str(len(body)).encode()
    headers += [(b"content-type", b"application/json"), (b"content-length", length)]
    return {**head, "headers": headers}, {**event, "body": body}
