"""JSON in and out: orjson, and the coded error for a body that is none."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from limner.errors import Detail, InvalidRequest


class Json(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


async def body_of(request: Request) -> Any:
    """The body as data; raises InvalidRequest for broken JSON (unpaired surrogates included)."""
    data = await request.body()
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as problem:
        what = f"is not valid JSON: {problem.msg} at character {problem.pos}"
        raise InvalidRequest(f"The body {what}.", details=[Detail("(body)", what, "json_invalid")]) from None
