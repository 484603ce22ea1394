"""Every supplier over its peer: how the shared suite builds one and what it asks of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
from tests.peers import comfyui
from tests.peers.bfl import BFLPeer
from tests.peers.comfyui import ComfyUIPeer
from tests.peers.compatible import CompatiblePeer
from tests.peers.google import GooglePeer
from tests.peers.openai import OpenAIPeer
from tests.peers.openrouter import OpenRouterPeer
from tests.peers.peer import Peer
from tests.peers.pictures import picture

from limner.providers.base import ImageRequest, InputImage, Provider
from limner.providers.bfl import BlackForestLabs
from limner.providers.comfyui import ComfyUI
from limner.providers.comfyui_workflow import Workflow
from limner.providers.compatible import Compatible
from limner.providers.google import Google
from limner.providers.openai import OpenAI
from limner.providers.openrouter import OpenRouter

KEY = "sk-peer-secret"
WORKFLOW = Workflow(
    graph=comfyui.WORKFLOW["workflow"],
    inputs={
        name: tuple(tuple(place.split(".")) for place in ([places] if isinstance(places, str) else places))
        for name, places in comfyui.WORKFLOW["inputs"].items()
    },
    output="9",
)


@dataclass(frozen=True, slots=True)
class Supplier:
    name: str
    peer: type[Peer]
    build: Callable[[httpx2.AsyncClient, str], Provider]
    model: str
    asks: Mapping[str, Any] = field(default_factory=dict)
    """The options of the shared request beside the prompt."""

    def request(self, **changes: Any) -> ImageRequest:
        made = ImageRequest(generation_id="gen-1", model=self.model, prompt="a fox", timeout_seconds=10)
        return replace(made, **{**self.asks, **changes})


SUPPLIERS = {
    supplier.name: supplier
    for supplier in (
        Supplier(
            "openai",
            OpenAIPeer,
            lambda pool, url: OpenAI(pool, api_key=KEY, base_url=url),
            "gpt-image-2",
            {"size_px": (96, 64)},
        ),
        Supplier(
            "google",
            GooglePeer,
            lambda pool, url: Google(pool, api_key=KEY, base_url=url),
            "gemini-3-pro-image",
            {"aspect_ratio": "3:2"},
        ),
        Supplier(
            "openrouter",
            OpenRouterPeer,
            lambda pool, url: OpenRouter(pool, api_key=KEY, base_url=url),
            "google/gemini-3-pro-image",
            {"size_px": (96, 64)},
        ),
        Supplier(
            "bfl",
            BFLPeer,
            lambda pool, url: BlackForestLabs(pool, api_key=KEY, base_url=url, poll_seconds=0.001),
            "flux-2-pro",
            {"size_px": (96, 64)},
        ),
        Supplier(
            "compatible",
            CompatiblePeer,
            lambda pool, url: Compatible(pool, base_url=url, api_key=KEY),
            "sd-cpp-local",
            {"size_px": (96, 64)},
        ),
        Supplier(
            "comfyui",
            ComfyUIPeer,
            lambda pool, url: ComfyUI(pool, base_url=url, workflow=WORKFLOW, poll_seconds=0.001),
            "workflow",
            {"size_px": (96, 64)},
        ),
    )
}


def reference(colour: str = "red") -> InputImage:
    return InputImage(picture(32, 32, colour=colour), "image/png", 32, 32)
