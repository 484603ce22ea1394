"""From settings to issuers: GitHub by its own protocol, everybody else by OpenID Connect."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from limner.db.types import Clock
from limner.issuers import wire
from limner.issuers.base import Issuer, IssuerSettings
from limner.issuers.github import GitHub
from limner.issuers.openid import OpenId, Registration


@asynccontextmanager
async def open_issuers(settings: Sequence[IssuerSettings], clock: Clock) -> AsyncGenerator[Sequence[Issuer]]:
    """All of them share one pool."""
    async with wire.open_client() as http:
        yield [_issuer(each, http, clock) for each in settings]


def _issuer(settings: IssuerSettings, http: wire.Client, clock: Clock) -> Issuer:
    if settings.id == "github":
        return GitHub(settings.id, settings.name, settings.issuer, settings.client_id, settings.secret or "", http)
    registration = Registration(settings.client_id, settings.secret, settings.scopes)
    return OpenId(settings.id, settings.name, settings.issuer, registration, http, clock)
