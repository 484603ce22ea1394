"""OpenRouter as of November 2026: the images API, its discovery, and the chat wire."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from tests.peers.peer import Peer, Received, events, json
from tests.peers.pictures import NOT_A_PICTURE, encoded, picture

USAGE = {"prompt_tokens": 12, "completion_tokens": 1120, "total_tokens": 1132, "cost": 0.0672}
CHAT_ONLY = {"openai/gpt-5-image"}
RETIRED = {"gone/model"}
EDGE = {"512": 512, "1K": 1024, "2K": 2048, "4K": 4096}

MODELS: list[dict[str, Any]] = [
    {
        "id": "sourceful/riverflow-v2",
        "name": "Sourceful: Riverflow V2",
        "description": "Editing with fonts.",
        "created": 1_790_000_000,
        "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["image"]},
        "endpoints": "/api/v1/images/models/sourceful/riverflow-v2/endpoints",
        "supports_streaming": False,
        "supported_parameters": {
            "aspect_ratio": {"type": "enum", "values": ["1:1", "16:9", "auto"]},
            "resolution": {"type": "enum", "values": ["512", "1K", "2K"]},
            "quality": {"type": "enum", "values": ["auto", "low", "medium", "high"]},
            "output_format": {"type": "enum", "values": ["png", "svg"]},
            "seed": {"type": "boolean"},
            "n": {"type": "range", "min": 1, "max": 1},
            "input_references": {"type": "range", "min": 0, "max": 10},
        },
    },
    {
        "id": "unpriced/model",
        "name": "Unpriced",
        "description": "",
        "created": 1_790_000_000,
        "architecture": {"input_modalities": ["text"], "output_modalities": ["image"]},
        "endpoints": "/api/v1/images/models/unpriced/model/endpoints",
        "supports_streaming": False,
        "supported_parameters": {},
    },
]
PRICES: dict[str, list[dict[str, Any]]] = {
    "sourceful/riverflow-v2": [
        {"billable": "output_image", "unit": "image", "cost_usd": 0.15},
        {"billable": "input_reference", "unit": "image", "cost_usd": 0.01},
    ],
    "unpriced/model": [],
}


class OpenRouterPeer(Peer):
    @property
    def base_url(self) -> str:
        return f"{self.origin}/api/v1"

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/api/v1/images", self.make, methods=["POST"]),
            Route("/api/v1/images/models", self.models),
            Route("/api/v1/images/models/{author}/{slug}/endpoints", self.endpoints),
            Route("/api/v1/chat/completions", self.chat, methods=["POST"]),
        ]

    async def models(self, request: Request) -> Response:
        await self.keep(request)
        return await self.common_fault(self.next_fault()) or json({"data": MODELS})

    async def endpoints(self, request: Request) -> Response:
        await self.keep(request)
        model = "{author}/{slug}".format(**request.path_params)
        facts = {"provider_name": "Peer", "provider_slug": "peer", "provider_tag": None, "supports_streaming": False}
        endpoint = {**facts, "allowed_passthrough_parameters": [], "supported_parameters": {}, "pricing": PRICES[model]}
        return json({"id": model, "endpoints": [endpoint]})

    async def make(self, request: Request) -> Response:
        order = await self.keep(request)
        if order.body["model"] in CHAT_ONLY | RETIRED:
            return _error(404, "No endpoints found for this model.")
        fault = self.next_fault()
        return await self.common_fault(fault) or _refusal(fault) or _picture(fault, order)

    async def chat(self, request: Request) -> Response:
        order = await self.keep(request)
        if order.body["model"] in RETIRED:
            return _error(404, "No endpoints found for this model.")
        fault = self.next_fault()
        return await self.common_fault(fault) or _refusal(fault) or json(_chat_answer(fault, order))


def _refusal(fault: str) -> Response | None:
    match fault:
        case "refusal":
            flags = {"reasons": ["violence"], "flagged_input": "a …", "provider_name": "OpenAI"}
            return _error(403, "Your chosen model requires moderation and your input was flagged.", flags)
        case "upstream_refusal":
            raw = '{"error":{"code":"moderation_blocked","message":"Rejected by the safety system."}}'
            return _error(400, "Provider returned error", {"raw": raw, "provider_name": "OpenAI"})
        case "rate_limited":
            return _error(429, "Rate limit exceeded.")
        case "rate_limited_with_delay":
            return _error(429, "Rate limit exceeded.", headers={"retry-after": "7"})
        case "quota":
            return _error(402, "Insufficient credits.")
        case "bad_key":
            return _error(401, "No auth credentials found.")
        case "not_permitted":
            return _error(403, "This key may not use this model.")
        case "retired":
            return _error(404, "No endpoints found for this model.")
        case "invalid":
            return _error(400, "aspect_ratio is not supported.")
        case "server_error":
            return _error(500, "Internal Server Error")
        case "overloaded":
            return _error(529, "Provider overloaded.")
        case "gateway_timeout":
            return _error(524, "A timeout occurred.")
        case "error_in_200":
            return json({"error": {"code": 502, "message": "Provider returned error", "metadata": {}}})
        case _:
            return None


def _picture(fault: str, order: Received) -> Response:
    data = encoded(NOT_A_PICTURE if fault == "not_a_picture" else _finished(order.body))
    if order.body.get("stream"):
        return _stream(fault, data)
    first = {"b64_json": {"empty": "", "not_base64": "@@@"}.get(fault, data), "media_type": "image/png"}
    body = {"created": 1, "data": [] if fault == "no_data" else [first], "usage": USAGE}
    return json(body, headers={"x-generation-id": "gen-peer"})


def _stream(fault: str, data: str) -> Response:
    partial = {"type": "image_generation.partial_image", "b64_json": data, "partial_image_index": 0}
    text = {"type": "image_generation.text_chunk", "phase": "reasoning", "text": "Thinking."}
    if fault == "endless":
        return events(partial)
    if fault == "stream_error":
        return events(partial, {"type": "error", "error": {"message": "Provider failed.", "code": "server_error"}})
    last = {"empty": "", "not_base64": "@@@", "no_data": None}.get(fault, data)
    done = {"type": "image_generation.completed", "b64_json": last, "created": 1, "usage": USAGE}
    return events(text, partial, {**done, "media_type": "image/png"})


def _chat_answer(fault: str, order: Received) -> dict[str, Any]:
    config = order.body.get("image_config", {})
    asked = {"aspect_ratio": config.get("aspect_ratio"), "resolution": config.get("image_size")}
    url = f"data:image/png;base64,{encoded(_finished(asked))}"
    message: dict[str, Any] = {"role": "assistant", "content": "Here it is.", "refusal": None, "reasoning": None}
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "native_finish_reason": "STOP", "logprobs": None}
    match fault:
        case "content_filter":
            choice |= {"finish_reason": "content_filter", "native_finish_reason": "IMAGE_SAFETY"}
        case "empty" | "no_data":
            pass
        case "image_elsewhere":
            message["images"] = [{"type": "image_url", "image_url": {"url": "http://127.0.0.1:9/picture.png"}}]
        case _:
            message["images"] = [{"type": "image_url", "image_url": {"url": url}}]
    facts = {"id": "gen-chat", "object": "chat.completion", "created": 1, "model": order.body["model"]}
    return {**facts, "system_fingerprint": None, "choices": [{**choice, "message": message}], "usage": USAGE}


def _finished(asked: dict[str, Any]) -> bytes:
    if "size" in asked:
        width, _, height = asked["size"].partition("x")
        return picture(int(width), int(height))
    across, _, down = (asked.get("aspect_ratio") or "1:1").partition(":")
    edge, ratio = EDGE[asked.get("resolution") or "1K"], int(across) / int(down)
    return picture(*((edge, round(edge / ratio)) if ratio >= 1 else (round(edge * ratio), edge)))


def _error(
    status: int, message: str, metadata: dict[str, Any] | None = None, headers: dict[str, str] | None = None
) -> Response:
    return json({"error": {"code": status, "message": message, "metadata": metadata or {}}}, status, headers)
