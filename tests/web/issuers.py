"""What the tests of signing in with an issuer share: a service that trusts one, and the way there and back."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from tests.peers.openid import OpenIdPeer, settings_of
from tests.service import Service, serving

from limner.accounts import users
from limner.credits import ledger
from limner.db.base import Transaction


@pytest.fixture
def issuer() -> Iterator[OpenIdPeer]:
    with OpenIdPeer() as peer:
        yield peer


@asynccontextmanager
async def open_service(tmp_path: Path, database_url: str, *peers: OpenIdPeer, **env: str) -> AsyncIterator[Service]:
    """Whoever an issuer vouches for may make an account; the second issuer is called `second`."""
    settings = {"LIMNER_SIGNUP": "open"}
    for name, peer in zip(("", "SECOND"), peers, strict=False):
        settings |= settings_of(peer, name)
    async with serving(tmp_path, database_url, env=settings | env) as service:
        yield service


@pytest.fixture
async def service_with(tmp_path: Path, database_url: str, issuer: OpenIdPeer) -> AsyncIterator[Service]:
    async with open_service(tmp_path, database_url, issuer) as service:
        yield service


async def come(browser: httpx2.AsyncClient, path: str = "/sign-in/with/oidc") -> httpx2.Response:
    """Out to the issuer and back, to the page it ends on."""
    return await browser.get(path)


async def way_back(browser: httpx2.AsyncClient, path: str = "/sign-in/with/oidc") -> str:
    """Out to the issuer; the address it sends the browser back to, not yet opened."""
    asked = await browser.get(path, follow_redirects=False)
    answered = await browser.get(asked.headers["location"], follow_redirects=False)
    return answered.headers["location"]


async def user(service: Service, email: str) -> users.User | None:
    return await service.services.database.read(lambda tx: users.find(tx, email))


async def balance_of(service: Service, email: str) -> int:
    def read(tx: Transaction) -> int:
        found = users.find(tx, email)
        assert found is not None
        return ledger.balance(tx, users.memberships(tx, found.id)[0].account_id).available

    return await service.services.database.read(read)


async def go_on(browser: httpx2.AsyncClient, page: httpx2.Response) -> httpx2.Response:
    """What a browser does with the page between the settings and the issuer."""
    assert page.status_code == 200
    return await browser.get(page.headers["refresh"].partition("url=")[2])
