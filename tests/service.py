"""A real server for tests: every part, over HTTP on a loopback port, on either database.

`Service.sketch` is the built-in provider with a script: tests make it wait or fail through `Stage`.
"""

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from tests.object_store import CREDENTIALS, ObjectStore, object_store

from limner.accounts import accounts, keys
from limner.accounts.keys import NewKey
from limner.app import Services, running
from limner.config import Config
from limner.credits import ledger
from limner.db.types import now
from limner.http.connections import WatchedHttp
from limner.images import audit
from limner.providers.base import ImageRequest
from limner.providers.registry import Providers, ProviderSettings
from limner.providers.sketch import Sketch

SKETCH = "limner:sketch"


@dataclass
class Stage:
    """What the built-in provider does before it draws: hold prompts until `let_go`, fail those with an error."""

    holding: bool = False
    errors: dict[str, Exception] = field(default_factory=dict)
    seen: list[ImageRequest] = field(default_factory=list)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, request: ImageRequest) -> None:
        self.seen.append(request)
        self._arrived.set()
        if (error := self.errors.get(request.prompt)) is not None:
            raise error
        if self.holding:
            await self._let_go.wait()

    async def arrival(self, count: int = 1) -> None:
        """Until that many requests reached the provider, counted from the start."""
        async with asyncio.timeout(20):
            while len(self.seen) < count:
                self._arrived.clear()
                await self._arrived.wait()

    def let_go(self) -> None:
        self.holding = False
        self._let_go.set()


class ScriptedProviders(Providers):
    """The configured providers, the built-in one with a script."""

    def __init__(self, settings: ProviderSettings, stage: Stage) -> None:
        super().__init__(settings)
        self._providers["limner"] = Sketch(script=stage)


@dataclass
class Service:
    """A running server and what a user of it has: an account with credits, a key, a client."""

    services: Services
    url: str
    stage: Stage
    account_id: str
    key: str
    http: httpx2.AsyncClient

    @asynccontextmanager
    async def mcp(
        self, mode: str = "auto", *, key: str | None = None, path: str = "/api/mcp", **options: Any
    ) -> AsyncIterator[Client]:
        """The official client, `auto` (2026-07-28) or `legacy` (initialize)."""
        headers = {"Authorization": f"Bearer {key or self.key}"}
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            transport = streamable_http_client(f"{self.url}{path}", http_client=http)
            async with Client(transport, mode=mode, **options) as client:
                yield client

    def client(self, key: str | None = None) -> httpx2.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=60)

    async def generate(self, **body: Any) -> httpx2.Response:
        return await self.http.post(
            "/api/v1/images/generate", json={"prompt": "a quiet lake", "includeBytes": False} | body
        )

    async def account(self, email: str, credits: int = 100, **key: Any) -> tuple[str, str]:
        """A further account; its id and an API key."""
        return await make_account(self.services, email, credits, NewKey(**key))

    async def make_key(self, **key: Any) -> str:
        return await self.services.database.write(lambda tx: keys.create(tx, self.account_id, NewKey(**key), now())[1])

    async def balance(self) -> ledger.Balance:
        return await self.services.database.read(lambda tx: ledger.balance(tx, self.account_id))

    async def transaction_types(self, most: int = 100) -> list[str]:
        lines = await self.services.database.read(
            lambda tx: ledger.transactions(tx, self.account_id, limit=most, offset=0)
        )
        return [line.type for line in reversed(lines)]

    async def audit(self) -> list[audit.Problem]:
        return (await audit.run(self.services.database, self.services.blobs))[1]


async def make_account(services: Services, email: str, credits: int, key: NewKey) -> tuple[str, str]:
    def make(tx: Any) -> tuple[str, str]:
        account_id, _ = accounts.create(tx, email, now(), verified=True)
        if credits:
            ledger.add(tx, account_id, credits, "grant", ledger.Entry("Opening balance"), now())
        return account_id, keys.create(tx, account_id, key, now())[1]

    return await services.database.write(make)


@asynccontextmanager
async def serving(
    data_dir: Path,
    database_url: str,
    *,
    credits: int = 100,
    env: Mapping[str, str] | None = None,
    clock: Callable[[], datetime] = now,
) -> AsyncIterator[Service]:
    """A server with one account (owner@example.org) and one key."""
    port, stage = free_port(), Stage()
    async with (
        one_server(data_dir, database_url, port, stage, env or {}, clock) as services,
        used(services, f"http://127.0.0.1:{port}", stage, credits) as service,
    ):
        yield service


@asynccontextmanager
async def one_server(
    data_dir: Path,
    database_url: str,
    port: int,
    stage: Stage,
    env: Mapping[str, str],
    clock: Callable[[], datetime] = now,
) -> AsyncIterator[Services]:
    environ = {"LIMNER_DATA_DIR": str(data_dir), "LIMNER_DATABASE_URL": database_url, "LIMNER_RATE_LIMIT": "0"}
    config = Config.from_env(environ | dict(env), port=port)
    async with (
        running(config, clock=clock, providers=lambda settings: ScriptedProviders(settings, stage)) as server,
        listening(server.app, port),
    ):
        yield server.services
        stage.let_go()


@asynccontextmanager
async def used(services: Services, url: str, stage: Stage, credits: int) -> AsyncIterator[Service]:
    """With an account and a key."""
    account_id, key = await make_account(services, "owner@example.org", credits, NewKey())
    patience = httpx2.Timeout(60, pool=None)  # a test may send more at once than there are connections
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=patience) as http:
        yield Service(services, url, stage, account_id, key, http)
        stage.let_go()


@asynccontextmanager
async def listening(app: Any, port: int) -> AsyncIterator[None]:
    options = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        lifespan="off",
        ws="none",
        proxy_headers=False,
        http=WatchedHttp,
    )
    server = uvicorn.Server(options)
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield
    finally:
        server.should_exit = True
        await task


async def until(condition: Callable[[], bool]) -> None:
    """Yields to the loop until something that has no event of its own is so."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 — there is no event to wait for
            await asyncio.sleep(0)


async def until_answer(ask: Callable[[], Awaitable[bool]]) -> None:
    """Asks until the answer is yes."""
    async with asyncio.timeout(20):
        while not await ask():  # noqa: ASYNC110 — there is no event to wait for
            await asyncio.sleep(0)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
async def service(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Service]:
    """A server on SQLite."""
    async with serving(tmp_path, sqlite_url) as running_service:
        yield running_service


@pytest.fixture(params=["one laptop", "many machines"])
async def any_service(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    """A server on SQLite, a directory and memory; then one on PostgreSQL, S3 and the engine of many processes."""
    if request.param == "one laptop":
        url, env = request.getfixturevalue("sqlite_url"), {}
    else:
        url, env = request.getfixturevalue("postgresql_url"), request.getfixturevalue("s3_env")
    async with serving(tmp_path, url, env=env) as running_service:
        yield running_service


@pytest.fixture(scope="session")
def _object_store() -> Iterator[ObjectStore]:
    with object_store() as store:
        yield store


@pytest.fixture
def s3_env(_object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A bucket of this test alone: settings for a server in this process, and for one in another with `CREDENTIALS`."""
    bucket = f"test-{uuid.uuid4().hex}"
    _object_store.make_bucket(bucket)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return {"LIMNER_BLOBS_URL": f"s3://{bucket}/pictures", "LIMNER_BLOBS_ENDPOINT": _object_store.endpoint}
