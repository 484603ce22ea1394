"""The one ASGI app: every door, behind what stands round every request."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from limner import __version__
from limner.accounts.resources import Resources
from limner.app.addresses import allowed_hosts, allowed_origins
from limner.app.services import Services
from limner.config import Config
from limner.credits import ledger
from limner.credits.audit import Problem
from limner.db.base import Transaction
from limner.db.check import check as check_database
from limner.db.types import Clock
from limner.errors import NotFound, ServiceError
from limner.http.errors import error_response
from limner.http.middleware import BodyLimit, RequestIds
from limner.http.routing import Directory, Missing, Refusing
from limner.http.sessions import BearerOrSession
from limner.images.delivery import PictureDelivery
from limner.mcp_server.clients import Sessions
from limner.mcp_server.delivery import Delivery
from limner.mcp_server.guard import Guard
from limner.mcp_server.server import Endpoint
from limner.oauth.door import OAuthDoor, closed_routes
from limner.openai_api.routes import OpenAiRoutes, error_answer
from limner.providers.sketch import Sketch
from limner.rest import openapi
from limner.rest.account import AccountRoutes
from limner.rest.door import Door, NoRoute
from limner.rest.events import EventRoutes
from limner.rest.files import PictureFiles
from limner.rest.health import HealthRoutes
from limner.rest.images import ImageRoutes
from limner.rest.keys import KeyRoutes
from limner.rest.links import LinkRoutes
from limner.rest.metrics import MetricsRoutes
from limner.rest.openapi import OpenApiRoutes
from limner.rest.payments import PaymentRoutes
from limner.rest.prompts import PromptRoutes
from limner.rest.uploads import UploadRoutes
from limner.rest.usage import UsageRoutes
from limner.rest.webhooks import WebhookRoutes
from limner.web.admin import Operations
from limner.web.pages import Site
from limner.web.site import OAuthParts, Web, WebParts


class ByPort:
    """The operator's port shows how the process does and nothing else; every other one shows the service."""

    def __init__(self, public: ASGIApp, operators: ASGIApp, port: int) -> None:
        self._public = public
        self._operators = operators
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        came_to = (scope.get("server") or ("", None))[1]
        await (self._operators if came_to == self._port else self._public)(scope, receive, send)


def operations_app(services: Services) -> Starlette:
    """Metrics without a token, and health: for a port that only the operator reaches."""
    return Starlette(routes=[*_metrics(services).open_routes(), *_health(services).routes()])


def public_routes(services: Services, mcp: Mapping[str, Endpoint]) -> Directory:
    """Every door."""
    door = Door(services.bearer, services.rate_limit)
    session_door = Door(BearerOrSession(services.bearer, services.cookies), services.rate_limit)
    delivery = PictureDelivery(services.blobs, services.pool, services.parts.signer)
    files = PictureFiles(services.blobs, delivery, services.config.x_accel)
    web = _web(services)
    no_route = NoRoute(services.bearer, services.rate_limit)
    routes: list[Route] = [
        *web.routes(),
        *_metrics(services).routes(),
        *_health(services).routes(),
        *ImageRoutes(services.images, services.links, files).routes(door),
        *AccountRoutes(services.images).routes(door),
        *UsageRoutes(services.images).routes(door),
        *KeyRoutes(services.database, services.clock).routes(session_door),
        *PaymentRoutes(services.shop).routes(),
        *WebhookRoutes(services.database, services.fetcher, services.clock).routes(door),
        *PromptRoutes(services.database, services.clock).routes(door),
        *OpenApiRoutes(public_url=services.config.public_url, version=__version__).routes(),
        *EventRoutes(services.images, services.links, services.pool).routes(door),
        *UploadRoutes(services.uploads, services.upload_links).routes(door),
        *OpenAiRoutes(
            services.images, services.links, services.bearer, services.rate_limit, services.parts.signer
        ).routes(),
        *_oauth_routes(services),
        *LinkRoutes(services.database, files, services.links, services.clock).routes(),
        Route("/api/mcp", _guarded(services, mcp[services.config.edition])),
        Route("/getimages/api/mcp", _guarded(services, mcp["getimages"])),
        Route("/image-mcp/api/mcp", _guarded(services, mcp["image-mcp"])),
    ]
    return Directory(routes, missing=_no_such_page(web, no_route), refusing=_no_such_method(no_route))


def asgi_app(services: Services, routes: Directory) -> ASGIApp:
    """The doors behind what stands round every request, and the operator's port where there is one."""
    config = services.config
    no_route = NoRoute(services.bearer, services.rate_limit)
    public = RequestIds(BodyLimit(routes, config.max_body_bytes, _drawn, no_route.note), _drawn)
    if config.metrics_port is None:
        return public
    return ByPort(public, operations_app(services), config.metrics_port)


def _metrics(services: Services) -> MetricsRoutes:
    return MetricsRoutes(services.database, services.providers, services.clock, services.config.metrics_token)


def _health(services: Services) -> HealthRoutes:
    checks = {"database": partial(check_database, services.database), "blobs": services.blobs.check}
    return HealthRoutes(checks, lambda: services.state.stopping)


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
            issuers=services.issuers,
            mailer=services.mailer,
            welcome=_welcome(config, services.clock),
            welcome_credits=config.sign_up_credits,
            packs=config.packs,
            shop=services.shop,
            blobs=services.blobs,
            fetcher=services.fetcher,
            describe_api=lambda: openapi.document(config.public_url, __version__),
            artist=Sketch(),
            oauth=OAuthParts(services.oauth_clients, Resources(config.public_url)) if config.oauth else None,
            operations=Operations(
                places=lambda: services.providers.hands,
                down=lambda: services.providers.down,
                book_problems=lambda: _count(services.self_audit.problems),
            ),
            stopping=lambda: services.state.stopping,
        )
    )


def _guarded(services: Services, endpoint: Endpoint) -> Guard:
    hosts = allowed_hosts(services.config)
    return Guard(
        Delivery(endpoint.app, services.images),
        bearer=services.bearer,
        rate_limit=services.rate_limit,
        sessions=Sessions(services.keyring),
        allowed_hosts=hosts,
        allowed_origins=allowed_origins(services.config),
        scope_of=endpoint.scope_of,
    )


def _count(problems: list[Problem] | None) -> int | None:
    return None if problems is None else len(problems)


def _welcome(config: Config, clock: Clock) -> Callable[[Transaction, str], None]:
    """What a new account starts with, once."""

    def welcome(tx: Transaction, account_id: str) -> None:
        if config.sign_up_credits:
            entry = ledger.Entry("Sign-up credits", unique_key=f"sign-up:{account_id}")
            ledger.add(tx, account_id, config.sign_up_credits, "grant", entry, clock())

    return welcome


def _drawn(error: ServiceError, scope: Scope) -> Response:
    """A failure that no door saw, in the shape of the door it was meant for."""
    return error_answer(error, scope) if scope["path"].startswith("/v1/") else error_response(error, scope)


def _no_such_page(web: Web, no_route: NoRoute) -> Missing:
    async def missing(request: Request) -> Response:
        await no_route.note(request.scope)
        problem = NotFound(f"There is nothing at {request.url.path[:200]}.")
        if "text/html" in request.headers.get("accept", ""):
            return await web.failure(request, problem)
        return _drawn(problem, request.scope)

    return missing


def _no_such_method(no_route: NoRoute) -> Refusing:
    async def refusing(request: Request, methods: Sequence[str]) -> Response:
        await no_route.note(request.scope)
        allowed = ", ".join(methods)
        problem = NotFound("That path does not take this method.", next_step=f"Use one of: {allowed}.")
        response = _drawn(problem, request.scope)
        response.status_code = 405
        response.headers["Allow"] = allowed
        return response

    return refusing
