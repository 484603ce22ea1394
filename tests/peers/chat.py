"""A language model with a script: it calls `generate_image` once, and then says where the picture is.

Speaks OpenAI's chat completions and responses, the two wires that agent frameworks use.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from tests.peers.peer import Peer, json

TOOL = "generate_image"
ARGUMENTS = orjson.dumps({"prompt": "a red boat at dawn", "modelId": "limner:sketch"}).decode()
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
RESPONSES_USAGE = {
    "input_tokens": 1,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 1,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 2,
}


class ChatPeer(Peer):
    @property
    def base_url(self) -> str:
        return f"{self.origin}/v1"

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/v1/chat/completions", self.complete, methods=["POST"]),
            Route("/v1/responses", self.respond, methods=["POST"]),
        ]

    async def complete(self, request: Request) -> Response:
        body = (await self.keep(request)).body
        results = [message["content"] for message in body["messages"] if message["role"] == "tool"]
        message: dict[str, Any] = {"role": "assistant", "content": None}
        if results:
            message["content"] = _report(results[-1])
        else:
            name = _tool_name([tool["function"] for tool in body["tools"]])
            call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": ARGUMENTS}}
            message["tool_calls"] = [call]
        finish = "stop" if results else "tool_calls"
        return json(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": finish}],
                "usage": USAGE,
            }
        )

    async def respond(self, request: Request) -> Response:
        body = (await self.keep(request)).body
        results = [item["output"] for item in body["input"] if item.get("type") == "function_call_output"]
        if results:
            text = {"type": "output_text", "text": _report(results[-1]), "annotations": []}
            item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [text]}
        else:
            item = {
                "id": "fc_1",
                "type": "function_call",
                "call_id": "call_1",
                "status": "completed",
                "name": _tool_name(body["tools"]),
                "arguments": ARGUMENTS,
            }
        return json(
            {
                "id": "resp_1",
                "object": "response",
                "created_at": 1,
                "status": "completed",
                "model": body["model"],
                "output": [item],
                "parallel_tool_calls": False,
                "tool_choice": "auto",
                "tools": [],
                "usage": RESPONSES_USAGE,
            }
        )


def _tool_name(tools: list[Mapping[str, Any]]) -> str:
    """Some frameworks put the server's name in front."""
    return next(str(tool["name"]) for tool in tools if str(tool["name"]).endswith(TOOL))


def _report(result: object) -> str:
    """What a model would say that has read the tool's result, whatever shape the framework gave it."""
    found = re.search(r"http://[^\s\"'\\)]+/i/[^\s\"'\\)]+", orjson.dumps(result).decode())
    return f"The picture is at {found[0]}" if found else "I see no link."
