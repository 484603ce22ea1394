"""No key, secret or link can be read back: not in the database, the log at its most talkative, an error, or the metrics."""

import asyncio
import base64
import re
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

import httpx2
import psycopg
import pytest
from tests.faults.test_kill import make_account, ready
from tests.oauth.client import call_mcp, register
from tests.peers.openai import OpenAIPeer
from tests.peers.smtp import mail_server
from tests.peers.stripe import StripePeer
from tests.service import Service, free_port
from tests.subprocesses import ENVIRONMENT
from tests.web.browser import PASSWORD, follow, stranger

from limner.accounts import keys, sign_in
from limner.accounts.keys import NewKey
from limner.accounts.principal import SCOPES
from limner.credits import codes
from limner.db.base import Transaction
from limner.db.engine import open_database
from limner.db.types import now
from limner.db.url import sqlite_path

OPERATORS = {
    "LIMNER_OPENAI_API_KEY": "canary-openai-5d1c77a0",
    "LIMNER_STRIPE_SECRET_KEY": "canary-stripe-0b9f3e21",
    "LIMNER_STRIPE_WEBHOOK_SECRET": "canary-webhook-77ab10cd",
    "LIMNER_METRICS_TOKEN": "canary-metrics-4e4e9a90",
    "LIMNER_SECRET_KEYS": "canary-signing-c0ffee11",
}
"""What the operator configures."""

MAIL_PASSWORD = "canary-mail-93ad51f6"


@dataclass
class Front:
    """A running server as the outside sees it."""

    url: str

    def client(self, key: str | None = None) -> httpx2.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=60)


@pytest.mark.timeout(240)
async def test_no_secret_can_be_read_back_anywhere(tmp_path: Path, database_url: str) -> None:
    _, key = await make_account(database_url)
    log = tmp_path / "log"
    async with talkative_server(tmp_path, database_url, log) as front:
        kept, answers = await everything_that_handles_secrets(front, database_url, key)
        async with front.client(OPERATORS["LIMNER_METRICS_TOKEN"]) as http:
            answers.append((await http.get("/metrics")).text)
    places = {"log": log.read_text(), "answers": "\n".join(answers), "database": stored(database_url)}
    assert "limner_requests_total" in places["answers"]
    assert places["log"].count('"event": "request"') > 30
    assert "owner@example.org" in places["database"]
    found = [
        (name, what)
        for what, secret in {**kept, **OPERATORS, "mail password": MAIL_PASSWORD}.items()
        for name, text in places.items()
        for spelling in spellings(secret)
        if spelling in text
    ]
    assert found == []


@asynccontextmanager
async def talkative_server(data_dir: Path, database_url: str, log: Path) -> AsyncIterator[Front]:
    """`limner serve` with every secret it can have, logging all it can say."""
    port = free_port()
    with OpenAIPeer() as openai, StripePeer() as stripe:
        async with mail_server() as post:
            address = urlsplit(post.url)
            environ = (
                ENVIRONMENT
                | OPERATORS
                | {
                    "LIMNER_DATA_DIR": str(data_dir),
                    "LIMNER_DATABASE_URL": database_url,
                    "LIMNER_OPENAI_BASE_URL": openai.base_url,
                    "LIMNER_STRIPE_BASE_URL": stripe.base_url,
                    "LIMNER_SMTP_URL": f"smtp://limner:{MAIL_PASSWORD}@{address.netloc}",
                    "LIMNER_SIGNUP": "open",
                    "LIMNER_LOG": "json",
                    "LIMNER_LOG_LEVEL": "debug",
                }
            )
            command = [sys.executable, "-m", "limner", "serve", "--port", str(port)]
            with log.open("wb") as stderr:
                process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=stderr, stderr=stderr)
            try:
                await ready(port, process)
                yield Front(f"http://127.0.0.1:{port}")
            finally:
                process.terminate()
                await process.wait()


async def everything_that_handles_secrets(
    front: Front, database_url: str, key: str
) -> tuple[dict[str, str], list[str]]:
    """The secrets that came up, and every answer that must not tell any."""
    kept, answers = {"key": key}, []
    made = await prepared(database_url)
    kept |= {"manager": made["manager"], "code": made["code"], "sign-in link": made["link"].rpartition("/")[2]}
    await use_keys(front, key, made["manager"], kept, answers)
    await make_pictures(front, key, kept, answers)
    await be_refused(front, key, kept, answers)
    await sign_in_and_connect(front, made, kept, answers)
    return kept, answers


async def prepared(database_url: str) -> dict[str, str]:
    """What comes from the command line."""

    def make(tx: Transaction) -> dict[str, str]:
        account_id = tx.scalar("SELECT id FROM accounts")
        return {
            "manager": keys.create(tx, account_id, NewKey(scopes=frozenset(SCOPES)), now())[1],
            "code": codes.create(tx, 5, now(), description="Code")[1],
            "link": sign_in.sign_in_link(tx, "owner@example.org", now()),
        }

    database = await open_database(database_url)
    try:
        return await database.write(make)
    finally:
        await database.close()


async def use_keys(front: Front, key: str, manager: str, kept: dict[str, str], answers: list[str]) -> None:
    async with front.client(manager) as http:
        child = (await http.post("/api/v1/keys", json={"name": "child"})).json()
        rotated = (await http.post(f"/api/v1/keys/{child['key']['id']}/rotate")).json()
        kept |= {"child key": child["secret"], "rotated key": rotated["secret"]}
        answers.append((await http.get("/api/v1/keys")).text)
        answers.append((await http.delete("/api/v1/keys/current")).text)
    answers.append((await call_mcp(cast("Service", front), key)).text)


async def make_pictures(front: Front, key: str, kept: dict[str, str], answers: list[str]) -> None:
    async with front.client(key) as http, front.client() as anybody:
        for body in ({"prompt": "a pier"}, {"prompt": "a pier", "modelId": "openai:gpt-image-2"}):
            made = (await http.post("/api/v1/images/generate", json={**body, "includeBytes": False})).json()
            link = made["image"]["imageUrl"]
            kept[f"signature of {body}"] = link.partition("/i/")[2].partition("/")[0]
            assert (await anybody.get(link)).status_code == 200
            answers.append((await anybody.get(f"{link}x")).text)
        upload = (await http.post("/api/v1/uploads", json={"mediaType": "image/png"})).json()["uploadUrl"]
        kept["signature of an upload"] = upload.partition("/u/")[2].partition("/")[0]
        answers.append((await anybody.put(upload, content=b"no picture")).text)
        openai = await http.post("/v1/images/generations", json={"prompt": "a pier", "response_format": "url"})
        kept["signature by OpenAI's door"] = openai.json()["data"][0]["url"].partition("/i/")[2].partition("/")[0]


async def be_refused(front: Front, key: str, kept: dict[str, str], answers: list[str]) -> None:
    wrong = keys.mint()
    kept |= {"unknown key": wrong, "mistyped key": f"{key[:-1]}-"}
    for sent in (wrong, kept["mistyped key"]):
        async with front.client(sent) as http:
            for path in ("/api/v1/account", "/v1/models", "/api/v1/nothing"):
                answers.append((await http.get(path)).text)
            answers.append((await http.post("/api/mcp", content=b"{}")).text)
            answers.append((await http.get("/metrics")).text)
    async with front.client(key) as http:
        answers.append((await http.post("/api/v1/images/generate", json={"prompt": "", "modelId": key})).text)
        signed = {"Stripe-Signature": "t=1,v1=00"}
        answers.append((await http.post("/webhooks/stripe", content=b"{}", headers=signed)).text)
    answers[:] = [answer.replace(f"'{key}'", "") for answer in answers]  # what was sent as a value is told as a value


async def sign_in_and_connect(front: Front, made: dict[str, str], kept: dict[str, str], answers: list[str]) -> None:
    service = cast("Service", front)
    async with stranger(service) as browser:
        await browser.post("/sign-in", data={"email": "owner@example.org", "way": "link"})
        await browser.post("/sign-up", data={"email": "new@example.org"})
        await follow(browser, made["link"], password=PASSWORD)
        kept |= {"password": PASSWORD}
        kept |= {f"cookie {name}": value for name, value in browser.cookies.items() if len(value) > 30}
        answers.append((await browser.post("/dashboard/billing/redeem", data={"code": made["code"]})).text)
        answers.append((await browser.post("/dashboard/billing/redeem", data={"code": made["code"]})).text)
        client = await register(service)
        code = await client.code(browser)
        tokens = (await client.redeem(code)).json()
        answers.append((await client.redeem(code)).text)
        kept |= {"authorization code": code, "access token": tokens["access_token"]}
        kept |= {"refresh token": tokens["refresh_token"], "verifier": client.verifier}
        answers.append((await call_mcp(service, tokens["access_token"])).text)
        answers.append((await browser.post("/sign-in", data={"email": "owner@example.org", "password": PASSWORD})).text)


def spellings(secret: str) -> list[str]:
    """As it is, and as it would stand in JSON, in an address, in a dump of bytes, or encoded for transport."""
    data = secret.encode()
    return [secret, quote(secret, safe=""), data.hex(), base64.b64encode(data).decode().rstrip("=")]


def stored(database_url: str) -> str:
    """Everything in the database, readable: the files of SQLite, and every row of PostgreSQL."""
    path = sqlite_path(database_url)
    if path is None:
        return dump(database_url)
    with closing(sqlite3.connect(path)) as connection:
        rows = "\n".join(connection.iterdump())
    files = "\n".join(each.read_bytes().decode("latin-1") for each in Path(path).parent.glob(f"{Path(path).name}*"))
    return f"{rows}\n{files}"


def dump(url: str) -> str:
    with psycopg.connect(re.sub(r"^postgres(ql)?(\+\w+)?:", "postgresql:", url)) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        return "\n".join(copied(connection, table) for (table,) in tables)


def copied(connection: psycopg.Connection[Any], table: str) -> str:
    with connection.cursor().copy(f'COPY "{table}" TO STDOUT') as rows:  # type: ignore[arg-type]
        return b"".join(bytes(piece) for piece in rows).decode()
