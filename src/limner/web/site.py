"""The web door put together: from a few plain values and running parts to routes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts.oauth_clients import OAuthClients
from limner.accounts.passwords import Passwords
from limner.accounts.resources import Resources
from limner.accounts.sign_in import Welcome
from limner.blobs.base import Blobs
from limner.catalog.catalog import Catalog
from limner.credits.packs import Pack
from limner.credits.shop import Shop
from limner.db.base import Database
from limner.db.types import Clock
from limner.errors import ServiceError
from limner.fetching.fetcher import Fetcher
from limner.http.addresses import Addresses
from limner.http.ratelimit import AddressLimit
from limner.http.sessions import SessionCookies
from limner.images.links import ImageLinks
from limner.images.service import Images
from limner.issuers.base import Issuer
from limner.mail.base import Mailer
from limner.providers.base import Provider
from limner.web.admin import Admin, Operations
from limner.web.api_keys import ApiKeyPages
from limner.web.api_reference import ApiReference
from limner.web.billing import Billing
from limner.web.connect import Connect
from limner.web.connections import ConnectionPages
from limner.web.consent import Consent
from limner.web.docs import Docs, Library
from limner.web.door import PageDoor
from limner.web.frames import Frames
from limner.web.gallery import Gallery
from limner.web.live import Live
from limner.web.pages import Pages, Site
from limner.web.playground import Playground
from limner.web.prompts import PromptPages
from limner.web.public import PublicPages
from limner.web.samples import Samples
from limner.web.settings import Settings
from limner.web.sign_in import SignIn
from limner.web.sign_in_with import SignInWith
from limner.web.static import Static
from limner.web.usage import UsagePages
from limner.web.webhooks import WebhookPages


@dataclass(frozen=True, slots=True)
class OAuthParts:
    """What the consent page needs; there is none where OAuth is off."""

    clients: OAuthClients
    resources: Resources


@dataclass(frozen=True, slots=True)
class WebParts:
    """What the pages stand on."""

    site: Site
    clock: Clock
    database: Database
    images: Images
    links: ImageLinks
    catalog: Catalog
    cookies: SessionCookies
    address_limit: AddressLimit
    addresses: Addresses
    mailer: Mailer | None
    issuers: Sequence[Issuer]
    welcome: Welcome
    welcome_credits: int
    oauth: OAuthParts | None
    packs: Sequence[Pack]
    shop: Shop
    blobs: Blobs
    fetcher: Fetcher
    describe_api: Callable[[], Mapping[str, Any]]
    artist: Provider
    operations: Operations
    stopping: Callable[[], bool]


class Web:
    """Every page of the server. `render` and `door` serve pages of other doors (consent) too."""

    def __init__(self, parts: WebParts) -> None:
        self._parts = parts
        self._static = Static()
        self.pages = Pages(parts.site, self._static, parts.clock)
        self.door = PageDoor(parts.database, parts.cookies, self.pages)

    def routes(self) -> list[Route]:
        parts = self._parts
        passwords = Passwords()
        sign_in = SignIn(
            database=parts.database,
            cookies=parts.cookies,
            pages=self.pages,
            site=parts.site,
            passwords=passwords,
            limit=parts.address_limit,
            addresses=parts.addresses,
            mailer=parts.mailer,
            welcome=parts.welcome,
            welcome_credits=parts.welcome_credits,
            issuers=parts.issuers,
        )
        url = parts.site.public_url
        frames = Frames(parts.catalog, parts.links, parts.clock, url)
        library = Library.load()
        connect = Connect(parts.database, self.pages, url, oauth=parts.oauth is not None)
        return [
            *self._static.routes(),
            *sign_in.routes(self.door),
            *self._sign_in_with(sign_in).routes(self.door),
            *PublicPages(self.pages, parts.catalog, connect, parts.packs, parts.welcome_credits).routes(self.door),
            *Samples(parts.artist, parts.address_limit, parts.addresses).routes(self.door),
            *ApiReference(self.pages, library, parts.describe_api).routes(self.door),
            *Docs(self.pages, library, url).routes(self.door),
            *connect.routes(self.door),
            *UsagePages(parts.database, parts.images, frames, self.pages).routes(self.door),
            *Gallery(parts.database, parts.images, frames, self.pages, url).routes(self.door),
            *Playground(parts.images, frames, self.pages, url, parts.database).routes(self.door),
            *PromptPages(parts.database, parts.catalog, self.pages).routes(self.door),
            *ApiKeyPages(parts.database, self.pages, connect).routes(self.door),
            *Billing(parts.shop, self.pages, parts.address_limit).routes(self.door),
            *WebhookPages(parts.database, parts.fetcher, self.pages).routes(self.door),
            *self._settings(passwords, sign_in).routes(self.door),
            *self._admin().routes(self.door),
            *ConnectionPages(parts.database, self.pages, oauth=parts.oauth is not None).routes(self.door),
            *self._consent_routes(),
            *Live(parts.database, parts.images, parts.cookies, self.pages, parts.stopping).routes(self.door),
        ]

    def _settings(self, passwords: Passwords, sign_in: SignIn) -> Settings:
        parts = self._parts
        return Settings(
            database=parts.database,
            images=parts.images,
            pages=self.pages,
            passwords=passwords,
            letters=sign_in,
            issuers=parts.issuers,
            public_url=parts.site.public_url,
        )

    def _sign_in_with(self, sign_in: SignIn) -> SignInWith:
        parts = self._parts
        return SignInWith(
            database=parts.database,
            pages=self.pages,
            site=parts.site,
            issuers=parts.issuers,
            sign_in=sign_in,
            welcome=parts.welcome,
        )

    def _admin(self) -> Admin:
        parts = self._parts
        return Admin(
            database=parts.database,
            blobs=parts.blobs,
            catalog=parts.catalog,
            pages=self.pages,
            welcome=parts.welcome,
            public_url=parts.site.public_url,
            operations=parts.operations,
            cents_per_credit=min((pack.price_cents / pack.credits for pack in parts.packs), default=0),
        )

    def _consent_routes(self) -> list[Route]:
        oauth = self._parts.oauth
        if oauth is None:
            return []
        consent = Consent(self._parts.database, self.pages, oauth.clients, oauth.resources, self._parts.address_limit)
        return consent.routes(self.door)

    async def failure(self, request: Request, error: ServiceError) -> Response:
        """A failure as a page, for a browser that asked for one."""
        return await self.door.failure(request, error)
