"""The outside world as one process opens it: database, blobs, suppliers, queue; each closes with the process."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog

from limner.app.generating import open_queue
from limner.app.keyring import Keyring
from limner.blobs.base import Blobs
from limner.blobs.open import open_blobs
from limner.catalog.catalog import Catalog
from limner.catalog.entries import load
from limner.config import BadConfiguration, Config, ProviderAccess
from limner.db.base import Database
from limner.db.engine import open_database
from limner.db.migrate import migrate
from limner.db.types import Clock, new_id
from limner.errors import UnknownModel
from limner.fetching.fetcher import Fetcher
from limner.images import secrets
from limner.images.picture_pool import PicturePool
from limner.providers.registry import Providers, ProviderSettings
from limner.queue.base import Events, Queue

DISCOVERY_PATIENCE_SECONDS = 2.0
log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What has to be opened before anything can be made, and the facts of this process."""

    config: Config
    clock: Clock
    process_id: str
    database: Database
    blobs: Blobs
    providers: Providers
    fetcher: Fetcher
    keyring: Keyring
    catalog: Catalog
    queue: Queue
    events: Events
    pool: PicturePool


async def open_outside(
    config: Config, clock: Clock, open_providers: Callable[[ProviderSettings], Providers], stack: AsyncExitStack
) -> Outside:
    """What is opened last closes first."""
    database = await _open_database(config, stack)
    blobs = _open_blobs(config)
    stack.push_async_callback(blobs.close)
    providers = open_providers(_provider_settings(config))
    stack.push_async_callback(providers.close)
    fetcher = Fetcher()
    stack.push_async_callback(fetcher.close)
    keyring = Keyring(database, clock, secrets.from_texts(config.secret_keys))
    await keyring.refresh()
    catalog = await _open_catalog(config, providers)
    _log_providers(config)
    _log_payments(config)
    process_id = new_id()
    queue, events = await open_queue(config, providers, blobs, process_id, stack)
    pool = PicturePool()
    stack.callback(pool.close)
    return Outside(
        config=config,
        clock=clock,
        process_id=process_id,
        database=database,
        blobs=blobs,
        providers=providers,
        fetcher=fetcher,
        keyring=keyring,
        catalog=catalog,
        queue=queue,
        events=events,
        pool=pool,
    )


async def _open_database(config: Config, stack: AsyncExitStack) -> Database:
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    await asyncio.to_thread(migrate, config.database_url)
    database = await open_database(config.database_url)
    stack.push_async_callback(database.close)
    return database


def _open_blobs(config: Config) -> Blobs:
    try:
        return open_blobs(config.blobs_url, endpoint=config.blobs_endpoint)
    except ValueError as problem:
        raise BadConfiguration(f"LIMNER_BLOBS_URL cannot be used: {problem}.") from None


def _provider_settings(config: Config) -> ProviderSettings:
    return ProviderSettings(
        openai_api_key=config.openai.api_key,
        openai_base_url=config.openai.base_url,
        google_api_key=config.google.api_key,
        google_base_url=config.google.base_url,
        openrouter_api_key=config.openrouter.api_key,
        openrouter_base_url=config.openrouter.base_url,
        bfl_api_key=config.bfl.api_key,
        bfl_base_url=config.bfl.base_url,
        compatible_base_url=config.compatible.base_url or None,
        compatible_api_key=config.compatible.api_key,
        compatible_models=config.compatible_models,
        comfyui_url=config.comfyui_url,
        comfyui_workflow=config.comfyui_workflow,
        diffusers_dir=config.diffusers_dir,
    )


async def _open_catalog(config: Config, providers: Providers) -> Catalog:
    """With what suppliers offer if they say so soon; a slow one does not hold up the start, `_rediscover` asks again."""
    patience = None if config.default_model is not None else DISCOVERY_PATIENCE_SECONDS
    try:
        discovered = await asyncio.wait_for(providers.discover(), patience)
    except TimeoutError:
        discovered = ()
    models = load(config.catalog_path, discovered)
    try:
        return Catalog(models, unavailable=providers.unavailable, default_model=config.default_model)
    except UnknownModel as problem:
        raise BadConfiguration(f"LIMNER_DEFAULT_MODEL cannot be used: {problem.message}") from None


def _log_providers(config: Config) -> None:
    for name in ("openai", "google", "openrouter", "bfl", "compatible"):
        access: ProviderAccess = getattr(config, name)
        if access.key_source is not None:
            log.info("provider found", provider=name, key_from=access.key_source)
    if config.compatible.base_url and config.compatible.key_source is None:
        log.info("provider found", provider="compatible", at=config.compatible.base_url)
    if config.comfyui_url is not None and config.comfyui_workflow is not None:
        log.info("provider found", provider="comfyui", at=config.comfyui_url)
    elif config.comfyui_url is not None or config.comfyui_workflow is not None:
        log.warning("ComfyUI is not used: LIMNER_COMFYUI_URL and LIMNER_COMFYUI_WORKFLOW are both needed")


def _log_payments(config: Config) -> None:
    if config.stripe_secret_key is not None and config.stripe_webhook_secret is None:
        log.warning(
            "LIMNER_STRIPE_WEBHOOK_SECRET is not set: what is paid is credited hours later, when Stripe is asked; "
            "docs/operate/payments.md says where it comes from"
        )
