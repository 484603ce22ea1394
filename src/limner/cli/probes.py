"""Asks each configured provider something that costs nothing: does it answer, and does it take our key?"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx2

from limner.config import Config, ProviderAccess
from limner.db.types import now

PATIENCE_SECONDS = 5
CLOCK_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report; `advice` says what to do where it is not `ok`."""

    check: str
    says: str
    ok: bool = True
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """A request that costs nothing."""

    provider: str
    url: str
    headers: dict[str, str]
    key_source: str | None


async def ask(url: str, headers: dict[str, str]) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        return await http.get(url, headers=headers)


async def probe_providers(config: Config) -> list[Finding]:
    """A line for each provider that is configured, and one for the clock where somebody told the time."""
    probes = _probes(config)
    if not probes:
        return [Finding("providers", "none configured: only limner:sketch, the built-in model, can be used")]
    answers = await asyncio.gather(*(_probed(probe) for probe in probes))
    return [*(finding for finding, _ in answers), *_clock([moment for _, moment in answers if moment])]


def _probes(config: Config) -> list[Probe]:
    named: list[tuple[str, ProviderAccess, str, str]] = [
        ("openai", config.openai, "/models", "Authorization: Bearer "),
        ("google", config.google, "/v1beta/models", "x-goog-api-key: "),
        ("openrouter", config.openrouter, "/key", "Authorization: Bearer "),
        ("bfl", config.bfl, "/v1/credits", "x-key: "),
        ("compatible", config.compatible, "/models", "Authorization: Bearer "),
    ]
    probes = [
        Probe(name, f"{access.base_url}{path}", _header(template, access.api_key), access.key_source)
        for name, access, path, template in named
        if access.api_key or (name == "compatible" and access.base_url)
    ]
    if config.comfyui_url:
        probes.append(Probe("comfyui", f"{config.comfyui_url}/system_stats", {}, None))
    return probes


def _header(template: str, key: str | None) -> dict[str, str]:
    name, _, prefix = template.partition(": ")
    return {name: f"{prefix}{key}"} if key else {}


async def _probed(probe: Probe) -> tuple[Finding, datetime | None]:
    try:
        answer = await ask(probe.url, probe.headers)
    except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
        says = f"does not answer at {probe.url}: {problem or type(problem).__name__}"
        advice = "Check the network and the base URL; its models fail until it answers."
        return Finding(probe.provider, says, ok=False, advice=advice), None
    return _judged(probe, answer.status_code), _told_time(answer)


def _judged(probe: Probe, status: int) -> Finding:
    source = f" (key from {probe.key_source})" if probe.key_source else ""
    if status in (401, 403) or (status == 400 and probe.provider == "google"):
        return Finding(
            probe.provider, f"refuses the key{source}", ok=False, advice=f"Correct {probe.key_source or 'its key'}."
        )
    if status >= 500:
        return Finding(probe.provider, f"answers with an error ({status})", ok=False, advice="Try again later.")
    return Finding(probe.provider, f"answers{source}")


def _told_time(answer: httpx2.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return None


def _clock(told: Sequence[datetime]) -> list[Finding]:
    """Links and leases go by the clock; what providers say the time is must be near ours."""
    if not told:
        return []
    apart = min(abs((moment - now()).total_seconds()) for moment in told)
    advice = "Let this machine follow a time server."
    return [Finding("clock", f"{apart:.0f} s from the providers'", ok=apart < CLOCK_SECONDS, advice=advice)]
