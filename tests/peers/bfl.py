"""Black Forest Labs' API as of November 2026: an order, polls, and a signed link to the picture."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from tests.peers.peer import Peer, Received, json
from tests.peers.pictures import NOT_A_PICTURE, picture

RETIRED = {"flux-dev"}
FAULTS_OF_THE_RESULT = {
    "refusal": "Request Moderated",
    "output_refusal": "Content Moderated",
    "failed": "Error",
    "lost": "Task not found",
}


class BFLPeer(Peer):
    def __init__(self) -> None:
        self._orders: dict[str, tuple[str, Received]] = {}
        self._polls: dict[str, int] = {}
        super().__init__()

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/v1/get_result", self.result),
            Route("/v1/{model}", self.make, methods=["POST"]),
            Route("/delivery/{id}", self.deliver),
        ]

    async def make(self, request: Request) -> Response:
        order = await self.keep(request)
        fault = self.next_fault()
        if request.path_params["model"] in RETIRED:
            fault = "retired"
        if (answer := await self.common_fault(fault) or _refusal(fault)) is not None:
            return answer
        task = f"task-{len(self._orders)}"
        self._orders[task] = (fault, order)
        polling = "https://evil.example/poll" if fault == "polls_elsewhere" else self._polling_url(task)
        return json({"id": task, "polling_url": polling, "cost": 3.0, "input_mp": 0, "output_mp": 1.0})

    async def result(self, request: Request) -> Response:
        await self.keep(request)
        task = request.query_params["id"]
        fault, _ = self._orders.get(task, ("lost", None))
        self._polls[task] = self._polls.get(task, 0) + 1
        if self._polls[task] == 1 and fault == "poll_hiccup":
            return json({"detail": "Service Unavailable"}, 503)
        if self._polls[task] == 1:
            return json({"id": task, "status": "Pending", "result": None, "progress": 0.5})
        return json(self._state(task, fault))

    async def deliver(self, request: Request) -> Response:
        await self.keep(request)
        fault, order = self._orders[request.path_params["id"]]
        if fault == "link_gone":
            return Response("<Error><Code>AccessDenied</Code></Error>", 403, media_type="application/xml")
        if fault == "not_a_picture":
            return Response(NOT_A_PICTURE, media_type="image/jpeg")
        kind = order.body.get("output_format", "jpeg")
        size = order.body.get("width", 1024), order.body.get("height", 1024)
        return Response(picture(*size, kind.upper()), media_type=f"image/{kind}")

    def _state(self, task: str, fault: str) -> dict[str, Any]:
        if status := FAULTS_OF_THE_RESULT.get(fault):
            details = {"Moderation Reasons": ["Derivative Works Filter"]} if "Moderated" in status else {}
            return {"id": task, "status": status, "result": None, "details": details}
        host = "https://evil.example" if fault == "delivers_elsewhere" else self.origin
        sample = "" if fault == "empty" else f"{host}/delivery/{task}"
        return {"id": task, "status": "Ready", "result": {"sample": sample, "seed": 7}, "progress": 1.0}

    def _polling_url(self, task: str) -> str:
        return f"{self.origin}/v1/get_result?id={task}"


def _refusal(fault: str) -> Response | None:
    match fault:
        case "rate_limited":
            return json({"detail": "Rate limit exceeded. You have too many active tasks."}, 429)
        case "rate_limited_with_delay":
            return json({"detail": "Rate limit exceeded."}, 429, {"retry-after": "7"})
        case "quota":
            return json({"detail": "Insufficient credits. 1 credit = $0.01 USD."}, 402)
        case "bad_key":
            return json({"detail": "Not authenticated - Invalid Authentication"}, 403)
        case "retired":
            return json({"detail": "Not Found"}, 404)
        case "invalid":
            detail = [{"loc": ["body", "width"], "msg": "Input should be a multiple of 16", "type": "multiple_of"}]
            return json({"detail": detail}, 422)
        case "server_error":
            return json({"detail": "Internal Server Error"}, 500)
        case "overloaded":
            return json({"detail": "Service Unavailable"}, 503)
        case _:
            return None
