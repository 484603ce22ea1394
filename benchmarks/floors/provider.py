"""A supplier with OpenAI's image API that answers at once: PORT and the size of its picture in bytes, or `hang` for never."""

import asyncio
import base64
import io
import json
import os
import sys

import uvicorn
from PIL import Image


def picture(size_bytes: int) -> bytes:
    """Noise does not compress: a PNG of about that many bytes."""
    side = max(8, round((size_bytes / 3) ** 0.5))
    out = io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(out, "PNG", compress_level=1)
    return out.getvalue()


class Provider:
    def __init__(self, size: str) -> None:
        self._hangs = size == "hang"
        data = b"" if self._hangs else picture(int(size))
        self._answer = json.dumps({"created": 1, "data": [{"b64_json": base64.b64encode(data).decode()}]}).encode()

    async def __call__(self, scope, receive, send):
        while (await receive()).get("more_body", False):
            pass
        body = b'{"object":"list","data":[]}'
        if scope["method"] == "POST":
            if self._hangs:
                await asyncio.Event().wait()
            body = self._answer
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(
        Provider(sys.argv[2]),
        port=int(sys.argv[1]),
        log_level="error",
        access_log=False,
        lifespan="off",
        timeout_keep_alive=75,
    )
