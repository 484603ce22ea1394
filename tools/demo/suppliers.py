"""The suppliers' stand-ins of the tests, which here paint what they are asked for instead of one colour."""

import asyncio
import hashlib
import io
from collections import Counter
from typing import Any

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from tests.peers import bfl, google, openai
from tests.peers.peer import Received, json
from tests.peers.pictures import encoded
from tools.demo.clock import Calendar

from limner.providers.sketches.draw import Order, draw

_asked: Counter[str] = Counter()


def painted(prompt: str, width: int, height: int, kind: str) -> bytes:
    """A picture of these words, another one each time."""
    _asked[prompt] += 1
    seed = int.from_bytes(hashlib.sha256(f"{_asked[prompt]} {prompt}".encode()).digest()[:6], "big")
    *_, last = draw(Order(prompt, seed, width, height, detail=2))
    out = io.BytesIO()
    picture: Image.Image = last.picture
    picture.convert("RGB").save(out, kind, quality=92)
    return out.getvalue()


class PaintingOpenAI(openai.OpenAIPeer):
    """Refuses what `refused` stands in, and keeps whoever asks for `waiting` waiting."""

    refused = "celebrity"
    waiting = "never finished"

    def __init__(self, calendar: Calendar) -> None:
        super().__init__()
        self._calendar = calendar

    async def make(self, request: Request) -> Response:
        order = await self.keep(request)
        prompt = str(order.body["prompt"])
        if self.refused in prompt:
            return self._refusal("refusal", order) or Response(status_code=500)
        if self.waiting in prompt:
            await asyncio.Event().wait()
        self._calendar.spend(7 + len(prompt) % 6)
        return await asyncio.to_thread(self._picture, "", order)

    def _picture(self, fault: str, order: Received) -> Response:
        width, _, height = str(order.body.get("size", "1024x1024")).partition("x")
        kind = str(order.body.get("output_format", "png")).upper()
        data = encoded(painted(str(order.body["prompt"]), int(width), int(height), kind))
        return json({"created": 1, "data": [{"b64_json": data}], "usage": openai.USAGE})


class PaintingGoogle(google.GooglePeer):
    def __init__(self, calendar: Calendar) -> None:
        super().__init__()
        self._calendar = calendar

    async def make(self, request: Request) -> Response:
        order = await self.keep(request)
        self._calendar.spend(6.4)
        return json(await asyncio.to_thread(_google_answer, request.path_params["model"], order))


def _google_answer(model: str, order: Received) -> dict[str, Any]:
    config = order.body["generationConfig"].get("imageConfig", {})
    across, _, down = config.get("aspectRatio", "1:1").partition(":")
    edge, ratio = google.EDGE[config.get("imageSize", "1K")], int(across) / int(down)
    width, height = (edge, round(edge / ratio)) if ratio >= 1 else (round(edge * ratio), edge)
    words = " ".join(part["text"] for part in order.body["contents"][-1]["parts"] if "text" in part)
    inline = {"mimeType": "image/jpeg", "data": encoded(painted(words, width, height, "JPEG"))}
    content = {"role": "model", "parts": [{"inlineData": inline}]}
    candidates = [{"finishReason": "STOP", "content": content}]
    return {"modelVersion": model, "responseId": "demo", "usageMetadata": google.USAGE, "candidates": candidates}


class PaintingBFL(bfl.BFLPeer):
    def __init__(self, calendar: Calendar) -> None:
        super().__init__()
        self._calendar = calendar

    async def deliver(self, request: Request) -> Response:
        await self.keep(request)
        _, order = self._orders[request.path_params["id"]]
        self._calendar.spend(3.1)
        kind = str(order.body.get("output_format", "jpeg"))
        size = int(order.body.get("width", 1024)), int(order.body.get("height", 1024))
        data = await asyncio.to_thread(painted, str(order.body["prompt"]), *size, kind.upper())
        return Response(data, media_type=f"image/{kind}")
