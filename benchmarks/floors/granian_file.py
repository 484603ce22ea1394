"""Granian sends one file by the ASGI extension made for that (pathsend)."""

import os
import sys

from granian import Granian
from granian.constants import Interfaces

SIZE = str(os.path.getsize(os.environ.setdefault("BENCH_FILE", sys.argv[-1]))).encode()


async def app(scope, receive, send):
    headers = [(b"content-type", b"image/png"), (b"content-length", SIZE)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.pathsend", "path": os.environ["BENCH_FILE"]})


if __name__ == "__main__":
    Granian(f"{__file__}:app", port=int(sys.argv[1]), interface=Interfaces.ASGI, log_enabled=False).serve()
