"""A gateway that adds nothing: Starlette takes the request, httpx2 sends it on, the answer goes back as it came."""

import sys

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

client = httpx2.AsyncClient(base_url=sys.argv[2], timeout=60)


async def forward(request: Request) -> Response:
    headers = {"content-type": "application/json"}
    answer = await client.post("/images/generations", content=await request.body(), headers=headers)
    return Response(answer.content, answer.status_code, media_type="application/json")


app = Starlette(routes=[Route("/v1/images/generations", forward, methods=["POST"])])

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
