"""JSON in and out: orjson, bytes that are sent as they are read, and the coded error for a body that is none."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from secrets import token_hex
from typing import Any

import orjson
import pybase64
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from limner.errors import Detail, InvalidRequest, UnsupportedMedia

WHAT_CURL_SAYS = "application/x-www-form-urlencoded"
"""Of whatever it sends with `-d`: JSON is taken all the same."""


class Json(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


class Base64:
    """Stands in data for the base64 of bytes that are read only while they are sent. (A dataclass would be JSON itself.)"""

    def __init__(self, pieces: AsyncGenerator[bytes], size_bytes: int) -> None:
        self.pieces = pieces
        self.size_bytes = size_bytes


class StreamedJson(Response):
    """JSON with `Base64` in it: of a large picture there is never more than a piece in memory."""

    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self._pictures: list[Base64] = []
        mark = token_hex(16)

        def stand_in(value: Any) -> str:
            if not isinstance(value, Base64):
                raise TypeError(f"{type(value).__name__} is no JSON")
            self._pictures.append(value)
            return mark

        self._texts = orjson.dumps(content, default=stand_in).split(mark.encode())
        length = sum(map(len, self._texts)) + sum((each.size_bytes + 2) // 3 * 4 for each in self._pictures)
        super().__init__(status_code=status_code, headers={**(headers or {}), "Content-Length": str(length)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for text, picture in zip(self._texts, self._pictures, strict=False):
            await send({"type": "http.response.body", "body": text, "more_body": True})
            async with aclosing(_encoded(picture.pieces)) as encoded:
                async for piece in encoded:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": self._texts[-1]})
        if self.background is not None:
            await self.background()


async def _encoded(pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Base64 of the pieces together: three bytes are four characters, so a rest waits for the next piece."""
    rest = b""
    async with aclosing(pieces):
        async for piece in pieces:
            joined = rest + piece if rest else piece
            whole = len(joined) // 3 * 3
            rest = joined[whole:]
            yield pybase64.b64encode(memoryview(joined)[:whole])
    if rest:
        yield pybase64.b64encode(rest)


async def body_of(request: Request) -> Any:
    """The body as data; raises UnsupportedMedia for what says it is no JSON, and InvalidRequest for broken JSON
    (unpaired surrogates included)."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in ("", WHAT_CURL_SAYS) and not media.endswith(("/json", "+json")):
        raise _not_json(media)
    data = await request.body()
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as problem:
        if media == WHAT_CURL_SAYS:
            raise _not_json(media) from None
        what = f"is not valid JSON: {problem.msg} at character {problem.pos}"
        raise InvalidRequest(f"The body {what}.", details=[Detail("(body)", what, "json_invalid")]) from None


def _not_json(media: str) -> UnsupportedMedia:
    return UnsupportedMedia(
        f"The body is said to be {media[:100]}, and here it has to be JSON.",
        next_step="Send JSON with the header 'Content-Type: application/json'.",
    )
