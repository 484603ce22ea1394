"""The suppliers of this server: which are configured, how many orders each takes at once, which are down."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx2

from limner.errors import ModelUnavailable
from limner.providers.base import Provider
from limner.providers.bfl import BlackForestLabs
from limner.providers.breaker import Breaker
from limner.providers.comfyui import ComfyUI
from limner.providers.comfyui_workflow import Workflow
from limner.providers.compatible import Compatible
from limner.providers.diffusers import Diffusers
from limner.providers.google import Google
from limner.providers.openai import OpenAI
from limner.providers.openrouter import OpenRouter
from limner.providers.sketch import Sketch
from limner.providers.wire import open_pool

# Orders at once: enough to use what an ordinary account allows, few enough to leave its rate limit alone.
# What runs on the operator's own hardware takes one after the other.
CONCURRENCY: Mapping[str, int] = {
    "limner": 2,
    "openai": 16,
    "google": 16,
    "openrouter": 16,
    "bfl": 16,
    "compatible": 2,
    "comfyui": 1,
    "diffusers": 1,
}

IN_PROCESS = frozenset({"limner", "diffusers"})
"""These work with the machine they run on: another machine is another place."""

POLL_SECONDS = 0.5
"""Between two looks at an order, where a supplier has to be asked."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What each supplier needs; one without its key or address is not configured."""

    openai_api_key: str | None = field(default=None, repr=False)
    openai_base_url: str = "https://api.openai.com/v1"
    google_api_key: str | None = field(default=None, repr=False)
    google_base_url: str = "https://generativelanguage.googleapis.com"
    openrouter_api_key: str | None = field(default=None, repr=False)
    openrouter_base_url: str = "https://openrouter.ai/api/v1"
    bfl_api_key: str | None = field(default=None, repr=False)
    bfl_base_url: str = "https://api.bfl.ai"
    compatible_base_url: str | None = None
    compatible_api_key: str | None = field(default=None, repr=False)
    compatible_models: tuple[str, ...] = ()
    comfyui_url: str | None = None
    comfyui_workflow: Path | None = None
    diffusers_dir: Path | None = None


class Providers:
    """All suppliers that can be used. Open one per process and close it at the end."""

    def __init__(self, settings: ProviderSettings, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises BadWorkflow where the ComfyUI workflow cannot be used."""
        self._pool = open_pool()
        self._providers = {each.name: each for each in (Sketch(), *_configured(settings, self._pool))}
        self._places = {name: asyncio.Semaphore(CONCURRENCY[name]) for name in self._providers}
        self._breakers = {name: Breaker(clock) for name in self._providers}
        self.unavailable: Mapping[str, str] = {
            name: _why_not(name, settings) for name in _MISSING if name not in self._providers
        }

    def __getitem__(self, name: str) -> Provider:
        """Raises ModelUnavailable where the supplier is not configured."""
        provider = self._providers.get(name)
        if provider is None:
            raise ModelUnavailable(f"The provider {name} cannot be used: {self.unavailable.get(name, 'unknown')}.")
        return provider

    @property
    def names(self) -> Sequence[str]:
        return tuple(self._providers)

    @property
    def hands(self) -> Mapping[str, int]:
        """How many orders of each supplier this process has under way at once."""
        return {name: CONCURRENCY[name] for name in self._providers}

    @property
    def seats(self) -> Mapping[str, int | None]:
        """How many orders each supplier takes from all processes together; None where each process has its own."""
        return {name: None if name in IN_PROCESS else CONCURRENCY[name] for name in self._providers}

    @property
    def down(self) -> Sequence[str]:
        """The suppliers whose circuit is open now."""
        return tuple(name for name, breaker in self._breakers.items() if breaker.is_open)

    @asynccontextmanager
    async def slot(self, name: str) -> AsyncGenerator[Provider]:
        """Around every single call: waits for a free place, and raises UpstreamUnavailable while the supplier is down.

        Exceptions that leave the block tell the circuit breaker how the call went.
        """
        provider = self[name]
        async with self._places[name]:
            with self._breakers[name].watching():
                yield provider

    async def discover(self) -> Sequence[Mapping[str, Any]]:
        """The catalogue entries the suppliers offer themselves; a supplier that does not answer offers none."""
        found = await asyncio.gather(*(provider.discover() for provider in self._providers.values()))
        return [entry for entries in found for entry in entries]

    async def close(self) -> None:
        for provider in self._providers.values():
            await provider.close()
        await self._pool.aclose()


_MISSING: Mapping[str, str] = {
    "openai": "no OpenAI key is configured (LIMNER_OPENAI_API_KEY)",
    "google": "no Google key is configured (LIMNER_GOOGLE_API_KEY)",
    "openrouter": "no OpenRouter key is configured (LIMNER_OPENROUTER_API_KEY)",
    "bfl": "no Black Forest Labs key is configured (LIMNER_BFL_API_KEY)",
    "compatible": "no OpenAI-compatible server is configured (LIMNER_COMPATIBLE_BASE_URL)",
    "comfyui": "no ComfyUI server and workflow are configured (LIMNER_COMFYUI_URL, LIMNER_COMFYUI_WORKFLOW)",
    "diffusers": "no directory of models is configured (LIMNER_DIFFUSERS_DIR)",
}


def _why_not(name: str, settings: ProviderSettings) -> str:
    if name == "diffusers" and settings.diffusers_dir:
        return "the extra limner[diffusers] is not installed"
    return _MISSING[name]


def _configured(settings: ProviderSettings, pool: httpx2.AsyncClient) -> list[Provider]:
    """One line per supplier: adding one is a file and a line here."""
    s = settings
    providers: list[Provider] = []
    if s.openai_api_key:
        providers.append(OpenAI(pool, api_key=s.openai_api_key, base_url=s.openai_base_url))
    if s.google_api_key:
        providers.append(Google(pool, api_key=s.google_api_key, base_url=s.google_base_url))
    if s.openrouter_api_key:
        providers.append(OpenRouter(pool, api_key=s.openrouter_api_key, base_url=s.openrouter_base_url))
    if s.bfl_api_key:
        providers.append(
            BlackForestLabs(pool, api_key=s.bfl_api_key, base_url=s.bfl_base_url, poll_seconds=POLL_SECONDS)
        )
    if s.compatible_base_url:
        providers.append(
            Compatible(pool, base_url=s.compatible_base_url, api_key=s.compatible_api_key, models=s.compatible_models)
        )
    if s.comfyui_url and s.comfyui_workflow:
        workflow = Workflow.read(s.comfyui_workflow)
        providers.append(ComfyUI(pool, base_url=s.comfyui_url, workflow=workflow, poll_seconds=POLL_SECONDS))
    if s.diffusers_dir and find_spec("diffusers"):
        providers.append(Diffusers(s.diffusers_dir))
    return providers
