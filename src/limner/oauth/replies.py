"""What OAuth endpoints have in common: small bodies in, JSON that nobody keeps out, callable from any web page."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from limner.http.json import Json

MOST_BYTES = 65_536
MOST_FIELDS = 50

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, MCP-Protocol-Version",
    "Access-Control-Max-Age": "86400",
}
"""None of it looks at cookies: a page of any origin can do no more than a program."""

NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class BadForm(ValueError):
    """The request cannot be read; the message says why."""


def answer(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Json(data, status, headers={**CORS, **NOT_KEPT, **(headers or {})})


def refusal(error: str, description: str, status: int = 400, headers: Mapping[str, str] | None = None) -> Response:
    """RFC 6749, section 5.2."""
    return answer({"error": error, "error_description": description}, status, headers)


async def body_of(request: Request) -> bytes:
    """The body; BadForm when it is larger than anything these endpoints take."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise BadForm(f"The body is larger than {MOST_BYTES:,} bytes.")
    return bytes(body)


async def form_of(request: Request) -> dict[str, str]:
    """A form's fields, each sent once (RFC 6749, section 3.2)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise BadForm("Send application/x-www-form-urlencoded.")
    try:
        text = (await body_of(request)).decode("ascii")
        fields = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as problem:
        raise problem if isinstance(problem, BadForm) else BadForm("The form cannot be read.") from None
    values = dict(fields)
    if len(values) != len(fields):
        raise BadForm("A field was sent twice.")
    if any("\x00" in value for value in values.values()):
        raise BadForm("A field holds a NUL character.")
    return values
