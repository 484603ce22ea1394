"""OpenAI's image API as of November 2026: generations, edits, streaming, and its refusals."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from tests.peers.peer import Peer, Received, events, json
from tests.peers.pictures import NOT_A_PICTURE, encoded, picture

USAGE = {
    "input_tokens": 12,
    "input_tokens_details": {"text_tokens": 12, "image_tokens": 0},
    "output_tokens": 272,
    "output_tokens_details": {"text_tokens": 0, "image_tokens": 272},
    "total_tokens": 284,
}
RETIRED = {"gpt-image-1", "dall-e-3"}


class OpenAIPeer(Peer):
    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/v1/images/generations", self.make, methods=["POST"]),
            Route("/v1/images/edits", self.make, methods=["POST"]),
            Route("/v1/models", self.models),
        ]

    async def models(self, request: Request) -> Response:
        await self.keep(request)
        return json({"object": "list", "data": [{"id": "sd-cpp-local", "object": "model"}]})

    async def make(self, request: Request) -> Response:
        order = await self.keep(request)
        fault = self.next_fault()
        return await self.common_fault(fault) or self._refusal(fault, order) or self._picture(fault, order)

    def _refusal(self, fault: str, order: Received) -> Response | None:
        if order.body["model"] in RETIRED:
            fault = "retired"
        match fault:
            case "refusal":
                words = "Your request was rejected by the safety system. safety_violations=[violence]."
                return _error(400, "image_generation_user_error", "moderation_blocked", words)
            case "output_refusal":
                words = "The generated image was rejected by the safety system. safety_violations=[sexual]."
                return _error(400, "image_generation_user_error", "moderation_blocked", words)
            case "rate_limited":
                return _error(429, "requests", "rate_limit_exceeded", "Rate limit reached.")
            case "rate_limited_with_delay":
                return _error(429, "requests", "rate_limit_exceeded", "Rate limit reached.", {"retry-after": "7"})
            case "quota":
                return _error(429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota.")
            case "bad_key":
                words = "Incorrect API key provided: sk-peer********************cret."
                return _error(401, "invalid_request_error", "invalid_api_key", words)
            case "not_permitted":
                return _error(403, "invalid_request_error", None, "Your organization must be verified.")
            case "retired":
                return _error(404, "invalid_request_error", "model_not_found", "The model does not exist.")
            case "invalid":
                return _error(400, "invalid_request_error", "invalid_value", "Invalid size '17x17'.")
            case "server_error":
                return _error(500, "server_error", None, "The server had an error.")
            case "overloaded":
                return _error(503, "server_error", None, "The engine is overloaded.", {"retry-after": "3"})
            case "gateway_timeout":
                return Response("upstream request timeout", 504)
            case _:
                return None

    def _picture(self, fault: str, order: Received) -> Response:
        width, _, height = str(order.body.get("size", "1024x1024")).partition("x")
        kind = str(order.body.get("output_format", "png")).upper()
        made = NOT_A_PICTURE if fault == "not_a_picture" else picture(int(width), int(height), kind)
        data = encoded(made)
        if order.body.get("stream") in (True, "true"):
            return _stream(fault, order, data)
        answers = {"empty": "", "not_base64": "@@@ not base64 @@@", "no_data": None}
        first = {"b64_json": answers.get(fault, data)}
        body = {"created": 1, "data": [first] if fault != "no_data" else [], "usage": USAGE}
        return json(body, headers={"x-request-id": "req_peer"})


def _stream(fault: str, order: Received, data: str) -> Response:
    name = "image_edit" if order.path.endswith("edits") else "image_generation"
    facts = {"background": "opaque", "created_at": 1, "output_format": "png", "quality": "low", "size": "1024x1024"}
    partials = [
        {"type": f"{name}.partial_image", "b64_json": data, "partial_image_index": index, **facts}
        for index in range(int(order.body.get("partial_images", 0)))
    ]
    if fault == "endless":
        return events(*partials)
    if fault == "stream_error":
        error = {"type": "server_error", "code": "server_error", "message": "The server had an error."}
        return events(*partials, {"type": "error", "error": error})
    if fault == "stream_refusal":
        words = "The generated image was rejected by the safety system."
        error = {"type": "image_generation_user_error", "code": "moderation_blocked", "message": words}
        return events(*partials, {"type": "error", "error": error})
    last = {"empty": "", "not_base64": "@@@ not base64 @@@", "no_data": None}.get(fault, data)
    return events(*partials, {"type": f"{name}.completed", "b64_json": last, "usage": USAGE, **facts})


def _error(status: int, kind: str, code: str | None, message: str, headers: dict[str, str] | None = None) -> Response:
    return json({"error": {"message": message, "type": kind, "param": None, "code": code}}, status, headers)
