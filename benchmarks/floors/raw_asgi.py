"""The floor under every HTTP server in Python: uvicorn and an application that says one thing."""

import sys

import uvicorn

BODY = b'{"userId":"0199d0f0-0000-7000-8000-000000000000","email":"owner@example.org","creditBalance":100}'
HEAD = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())],
}


async def app(scope, receive, send):
    await send(HEAD)
    await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, lifespan="off", server_header=False)
