"""Google's Gemini API as of November 2026: `generateContent` with pictures, and refusals that are HTTP 200."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from tests.peers.peer import Peer, Received, json
from tests.peers.pictures import NOT_A_PICTURE, encoded, picture

RETIRED = {"gemini-3-pro-image-preview", "gemini-3.1-flash-image-preview"}
USAGE = {"promptTokenCount": 9, "candidatesTokenCount": 1120, "thoughtsTokenCount": 370, "totalTokenCount": 1499}
EDGE = {"1K": 1024, "2K": 2048, "4K": 4096}


class GooglePeer(Peer):
    def routes(self) -> list[BaseRoute]:
        return [Route("/{version}/models/{model}:generateContent", self.make, methods=["POST"])]

    async def make(self, request: Request) -> Response:
        order = await self.keep(request)
        fault = self.next_fault()
        model = request.path_params["model"]
        if model in RETIRED:
            fault = "retired"
        return await self.common_fault(fault) or _refusal(fault) or json(_answer(fault, model, order))


def _refusal(fault: str) -> Response | None:
    match fault:
        case "rate_limited":
            return _error(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted.")
        case "rate_limited_with_delay":
            delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
            return _error(429, "RESOURCE_EXHAUSTED", "Please retry in 7s.", delay)
        case "quota":
            quota = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel", "quotaValue": "250"}
            details = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [quota]}
            return _error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", details)
        case "bad_key":
            info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            return _error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", info)
        case "not_permitted":
            return _error(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")
        case "retired":
            return _error(404, "NOT_FOUND", "models/gone is not found for API version v1.")
        case "invalid":
            return _error(400, "INVALID_ARGUMENT", "Unsupported aspect ratio.")
        case "server_error":
            return _error(500, "INTERNAL", "An internal error has occurred.")
        case "overloaded":
            return _error(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
        case "gateway_timeout":
            return _error(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.")
        case _:
            return None


def _answer(fault: str, model: str, order: Received) -> dict[str, Any]:
    body = {"modelVersion": model, "responseId": "peer-response", "usageMetadata": USAGE}
    if fault == "refusal":
        return {**body, "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
    if fault == "no_data":
        return body
    return {**body, "candidates": [_candidate(fault, order)]}


def _candidate(fault: str, order: Received) -> dict[str, Any]:
    if fault.isupper():  # any finishReason that comes without a picture
        return {"finishReason": fault, "finishMessage": f"Stopped: {fault.lower()}.", "content": {}}
    match fault:
        case "output_refusal":
            return {"finishReason": "IMAGE_SAFETY", "finishMessage": "Unable to show the generated image."}
        case "text_only":
            parts: list[dict[str, Any]] = [{"text": "I would rather describe it."}]
        case "only_thoughts":
            parts = [{**_inline(picture(8, 8)), "thought": True}]
        case "empty":
            parts = [{"inlineData": {"mimeType": "image/png", "data": ""}}]
        case "not_base64":
            parts = [{"inlineData": {"mimeType": "image/png", "data": "@@@ not base64 @@@"}}]
        case "not_a_picture":
            parts = [_inline(NOT_A_PICTURE)]
        case _:
            draft = {**_inline(picture(8, 8, colour="red")), "thought": True}
            parts = [{"text": "Planning the picture", "thought": True}, draft, _inline(_finished(order))]
    return {"finishReason": "STOP", "content": {"role": "model", "parts": parts}}


def _finished(order: Received) -> bytes:
    """The longer edge follows `imageSize`, the ratio `aspectRatio`; Gemini sends JPEG."""
    config = order.body["generationConfig"].get("imageConfig", {})
    across, _, down = config.get("aspectRatio", "1:1").partition(":")
    edge, ratio = EDGE[config.get("imageSize", "1K")], int(across) / int(down)
    width, height = (edge, round(edge / ratio)) if ratio >= 1 else (round(edge * ratio), edge)
    return picture(width, height, "JPEG")


def _inline(data: bytes) -> dict[str, Any]:
    return {"inlineData": {"mimeType": "image/jpeg", "data": encoded(data)}}


def _error(status: int, name: str, message: str, *details: dict[str, Any]) -> Response:
    return json({"error": {"code": status, "message": message, "status": name, "details": list(details)}}, status)
