"""Pictures inside JSON are sent as they are read, and whoever parses the answer cannot tell."""

import base64
from collections.abc import AsyncGenerator
from typing import Any

import orjson
import pytest
from starlette.types import Message

from limner.http.json import Base64, StreamedJson

BYTES = bytes(range(256)) * 40


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 100, 10_000])
@pytest.mark.parametrize("piece", [1, 2, 3, 7, 4096])
async def test_the_answer_is_the_json_it_would_have_been(size: int, piece: int) -> None:
    picture, other = BYTES[:size], BYTES[-5:]
    shape = {"id": "1", "a": _base64(picture, piece), "more": [{"b": _base64(other, piece)}], "z": None}
    response = StreamedJson(shape, 202, headers={"Location": "/there"})

    sent = await _sent(response)

    body = b"".join(message.get("body", b"") for message in sent[1:])
    encoded = [base64.b64encode(each).decode() for each in (picture, other)]
    assert orjson.loads(body) == {"id": "1", "a": encoded[0], "more": [{"b": encoded[1]}], "z": None}
    headers = dict(sent[0]["headers"])
    assert (sent[0]["status"], headers[b"location"]) == (202, b"/there")
    assert headers[b"content-length"] == str(len(body)).encode()
    assert not sent[-1].get("more_body", False)


async def test_no_more_than_a_piece_is_sent_at_a_time() -> None:
    sent = await _sent(StreamedJson({"a": _base64(BYTES, 300)}))
    assert max(len(message.get("body", b"")) for message in sent) <= 400


async def test_data_that_is_no_json_is_a_mistake() -> None:
    with pytest.raises(TypeError):
        StreamedJson({"a": object()})


def _base64(data: bytes, piece: int) -> Base64:
    async def pieces() -> AsyncGenerator[bytes]:
        for start in range(0, len(data), piece):
            yield data[start : start + piece]

    return Base64(pieces(), len(data))


async def _sent(response: StreamedJson) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    await response({"type": "http"}, receive, send)
    return sent
