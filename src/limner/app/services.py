"""From a Config to the running parts of one process."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import structlog

from limner.accounts.oauth_clients import OAuthClients
from limner.app.addresses import allowed_origins
from limner.app.generating import open_queue
from limner.blobs.base import Blobs
from limner.blobs.open import open_blobs
from limner.catalog.models import Catalog, load
from limner.config import BadConfiguration, Config, ProviderAccess
from limner.credits.self_audit import SelfAudit
from limner.credits.shop import Shop
from limner.db.base import Database
from limner.db.engine import open_database
from limner.db.migrate import migrate
from limner.db.types import Clock, new_id
from limner.errors import UnknownModel
from limner.fetching.fetcher import Fetcher
from limner.http.addresses import Addresses
from limner.http.auth import AccessTokens, ApiKeys, Bearer
from limner.http.challenges import Challenges
from limner.http.ratelimit import AddressLimit, DatabaseBuckets, MemoryBuckets, RateLimit
from limner.http.sessions import SessionCookies
from limner.images import secrets
from limner.images.attempt import Parts
from limner.images.beginning import Limits
from limner.images.content_credentials import CannotSign, CredentialsReader, Signer
from limner.images.links import ImageLinks, UploadLinks
from limner.images.picture_pool import PicturePool
from limner.images.references import PictureReferences
from limner.images.runner import Runner
from limner.images.secrets import Secret
from limner.images.service import Images
from limner.images.uploads import Uploads
from limner.issuers.base import Issuer
from limner.mail.base import Mailer
from limner.mail.smtp import BadMailUrl, Smtp
from limner.payments.stripe import StripePayments
from limner.providers.registry import Providers, ProviderSettings
from limner.queue.base import Events, Queue
from limner.web.sign_in_with import callback_path

DISCOVERY_PATIENCE_SECONDS = 2.0
log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True)
class State:
    """What the process knows about itself: whether it was told to end, and whether it was told twice."""

    told: asyncio.Event = field(default_factory=asyncio.Event)
    pressed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def stopping(self) -> bool:
        return self.told.is_set()

    def stop(self) -> None:
        """From now on not ready, and nothing more is claimed."""
        self.told.set()

    def tell(self) -> None:
        """A signal came: the first asks, the second insists."""
        if self.stopping:
            self.press()
        else:
            self.stop()

    def press(self) -> None:
        """Wait for nobody any more."""
        self.told.set()
        self.pressed.set()


@dataclass(frozen=True, slots=True)
class Services:
    """The running parts of one process."""

    config: Config
    clock: Clock
    database: Database
    blobs: Blobs
    providers: Providers
    catalog: Catalog
    images: Images
    links: ImageLinks
    uploads: Uploads
    upload_links: UploadLinks
    pool: PicturePool
    fetcher: Fetcher
    keyring: "Keyring"
    parts: Parts
    runner: Runner
    queue: Queue
    events: Events
    api_keys: ApiKeys
    access_tokens: AccessTokens
    oauth_clients: OAuthClients
    bearer: Bearer
    rate_limit: RateLimit
    shop: Shop
    self_audit: SelfAudit
    address_limit: AddressLimit
    addresses: Addresses
    cookies: SessionCookies
    issuers: Sequence[Issuer]
    process_id: str
    mailer: Mailer | None
    state: State = field(default_factory=State)


class Keyring:
    """The signing secrets, read again every few seconds so that a rotation reaches every process."""

    def __init__(self, database: Database, clock: Clock, own: Sequence[Secret]) -> None:
        self._database = database
        self._clock = clock
        self._own = list(own)
        self._secrets: list[Secret] = list(own)

    def __call__(self) -> Sequence[Secret]:
        return self._secrets

    async def refresh(self) -> None:
        if not self._own:
            self._secrets = await self._database.write(lambda tx: secrets.current(tx, "links", self._clock()))


async def open_services(
    config: Config, clock: Clock, open_providers: Callable[[ProviderSettings], Providers], stack: AsyncExitStack
) -> Services:
    config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    await asyncio.to_thread(migrate, config.database_url)
    database = await open_database(config.database_url)
    stack.push_async_callback(database.close)
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
    uploads = Uploads(database=database, blobs=blobs, pool=pool, clock=clock)
    links = ImageLinks(public_url=config.public_url, secrets=keyring, clock=clock)
    parts = Parts(
        database=database,
        blobs=blobs,
        events=events,
        suppliers=providers,
        clock=clock,
        credentials=CredentialsReader(config.c2pa_trust),
        signer=_signer(config),
        log_prompts=config.log_prompts,
    )
    runner = Runner(parts, queue, deadline_seconds=config.generation_deadline_seconds, seats=providers.seats)
    images = Images(
        database=database,
        catalog=catalog,
        queue=queue,
        events=events,
        blobs=blobs,
        references=PictureReferences(
            database=database, blobs=blobs, uploads=uploads, fetcher=fetcher, pool=pool, links=links
        ),
        clock=clock,
        limits=Limits(
            bills=config.billing,
            buy_url=f"{config.public_url}/dashboard/billing",
            queue_per_account=config.queue_per_account,
            queue_deadline_seconds=config.queue_deadline_seconds,
        ),
        process_id=process_id,
        seats=providers.seats,
        runner=runner,
    )
    api_keys, access_tokens = ApiKeys(database, clock), AccessTokens(database, clock)
    buckets = MemoryBuckets(clock) if config.is_sqlite else DatabaseBuckets(database, clock)
    return Services(
        config=config,
        clock=clock,
        database=database,
        blobs=blobs,
        providers=providers,
        catalog=catalog,
        images=images,
        links=links,
        uploads=uploads,
        upload_links=UploadLinks(public_url=config.public_url, secrets=keyring, clock=clock),
        pool=pool,
        fetcher=fetcher,
        keyring=keyring,
        parts=parts,
        runner=runner,
        queue=queue,
        events=events,
        api_keys=api_keys,
        access_tokens=access_tokens,
        oauth_clients=OAuthClients(database, fetcher if config.reads_client_documents else None, clock),
        bearer=Bearer(
            [api_keys, access_tokens] if config.oauth else [api_keys], Challenges(config.public_url, config.oauth)
        ),
        rate_limit=RateLimit(buckets, config.rate_limit),
        shop=open_shop(config, database, clock),
        self_audit=SelfAudit(database),
        address_limit=AddressLimit(buckets),
        addresses=Addresses(config.trusted_proxies),
        cookies=SessionCookies(
            database, clock, secure=config.public_url.startswith("https:"), origins=allowed_origins(config)
        ),
        issuers=await _open_issuers(config, clock, stack),
        process_id=process_id,
        mailer=_mailer(config),
    )


async def _open_issuers(config: Config, clock: Clock, stack: AsyncExitStack) -> Sequence[Issuer]:
    """Loaded only where there are any: signatures take longer to load than the rest of a start."""
    if not config.issuers:
        return ()
    from limner.issuers.open import open_issuers

    for each in config.issuers:
        address = f"{config.public_url}{callback_path(each.id)}"
        log.info("people can sign in with", issuer=each.issuer, redirect_uri=address)
    return await stack.enter_async_context(open_issuers(config.issuers, clock))


def open_shop(config: Config, database: Database, clock: Clock) -> Shop:
    """Where credits are bought; without a payment supplier nothing can be."""
    payments = config.stripe_secret_key and StripePayments(
        secret_key=config.stripe_secret_key,
        webhook_secret=config.stripe_webhook_secret,
        base_url=config.stripe_base_url,
    )
    return Shop(
        database=database,
        payments=payments or None,
        packs=config.packs,
        billing_url=f"{config.public_url}/dashboard/billing",
        clock=clock,
    )


def _mailer(config: Config) -> Smtp | None:
    if config.smtp_url is None:
        return None
    try:
        return Smtp(config.smtp_url, public_host=urlsplit(config.public_url).hostname or "localhost")
    except BadMailUrl as problem:
        raise BadConfiguration(str(problem)) from None


def _signer(config: Config) -> Signer | None:
    if config.c2pa_certificate is None or config.c2pa_key is None:
        return None
    try:
        return Signer(config.c2pa_certificate, config.c2pa_key)
    except CannotSign as problem:
        raise BadConfiguration(f"LIMNER_C2PA_CERT and LIMNER_C2PA_KEY cannot be used: {problem}.") from None


def _open_blobs(config: Config) -> Blobs:
    try:
        return open_blobs(config.blobs_url, endpoint=config.blobs_endpoint)
    except ValueError as problem:
        raise BadConfiguration(f"LIMNER_BLOBS_URL cannot be used: {problem}.") from None


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


def billing_page(config: Config) -> str | None:
    """Where credits are sold, if they are."""
    return f"{config.public_url}/dashboard/billing" if config.billing and config.stripe_secret_key else None


def _provider_settings(config: Config) -> ProviderSettings:
    def url(access: ProviderAccess, default: str) -> str:
        return access.base_url or default

    return ProviderSettings(
        openai_api_key=config.openai.api_key,
        openai_base_url=url(config.openai, "https://api.openai.com/v1"),
        google_api_key=config.google.api_key,
        google_base_url=url(config.google, "https://generativelanguage.googleapis.com"),
        openrouter_api_key=config.openrouter.api_key,
        openrouter_base_url=url(config.openrouter, "https://openrouter.ai/api/v1"),
        bfl_api_key=config.bfl.api_key,
        bfl_base_url=url(config.bfl, "https://api.bfl.ai"),
        compatible_base_url=config.compatible.base_url,
        compatible_api_key=config.compatible.api_key,
        compatible_models=config.compatible_models,
        comfyui_url=config.comfyui_url,
        comfyui_workflow=config.comfyui_workflow,
        diffusers_dir=config.diffusers_dir,
    )


def _log_providers(config: Config) -> None:
    for name in ("openai", "google", "openrouter", "bfl", "compatible"):
        access: ProviderAccess = getattr(config, name)
        if access.key_source is not None:
            log.info("provider found", provider=name, key_from=access.key_source)
    if config.compatible.base_url is not None and config.compatible.key_source is None:
        log.info("provider found", provider="compatible", at=config.compatible.base_url)
    if config.comfyui_url is not None:
        log.info("provider found", provider="comfyui", at=config.comfyui_url)


def _log_payments(config: Config) -> None:
    if config.stripe_secret_key is not None and config.stripe_webhook_secret is None:
        log.warning(
            "LIMNER_STRIPE_WEBHOOK_SECRET is not set: what is paid is credited hours later, when Stripe is asked; "
            "docs/operate/payments.md says where it comes from"
        )
