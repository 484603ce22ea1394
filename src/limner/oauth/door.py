"""The OAuth door: its routes when it is open, cheap answers when it is not."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts.oauth_clients import OAuthClients
from limner.accounts.resources import MCP_PATHS, Resources
from limner.db.base import Database
from limner.db.types import Clock
from limner.errors import NotFound, RateLimited
from limner.http.addresses import Addresses
from limner.http.challenges import METADATA_PATH
from limner.http.errors import error_response
from limner.http.ratelimit import AddressLimit
from limner.oauth.metadata import SERVER_PATHS, MetadataRoutes
from limner.oauth.register import Registration
from limner.oauth.replies import CORS, refusal
from limner.oauth.token import Tokens

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Frequency:
    """How often one address may call: `burst` at once, then one every `seconds_each`."""

    burst: int
    seconds_each: int


REGISTRATIONS = Frequency(30, 20)
EXCHANGES = Frequency(200, 1)
"""Generous, because a chat service calls for all its users from a few addresses."""


@dataclass(frozen=True, slots=True)
class OAuthDoor:
    database: Database
    clients: OAuthClients
    resources: Resources
    limit: AddressLimit
    addresses: Addresses
    clock: Clock

    def routes(self) -> list[Route]:
        tokens = Tokens(self.database, self.clients, self.resources, self.clock)
        return [
            *MetadataRoutes(self.resources, reads_documents=self.clients.reads_documents).routes(),
            self._route("/oauth/register", Registration(self.clients, self.clock), "oauth-register", REGISTRATIONS),
            self._route("/oauth/token", tokens.issue, "oauth-token", EXCHANGES),
            self._route("/oauth/revoke", tokens.revoke, "oauth-token", EXCHANGES),
        ]

    def _route(self, path: str, handler: Handler, what: str, frequency: Frequency) -> Route:
        async def endpoint(request: Request) -> Response:
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=CORS)
            try:
                await self.limit.check(
                    what,
                    self.addresses.of(request.scope),
                    burst=frequency.burst,
                    seconds_each=frequency.seconds_each,
                )
                return await handler(request)
            except RateLimited as error:
                retry = {"Retry-After": str(error.retry_after_seconds)}
                return refusal("temporarily_unavailable", error.message, 429, retry)
            except ClientDisconnect:
                return Response(status_code=499)  # nobody is there to read it

        return Route(path, endpoint, methods=["POST", "OPTIONS"])


def closed_routes() -> list[Route]:
    """Everything clients probe for on a server without OAuth: 404 in JSON, at no cost."""
    probes = (METADATA_PATH, *SERVER_PATHS)
    paths = [
        *(f"{probe}{{rest:path}}" for probe in probes),
        *(f"{each}{probe}" for probe in probes for each in MCP_PATHS),
        "/register",
        "/oauth/{rest:path}",
    ]
    return [Route(path, _nothing, methods=["GET", "POST", "OPTIONS"]) for path in paths]


async def _nothing(request: Request) -> Response:
    closed = NotFound(
        "This server has no OAuth; connect with an API key.", next_step="Send the key as 'Authorization: Bearer sk_…'."
    )
    return error_response(closed, request.scope)
