"""A ComfyUI server: it queues graphs, runs them one after the other, and keeps a history."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from tests.peers.peer import Peer, Received, json
from tests.peers.pictures import NOT_A_PICTURE, picture

WORKFLOW: dict[str, Any] = {
    "workflow": {
        "3": {"class_type": "KSampler", "inputs": {"seed": 0, "steps": 20, "positive": ["6", 0]}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ""}},
        "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "limner", "images": ["8", 0]}},
        "10": {"class_type": "LoadImage", "inputs": {"image": ""}},
        "11": {"class_type": "LoadImageMask", "inputs": {"image": ""}},
    },
    "inputs": {
        "prompt": "6.text",
        "seed": ["3.seed"],
        "width": "5.width",
        "height": "5.height",
        "image": "10.image",
        "mask": "11.image",
    },
    "output": "9",
}


class ComfyUIPeer(Peer):
    def __init__(self) -> None:
        self._orders: dict[str, tuple[str, Received]] = {}
        self._running: list[str] = []
        self._looks: dict[str, int] = {}
        super().__init__()

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/upload/image", self.upload, methods=["POST"]),
            Route("/prompt", self.make, methods=["POST"]),
            Route("/history/{id}", self.history),
            Route("/queue", self.queue, methods=["GET", "POST"]),
            Route("/interrupt", self.interrupt, methods=["POST"]),
            Route("/view", self.view),
        ]

    @property
    def orders(self) -> list[Received]:
        return [request for request in super().orders if request.path == "/prompt"]

    async def upload(self, request: Request) -> Response:
        received = await self.keep(request)
        return json({"name": received.files[0][1], "subfolder": "limner", "type": "input"})

    async def make(self, request: Request) -> Response:
        order = await self.keep(request)
        fault = self.next_fault()
        # A slow order is taken at once and then never ends by itself.
        answer = None if fault == "slow" else await self.common_fault(fault)
        if (answer := answer or _refusal(fault)) is not None:
            return answer
        handle = f"prompt-{len(self._orders)}"
        self._orders[handle] = (fault, order)
        self._running = [handle]
        return json({"prompt_id": handle, "number": len(self._orders), "node_errors": {}})

    async def history(self, request: Request) -> Response:
        await self.keep(request)
        handle = request.path_params["id"]
        self._looks[handle] = self._looks.get(handle, 0) + 1
        fault, _ = self._orders.get(handle, ("lost", None))
        if fault == "slow":
            self._asked.set()
        if fault in ("slow", "lost") or self._looks[handle] == 1:
            return json({})
        return json({handle: _record(fault)})

    async def queue(self, request: Request) -> Response:
        await self.keep(request)
        running = [[0, handle, {}, {}, []] for handle in self._running if self._orders[handle][0] != "lost"]
        return json({"queue_running": running, "queue_pending": []})

    async def interrupt(self, request: Request) -> Response:
        await self.keep(request)
        self._running.clear()
        return Response()

    async def view(self, request: Request) -> Response:
        await self.keep(request)
        match request.query_params["subfolder"]:
            case "gone":
                return Response(status_code=404)
            case "not_a_picture":
                return Response(NOT_A_PICTURE, media_type="image/png")
        order = self.orders[-1].body["prompt"]
        return Response(picture(order["5"]["inputs"]["width"], order["5"]["inputs"]["height"]), media_type="image/png")


def _record(fault: str) -> dict[str, Any]:
    if fault in ("failed", "interrupted"):
        message = "execution_error" if fault == "failed" else "execution_interrupted"
        status = {"status_str": "error", "completed": False, "messages": [[message, {"node_id": "3"}]]}
        return {"outputs": {}, "status": status}
    folder = {"picture_gone": "gone", "not_a_picture": "not_a_picture"}.get(fault, "")
    saved = {"filename": "limner_00001_.png", "subfolder": folder, "type": "output"}
    preview = {"filename": "preview.png", "subfolder": "", "type": "temp"}
    outputs = {} if fault == "empty" else {"9": {"images": [preview, saved]}}
    return {"outputs": outputs, "status": {"status_str": "success", "completed": True, "messages": []}}


def _refusal(fault: str) -> Response | None:
    match fault:
        case "invalid":
            error = {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation"}
            return json({"error": error, "node_errors": {"3": {"errors": []}}}, 400)
        case "server_error":
            return Response("500 Internal Server Error", 500)
        case "overloaded":
            return Response("503 Service Unavailable", 503)
        case _:
            return None
