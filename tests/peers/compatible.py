"""A self-hosted server with OpenAI's image API: stable-diffusion.cpp's, LocalAI's and others' ways of answering."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from tests.peers.openai import OpenAIPeer
from tests.peers.peer import Received, json
from tests.peers.pictures import picture


class CompatiblePeer(OpenAIPeer):
    def routes(self) -> list[BaseRoute]:
        return [*super().routes(), Route("/generated/{name}", self.file)]

    async def file(self, request: Request) -> Response:
        await self.keep(request)
        if request.path_params["name"] == "gone.png":
            return Response("not found", 404)
        return Response(picture(), media_type="image/png")

    def _picture(self, fault: str, order: Received) -> Response:
        addresses = {
            "url": f"{self.origin}/generated/1.png",
            "relative_url": "/generated/1.png",
            "url_gone": f"{self.origin}/generated/gone.png",
            "url_elsewhere": "http://127.0.0.1:9/generated/1.png",
        }
        if fault in addresses:
            return json({"created": 1, "data": [{"url": addresses[fault]}]})
        return super()._picture(fault, order)
