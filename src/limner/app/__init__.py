"""Puts the parts together: a Config becomes running services and one ASGI app. Nothing else does."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from limner.accounts.low_balance import LowBalanceMail
from limner.app.background import in_background, in_its_own_task, rediscover, repeatedly, sweep_expired
from limner.app.generating import end_waits_soon, running_generations
from limner.app.observing import observed
from limner.app.routes import asgi_app, operations_app, public_routes
from limner.app.services import Services, billing_page, open_services
from limner.app.state import State
from limner.config import Config
from limner.db.lock import serving_lock
from limner.db.types import Clock, now
from limner.images.orphans import Orphans
from limner.images.retention import Retention
from limner.mcp_server.asking import Asking
from limner.mcp_server.editions.every import endpoints
from limner.mcp_server.saved_prompts import SavedPrompts
from limner.mcp_server.server import Endpoint
from limner.providers.registry import Providers, ProviderSettings
from limner.webhooks.sender import Sender

FLUSH_SECONDS = 5.0
HOUR_SECONDS = 3600.0
DAY_SECONDS = 86_400.0
SWEEP_SECONDS = 300.0
ORPHANS_SECONDS = 6 * 3600.0


@asynccontextmanager
async def running(
    config: Config, *, clock: Clock = now, providers: Callable[[ProviderSettings], Providers] = Providers
) -> AsyncGenerator["Server"]:
    """Everything one serving process needs, from the database up; it drains and closes at the end.

    Raises what a person must mend: BadConfiguration, BadCatalog, DatabaseTooNew, AlreadyServed, OSError.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(serving_lock(config.database_url))
        stack.enter_context(observed(config))
        services = await open_services(config, clock, providers, stack)
        mcp = _mcp_endpoints(services)
        for endpoint in mcp.values():
            await stack.enter_async_context(in_its_own_task(endpoint.run()))
        async with in_background(_housekeeping(services)):
            routes = public_routes(services, mcp)
            yield Server(services, asgi_app(services, routes), routes.routes)
            await _drain(services)
        await services.images.close()
        await services.api_keys.last_uses.flush()
        await services.access_tokens.last_uses.flush()


@asynccontextmanager
async def working(
    config: Config, *, clock: Clock = now, providers: Callable[[ProviderSettings], Providers] = Providers
) -> AsyncGenerator["Server"]:
    """What a process needs that only runs queued generations; its app answers whether it is well, nothing else.

    Raises what `running` raises.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(observed(config))
        services = await open_services(replace(config, runs_generations=True), clock, providers, stack)
        background = [
            *running_generations(services),
            repeatedly(services.keyring.refresh, FLUSH_SECONDS),
            rediscover(services),
        ]
        async with in_background(background):
            operators = operations_app(services)
            yield Server(services, operators, operators.routes)
            await _drain(services)
        await services.images.close()


@dataclass(frozen=True, slots=True)
class Server:
    """`app` answers on every port; `routes` are those that everybody may see."""

    services: Services
    app: ASGIApp
    routes: Sequence[BaseRoute]


def _mcp_endpoints(services: Services) -> dict[str, Endpoint]:
    config = services.config
    return endpoints(
        services.images,
        services.links,
        services.uploads,
        services.upload_links,
        SavedPrompts(services.database),
        confirm=Asking(services.keyring, services.clock),
        sell=Asking(services.keyring, services.clock, billing_page(config)),
        max_body_bytes=config.max_body_bytes,
    )


def _housekeeping(services: Services) -> list[Coroutine[Any, Any, None]]:
    """What a serving process does besides answering."""
    database, blobs, clock = services.database, services.blobs, services.clock
    sender = Sender(database=database, fetcher=services.fetcher, clock=clock)
    return [
        *running_generations(services),
        end_waits_soon(services),
        repeatedly(services.api_keys.last_uses.flush, FLUSH_SECONDS),
        repeatedly(services.access_tokens.last_uses.flush, FLUSH_SECONDS),
        repeatedly(lambda: sweep_expired(services), SWEEP_SECONDS),
        repeatedly(services.keyring.refresh, FLUSH_SECONDS),
        repeatedly(services.shop.reconcile, 6 * HOUR_SECONDS),
        sender.run(),
        repeatedly(sender.forget_old, DAY_SECONDS),
        repeatedly(services.rate_limit.sweep, HOUR_SECONDS),
        repeatedly(services.self_audit.run, HOUR_SECONDS),
        repeatedly(Retention(database=database, blobs=blobs, clock=clock).sweep, HOUR_SECONDS),
        repeatedly(services.uploads.sweep, SWEEP_SECONDS),
        repeatedly(Orphans(database, blobs, clock).sweep, ORPHANS_SECONDS),
        rediscover(services),
        *_letters(services),
    ]


def _letters(services: Services) -> list[Coroutine[Any, Any, None]]:
    """What is mailed by itself, where there is a mail server."""
    config, mailer = services.config, services.mailer
    if mailer is None or not config.billing:
        return []
    letters = LowBalanceMail(
        database=services.database, mailer=mailer, public_url=config.public_url, clock=services.clock
    )
    return [repeatedly(letters.send_due, FLUSH_SECONDS)]


async def _drain(services: Services) -> None:
    """Claim nothing more, and give what runs the time to end that the operator grants."""
    services.state.stop()
    await services.runner.stop(services.config.drain_seconds, services.state.pressed)


__all__ = ["Server", "Services", "State", "running", "working"]
