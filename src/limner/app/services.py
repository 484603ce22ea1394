"""From a Config to the running parts of one process."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import structlog

from limner.accounts.oauth_clients import OAuthClients
from limner.app.addresses import allowed_origins
from limner.app.outside import Outside, open_outside
from limner.app.state import State
from limner.config import BadConfiguration, Config
from limner.credits.self_audit import SelfAudit
from limner.credits.shop import Shop
from limner.db.base import Database
from limner.db.types import Clock
from limner.http.addresses import Addresses
from limner.http.auth import AccessTokens, ApiKeys, Bearer
from limner.http.challenges import Challenges
from limner.http.ratelimit import AddressLimit, DatabaseBuckets, MemoryBuckets, RateLimit
from limner.http.sessions import SessionCookies
from limner.images.beginning import Limits
from limner.images.content_credentials import CannotSign, CredentialsReader, Signer
from limner.images.links import ImageLinks, UploadLinks
from limner.images.parts import Parts
from limner.images.references import PictureReferences
from limner.images.runner import Runner
from limner.images.service import Images
from limner.images.uploads import Uploads
from limner.issuers.base import Issuer
from limner.mail.base import Mailer
from limner.mail.smtp import BadMailUrl, Smtp
from limner.payments.stripe import StripePayments
from limner.providers.registry import Providers, ProviderSettings
from limner.web.sign_in_with import callback_path

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Making:
    """What pictures are made, kept and handed out with."""

    uploads: Uploads
    links: ImageLinks
    upload_links: UploadLinks
    parts: Parts
    runner: Runner
    images: Images


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Who is calling, and how often they may."""

    api_keys: ApiKeys
    access_tokens: AccessTokens
    oauth_clients: OAuthClients
    bearer: Bearer
    rate_limit: RateLimit
    address_limit: AddressLimit
    addresses: Addresses
    cookies: SessionCookies


@dataclass(frozen=True, kw_only=True)
class Services(Outside, Making, Admission):
    """The running parts of one process."""

    shop: Shop
    self_audit: SelfAudit
    issuers: Sequence[Issuer]
    mailer: Mailer | None
    state: State = field(default_factory=State)


async def open_services(
    config: Config, clock: Clock, open_providers: Callable[[ProviderSettings], Providers], stack: AsyncExitStack
) -> Services:
    """From the database up; `stack` closes what was opened here.

    Raises what a person must mend: BadConfiguration, BadCatalog, DatabaseTooNew, OSError.
    """
    outside = await open_outside(config, clock, open_providers, stack)
    making = _making(outside)
    admission = _admission(outside)
    return Services(
        **vars(outside),
        **vars(making),
        **vars(admission),
        shop=open_shop(config, outside.database, clock),
        self_audit=SelfAudit(outside.database),
        issuers=await _open_issuers(config, clock, stack),
        mailer=_mailer(config),
    )


def _making(outside: Outside) -> Making:
    config, database, clock = outside.config, outside.database, outside.clock
    uploads = Uploads(database=database, blobs=outside.blobs, pool=outside.pool, clock=clock)
    links = ImageLinks(public_url=config.public_url, secrets=outside.keyring, clock=clock)
    parts = _parts(outside)
    seats = outside.providers.seats
    runner = Runner(parts, outside.queue, deadline_seconds=config.generation_deadline_seconds, seats=seats)
    return Making(
        uploads=uploads,
        links=links,
        upload_links=UploadLinks(public_url=config.public_url, secrets=outside.keyring, clock=clock),
        parts=parts,
        runner=runner,
        images=_images(outside, uploads, links, runner),
    )


def _parts(outside: Outside) -> Parts:
    return Parts(
        database=outside.database,
        blobs=outside.blobs,
        events=outside.events,
        suppliers=outside.providers,
        clock=outside.clock,
        credentials=CredentialsReader(outside.config.c2pa_trust),
        signer=_signer(outside.config),
        log_prompts=outside.config.log_prompts,
    )


def _signer(config: Config) -> Signer | None:
    if config.c2pa_certificate is None or config.c2pa_key is None:
        return None
    try:
        return Signer(config.c2pa_certificate, config.c2pa_key)
    except CannotSign as problem:
        raise BadConfiguration(f"LIMNER_C2PA_CERT and LIMNER_C2PA_KEY cannot be used: {problem}.") from None


def _images(outside: Outside, uploads: Uploads, links: ImageLinks, runner: Runner) -> Images:
    return Images(
        database=outside.database,
        catalog=outside.catalog,
        queue=outside.queue,
        events=outside.events,
        blobs=outside.blobs,
        references=PictureReferences(
            database=outside.database,
            blobs=outside.blobs,
            uploads=uploads,
            fetcher=outside.fetcher,
            pool=outside.pool,
            links=links,
        ),
        clock=outside.clock,
        limits=_limits(outside.config),
        process_id=outside.process_id,
        seats=outside.providers.seats,
        runner=runner,
    )


def _limits(config: Config) -> Limits:
    return Limits(
        bills=config.billing,
        buy_url=f"{config.public_url}/dashboard/billing",
        queue_per_account=config.queue_per_account,
        queue_deadline_seconds=config.queue_deadline_seconds,
    )


def _admission(outside: Outside) -> Admission:
    config, database, clock = outside.config, outside.database, outside.clock
    api_keys, access_tokens = ApiKeys(database, clock), AccessTokens(database, clock)
    believed = [api_keys, access_tokens] if config.oauth else [api_keys]
    buckets = MemoryBuckets(clock) if config.is_sqlite else DatabaseBuckets(database, clock)
    secure = config.public_url.startswith("https:")
    return Admission(
        api_keys=api_keys,
        access_tokens=access_tokens,
        oauth_clients=OAuthClients(database, outside.fetcher if config.reads_client_documents else None, clock),
        bearer=Bearer(believed, Challenges(config.public_url, config.oauth)),
        rate_limit=RateLimit(buckets, config.rate_limit),
        address_limit=AddressLimit(buckets),
        addresses=Addresses(config.trusted_proxies),
        cookies=SessionCookies(database, clock, secure=secure, origins=allowed_origins(config)),
    )


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


async def _open_issuers(config: Config, clock: Clock, stack: AsyncExitStack) -> Sequence[Issuer]:
    """Loaded only where there are any: signatures take longer to load than the rest of a start."""
    if not config.issuers:
        return ()
    from limner.issuers.open import open_issuers

    for each in config.issuers:
        address = f"{config.public_url}{callback_path(each.id)}"
        log.info("people can sign in with", issuer=each.issuer, redirect_uri=address)
    return await stack.enter_async_context(open_issuers(config.issuers, clock))


def _mailer(config: Config) -> Smtp | None:
    if config.smtp_url is None:
        return None
    try:
        return Smtp(config.smtp_url, public_host=urlsplit(config.public_url).hostname or "localhost")
    except BadMailUrl as problem:
        raise BadConfiguration(str(problem)) from None


def billing_page(config: Config) -> str | None:
    """Where credits are sold, if they are."""
    return f"{config.public_url}/dashboard/billing" if config.billing and config.stripe_secret_key else None
