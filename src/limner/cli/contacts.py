"""Asks what a server talks to besides its suppliers of pictures: the mail server, Stripe, a trace collector."""

import asyncio
import importlib.util
from urllib.parse import urlsplit

import httpx2

from limner.cli.probes import PATIENCE_SECONDS, Finding, ask
from limner.config import Config
from limner.mail.smtp import BadMailUrl, Smtp


async def probe_contacts(config: Config) -> list[Finding]:
    """A line for each that is configured. Nothing is sent, bought or reported."""
    return [*await _mail(config), *await _stripe(config), *await _collector(config), *_sentry(config)]


async def _mail(config: Config) -> list[Finding]:
    if config.smtp_url is None:
        return []
    advice = "Check LIMNER_SMTP_URL: nobody can be sent a sign-in link."
    try:
        await Smtp(config.smtp_url, public_host=urlsplit(config.public_url).hostname or "localhost").check()
    except (BadMailUrl, OSError) as problem:
        return [Finding("mail", str(problem), ok=False, advice=advice)]
    return [Finding("mail", "the mail server takes letters")]


async def _stripe(config: Config) -> list[Finding]:
    if config.stripe_secret_key is None:
        return []
    try:
        key = {"Authorization": f"Bearer {config.stripe_secret_key}"}
        status = (await ask(f"{config.stripe_base_url}/v1/checkout/sessions?limit=1", key)).status_code
    except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
        says = f"Stripe does not answer: {problem or type(problem).__name__}"
        return [
            Finding("payments", says, ok=False, advice="Check the network; nobody can buy credits until it answers.")
        ]
    if status != 200:
        advice = "Correct LIMNER_STRIPE_SECRET_KEY; it needs the right to read and write Checkout sessions."
        return [Finding("payments", f"Stripe refuses the key ({status})", ok=False, advice=advice)]
    if config.stripe_webhook_secret is None:
        says = "Stripe answers, but what it tells this server cannot be verified"
        advice = "Set LIMNER_STRIPE_WEBHOOK_SECRET: without it, what was bought arrives hours later."
        return [Finding("payments", says, ok=False, advice=advice)]
    return [Finding("payments", "Stripe answers")]


async def _collector(config: Config) -> list[Finding]:
    if config.otlp_endpoint is None:
        return []
    if (missing := _missing_extra("otel", "opentelemetry.sdk")) is not None:
        return [missing]
    parts = urlsplit(config.otlp_endpoint)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            port = parts.port or (443 if parts.scheme == "https" else 80)
            _, writer = await asyncio.open_connection(parts.hostname, port)
        writer.close()
    except OSError as problem:
        says = f"no collector at {config.otlp_endpoint}: {problem or 'no answer'}"
        return [Finding("traces", says, ok=False, advice="Check LIMNER_OTLP_ENDPOINT; the server works without it.")]
    return [Finding("traces", f"go to {config.otlp_endpoint}")]


def _sentry(config: Config) -> list[Finding]:
    if config.sentry_dsn is None:
        return []
    missing = _missing_extra("sentry", "sentry_sdk")
    return [missing or Finding("error reports", f"go to {urlsplit(config.sentry_dsn).hostname}")]


def _missing_extra(extra: str, module: str) -> Finding | None:
    try:
        found = importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        found = False
    says, advice = f"the extra limner[{extra}] is not installed", f"pip install 'limner[{extra}]'"
    return None if found else Finding("traces" if extra == "otel" else "error reports", says, ok=False, advice=advice)
