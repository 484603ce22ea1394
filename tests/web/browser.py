"""A browser without scripts: keeps cookies, names its origin, follows redirects."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from tests.service import Service

from limner.accounts import sign_in, users
from limner.accounts.passwords import Passwords
from limner.db.base import Transaction
from limner.db.types import now

PASSWORD = "correct horse battery"


@asynccontextmanager
async def stranger(service: Service, **headers: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Nobody yet; forms it sends come from our own pages."""
    async with httpx2.AsyncClient(
        base_url=service.url,
        headers={"Origin": service.url, "Accept": "text/html", **headers},
        follow_redirects=True,
        timeout=60,
    ) as client:
        yield client


@asynccontextmanager
async def signed_in(service: Service, email: str = "owner@example.org") -> AsyncIterator[httpx2.AsyncClient]:
    async with stranger(service) as browser:
        await follow(browser, await link_for(service, email))
        yield browser


async def link_for(service: Service, email: str) -> str:
    return await service.services.database.write(lambda tx: sign_in.sign_in_link(tx, email, now()))


async def follow(browser: httpx2.AsyncClient, path: str, **fields: str) -> httpx2.Response:
    return await browser.post(path, data=fields)


async def give_password(service: Service, email: str = "owner@example.org", password: str = PASSWORD) -> None:
    digest = await Passwords().digest(password)

    def put(tx: Transaction) -> None:
        user = users.find(tx, email)
        assert user is not None
        users.set_password(tx, user.id, digest)

    await service.services.database.write(put)


async def make_admin(service: Service, email: str = "owner@example.org") -> None:
    await service.services.database.write(
        lambda tx: tx.execute("UPDATE users SET is_admin = 1 WHERE email = :email", email=email)
    )
