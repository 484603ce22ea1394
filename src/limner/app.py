"""Puts the parts together: a Config becomes running services and one ASGI app. Nothing else does."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any
from urllib.parse import urlsplit

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route

from limner import __version__
from limner.accounts import connections, consents, oauth_clients
from limner.accounts.oauth_clients import OAuthClients
from limner.accounts.resources import Resources
from limner.blobs.base import Blobs
from limner.blobs.open import open_blobs
from limner.catalog.models import Catalog, load
from limner.config import BadConfiguration, Config, ProviderAccess
from limner.credits import ledger
from limner.credits.self_audit import SelfAudit
from limner.credits.shop import Shop
from limner.db.base import Database, Transaction
from limner.db.engine import open_database
from limner.db.lock import serving_lock
from limner.db.migrate import migrate
from limner.db.types import Clock, new_id, now
from limner.errors import NotFound, ServiceError, UnknownModel
from limner.fetching.fetcher import Fetcher
from limner.http.addresses import Addresses
from limner.http.auth import AccessTokens, ApiKeys, Bearer
from limner.http.challenges import Challenges
from limner.http.errors import error_response, show
from limner.http.middleware import BodyLimit, RequestIds
from limner.http.ratelimit import AddressLimit, DatabaseBuckets, MemoryBuckets, RateLimit
from limner.http.sessions import BearerOrSession, SessionCookies
from limner.images import secrets
from limner.images.attempt import Parts
from limner.images.beginning import Limits
from limner.images.delivery import PictureDelivery
from limner.images.links import ImageLinks, UploadLinks
from limner.images.orphans import Orphans
from limner.images.picture_pool import PicturePool
from limner.images.recovery import Recovery
from limner.images.references import PictureReferences
from limner.images.retention import Retention
from limner.images.runner import Runner
from limner.images.secrets import Secret
from limner.images.service import Images
from limner.images.uploads import Uploads
from limner.mail.smtp import BadMailUrl, Smtp
from limner.mcp_server.asking import Asking
from limner.mcp_server.clients import Sessions
from limner.mcp_server.delivery import Delivery
from limner.mcp_server.editions.every import endpoints
from limner.mcp_server.guard import Guard
from limner.mcp_server.server import Endpoint
from limner.oauth.door import OAuthDoor, closed_routes
from limner.openai_api.routes import OpenAiRoutes
from limner.payments.stripe import StripePayments
from limner.providers.registry import Providers, ProviderSettings
from limner.providers.sketch import Sketch
from limner.queue.embedded import EmbeddedEvents, EmbeddedQueue
from limner.rest import openapi
from limner.rest.account import AccountRoutes
from limner.rest.door import Door
from limner.rest.events import EventRoutes
from limner.rest.files import PictureFiles
from limner.rest.health import HealthRoutes
from limner.rest.images import ImageRoutes
from limner.rest.keys import KeyRoutes
from limner.rest.links import LinkRoutes
from limner.rest.metrics import MetricsRoutes
from limner.rest.openapi import OpenApiRoutes
from limner.rest.payments import PaymentRoutes
from limner.rest.uploads import UploadRoutes
from limner.rest.usage import UsageRoutes
from limner.rest.webhooks import WebhookRoutes
from limner.web.pages import Site
from limner.web.site import OAuthParts, Web, WebParts
from limner.webhooks.sender import Sender

FLUSH_SECONDS = 5.0
HOUR_SECONDS = 3600.0
DAY_SECONDS = 86_400.0
SWEEP_SECONDS = 300.0
DRAIN_SECONDS = 20.0
ORPHANS_SECONDS = 6 * 3600.0
DISCOVERY_PATIENCE_SECONDS = 2.0
DISCOVERY_SECONDS = 3600.0

log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True)
class State:
    """What the process knows about itself: whether it was told to end."""

    stopping: bool = False


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
    queue: EmbeddedQueue
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
    process_id: str
    state: State = field(default_factory=State)


@asynccontextmanager
async def running(
    config: Config, *, clock: Clock = now, providers: Callable[[ProviderSettings], Providers] = Providers
) -> AsyncGenerator["Server"]:
    """Everything one serving process needs, from the database up; it drains and closes at the end.

    Raises what a person must mend: BadConfiguration, BadCatalog, DatabaseTooNew, AlreadyServed, OSError.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(serving_lock(config.database_url))
        services = await _open(config, clock, providers, stack)
        runner = Runner(
            services.parts,
            services.queue,
            deadline_seconds=config.generation_deadline_seconds,
            places=services.providers.places,
        )
        if config.is_sqlite:
            await services.images.break_off_others()
        mcp = endpoints(
            services.images,
            services.links,
            services.uploads,
            services.upload_links,
            confirm=Asking(services.keyring, clock),
            sell=Asking(services.keyring, clock, _billing_page(config)),
            max_body_bytes=config.max_body_bytes,
        )
        for endpoint in mcp.values():
            await stack.enter_async_context(_in_its_own_task(endpoint.run()))
        sender = Sender(database=services.database, fetcher=services.fetcher, clock=clock)
        background = [
            runner.run(),
            Recovery(services.parts, services.queue).run(),
            _repeat(services.api_keys.flush, FLUSH_SECONDS),
            _repeat(services.access_tokens.flush, FLUSH_SECONDS),
            _repeat(lambda: _sweep_oauth(services), SWEEP_SECONDS),
            _repeat(services.keyring.refresh, FLUSH_SECONDS),
            _repeat(services.shop.reconcile, DAY_SECONDS),
            sender.run(),
            _repeat(sender.forget_old, DAY_SECONDS),
            _repeat(services.rate_limit.sweep, HOUR_SECONDS),
            _repeat(services.self_audit.run, HOUR_SECONDS),
            _repeat(Retention(database=services.database, blobs=services.blobs, clock=clock).sweep, HOUR_SECONDS),
            _repeat(services.uploads.sweep, SWEEP_SECONDS),
            _repeat(Orphans(services.database, services.blobs, clock).sweep, ORPHANS_SECONDS),
            _rediscover(services),
        ]
        async with _background(background):
            yield Server(services, _app(services, mcp))
            services.state.stopping = True
            await runner.stop(DRAIN_SECONDS)
        await services.images.close()
        await services.api_keys.flush()
        await services.access_tokens.flush()


@dataclass(frozen=True, slots=True)
class Server:
    services: Services
    app: Starlette


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


async def _open(
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
    queue, events, process_id = EmbeddedQueue(), EmbeddedEvents(), new_id()
    pool = PicturePool()
    stack.callback(pool.close)
    uploads = Uploads(database=database, blobs=blobs, pool=pool, clock=clock)
    links = ImageLinks(public_url=config.public_url, secrets=keyring, clock=clock)
    parts = Parts(database=database, blobs=blobs, events=events, suppliers=providers, clock=clock)
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
        queue=queue,
        api_keys=api_keys,
        access_tokens=access_tokens,
        oauth_clients=OAuthClients(database, fetcher if config.reads_client_documents else None, clock),
        bearer=Bearer(
            [api_keys, access_tokens] if config.oauth else [api_keys], Challenges(config.public_url, config.oauth)
        ),
        rate_limit=RateLimit(buckets, config.rate_limit),
        shop=_shop(config, database, clock),
        self_audit=SelfAudit(database),
        address_limit=AddressLimit(buckets),
        addresses=Addresses(config.trusted_proxies),
        cookies=SessionCookies(
            database, clock, secure=config.public_url.startswith("https:"), origins=_origins(config)
        ),
        process_id=process_id,
    )


def _shop(config: Config, database: Database, clock: Clock) -> Shop:
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


async def _rediscover(services: Services) -> None:
    """What suppliers offer changes while a server runs; one that was too slow at the start is asked again soon."""
    for pause_seconds in chain([DISCOVERY_PATIENCE_SECONDS * 10], repeat(DISCOVERY_SECONDS)):
        await asyncio.sleep(pause_seconds)
        discovered = await services.providers.discover()
        services.catalog.replace(load(services.config.catalog_path, discovered))


def _app(services: Services, mcp: Mapping[str, Endpoint]) -> Starlette:
    door = Door(services.bearer, services.rate_limit)
    session_door = Door(BearerOrSession(services.bearer, services.cookies), services.rate_limit)
    files = PictureFiles(services.blobs, PictureDelivery(services.blobs, services.pool))
    checks = {"database": _database_check(services.database), "blobs": services.blobs.check}
    web = _web(services)
    routes: list[BaseRoute] = [
        *web.routes(),
        *MetricsRoutes(services.database, services.providers, services.clock, services.config.metrics_token).routes(),
        *HealthRoutes(checks, lambda: services.state.stopping).routes(),
        *ImageRoutes(services.images, services.links, files).routes(door),
        *AccountRoutes(services.images).routes(door),
        *UsageRoutes(services.images).routes(door),
        *KeyRoutes(services.database, services.clock).routes(session_door),
        *PaymentRoutes(services.shop).routes(),
        *WebhookRoutes(services.database, services.fetcher, services.clock).routes(door),
        *OpenApiRoutes(public_url=services.config.public_url, version=__version__).routes(),
        *EventRoutes(services.images, services.links, services.pool).routes(door),
        *UploadRoutes(services.uploads, services.upload_links).routes(door),
        *OpenAiRoutes(services.images, services.links, services.bearer, services.rate_limit).routes(),
        *_oauth_routes(services),
        *LinkRoutes(services.database, files, services.links).routes(),
        Route("/api/mcp", _guarded(services, mcp[services.config.edition])),
        Route("/getimages/api/mcp", _guarded(services, mcp["getimages"])),
        Route("/image-mcp/api/mcp", _guarded(services, mcp["image-mcp"])),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(RequestIds), Middleware(BodyLimit, services.config.max_body_bytes)],
        exception_handlers={ServiceError: show, 404: _no_such_page(web), 405: _no_such_method},
    )


def _oauth_routes(services: Services) -> list[Route]:
    if not services.config.oauth:
        return closed_routes()
    return OAuthDoor(
        database=services.database,
        clients=services.oauth_clients,
        resources=Resources(services.config.public_url),
        limit=services.address_limit,
        addresses=services.addresses,
        clock=services.clock,
    ).routes()


async def _sweep_oauth(services: Services) -> None:
    def sweep(tx: Transaction) -> None:
        for each in (connections, oauth_clients, consents):
            each.sweep(tx, services.clock())

    await services.database.write(sweep)


def _web(services: Services) -> Web:
    config = services.config
    return Web(
        WebParts(
            site=Site(config.public_url, config.sign_up, config.billing, config.stripe_secret_key is not None),
            clock=services.clock,
            database=services.database,
            images=services.images,
            links=services.links,
            catalog=services.catalog,
            cookies=services.cookies,
            address_limit=services.address_limit,
            addresses=services.addresses,
            mailer=_mailer(config),
            welcome=_welcome(config, services.clock),
            welcome_credits=config.sign_up_credits,
            packs=config.packs,
            shop=services.shop,
            blobs=services.blobs,
            fetcher=services.fetcher,
            describe_api=lambda: openapi.document(config.public_url, __version__),
            artist=Sketch(),
            oauth=OAuthParts(services.oauth_clients, Resources(config.public_url)) if config.oauth else None,
            stopping=lambda: services.state.stopping,
        )
    )


def _mailer(config: Config) -> Smtp | None:
    if config.smtp_url is None:
        return None
    try:
        return Smtp(config.smtp_url, public_host=urlsplit(config.public_url).hostname or "localhost")
    except BadMailUrl as problem:
        raise BadConfiguration(str(problem)) from None


def _welcome(config: Config, clock: Clock) -> Callable[[Transaction, str], None]:
    """What a new account starts with, once."""

    def welcome(tx: Transaction, account_id: str) -> None:
        if config.sign_up_credits:
            entry = ledger.Entry("Sign-up credits", unique_key=f"sign-up:{account_id}")
            ledger.add(tx, account_id, config.sign_up_credits, "grant", entry, clock())

    return welcome


def _billing_page(config: Config) -> str | None:
    """Where credits are sold, if they are."""
    return f"{config.public_url}/dashboard/billing" if config.billing and config.stripe_secret_key else None


def _guarded(services: Services, endpoint: Endpoint) -> Guard:
    hosts = _hosts(services.config)
    return Guard(
        Delivery(endpoint.app, services.images),
        bearer=services.bearer,
        rate_limit=services.rate_limit,
        sessions=Sessions(services.keyring),
        allowed_hosts=hosts,
        allowed_origins=_origins(services.config),
        scope_of=endpoint.scope_of,
    )


def _hosts(config: Config) -> frozenset[str]:
    """The names a request may come by: the public URL's (with and without its port), and this machine's own."""
    public = urlsplit(config.public_url)
    port = public.port or (443 if public.scheme == "https" else 80)
    return frozenset({public.netloc, f"{public.hostname}", f"{public.hostname}:{port}", *_local_hosts(config)})


def _origins(config: Config) -> frozenset[str]:
    return frozenset({config.public_url, *(f"http://{host}" for host in _local_hosts(config))})


def _local_hosts(config: Config) -> list[str]:
    return [f"{name}:{config.port}" for name in ("127.0.0.1", "localhost", "[::1]")]


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


def _database_check(database: Database) -> Callable[[], Coroutine[Any, Any, None]]:
    async def check() -> None:
        await database.read(lambda tx: tx.scalar("SELECT 1"))

    return check


async def _repeat(work: Callable[[], Coroutine[Any, Any, object]], seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except OSError as problem:
            log.warning("a regular task waits for the database", error=str(problem))


@asynccontextmanager
async def _in_its_own_task(context: AbstractAsyncContextManager[None]) -> AsyncGenerator[None]:
    """Enter and leave a context in one task, as the SDK's task groups demand, whoever's tasks we are called in."""
    entered, leave = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with context:
            entered.set()
            await leave.wait()

    task = asyncio.create_task(hold())
    await entered.wait()
    try:
        yield
    finally:
        leave.set()
        await task


@asynccontextmanager
async def _background(work: Sequence[Coroutine[Any, Any, None]]) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(each) for each in work]
    for task in tasks:
        task.add_done_callback(_log_end)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


def _log_end(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (problem := task.exception()) is not None:
        log.error("a background task ended", exc_info=problem)


def _no_such_page(web: Web) -> Callable[[Request, Exception], Coroutine[Any, Any, Response]]:
    async def show_it(request: Request, error: Exception) -> Response:
        missing = NotFound(f"There is nothing at {request.url.path[:200]}.")
        if "text/html" in request.headers.get("accept", ""):
            return await web.failure(request, missing)
        return error_response(missing, request.scope)

    return show_it


async def _no_such_method(request: Request, error: Exception) -> Response:
    allowed = ", ".join(sorted(_methods_at(request)))
    response = error_response(
        NotFound("That path does not take this method.", next_step=f"Use one of: {allowed}."), request.scope
    )
    response.status_code = 405
    response.headers["Allow"] = allowed
    return response


def _methods_at(request: Request) -> set[str]:
    """All that a path takes: the framework knows only the first route that has it."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    return {
        method
        for route in routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
