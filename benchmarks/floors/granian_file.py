"""Granian sends one file by the ASGI extension made for that (pathsend)."""

import os
import sys

from granian import Granian
from granian.constants import Interfaces


async def app(scope, receive, send):
    path = os.environ["BENCH_FILE"]
    size = str(os.path.getsize(path)).encode()
    headers = [(b"content-type", b"image/png"), (b"content-length", size)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.pathsend", "path": path})


if __name__ == "__main__":
    os.environ["BENCH_FILE"] = os.environ.get("BENCH_FILE") or sys.argv[2]
    Granian(f"{__file__}:app", port=int(sys.argv[1]), interface=Interfaces.ASGI, log_enabled=False).serve()
