"""The official clients sign a user in by themselves: registered, by a metadata document, and again for one more scope."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from tests.node_tools import FOLDER, Node
from tests.oauth.client import CALLBACK, ticket_of
from tests.peers.https import Answer, Authority, Peer, Request, authority, peer, response, tls_in_front  # noqa: F401
from tests.service import Service, free_port, serving
from tests.web.browser import link_for, signed_in

from limner.fetching.fetcher import Fetcher


@dataclass
class Memory:
    """What a client keeps between its runs."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@dataclass
class User:
    """Says yes to everything, in a signed-in browser; `scopes` narrows what is allowed, one entry for each time asked."""

    browser: httpx2.AsyncClient
    scopes: list[list[str]] = field(default_factory=list)
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    answer: dict[str, str] = field(default_factory=dict)

    async def open(self, url: str) -> None:
        query = parse_qs(urlsplit(url).query)
        self.asked.append(query)
        page = await self.browser.get(url)
        scopes = self.scopes.pop(0) if self.scopes else query["scope"][0].split()
        form = {"ticket": ticket_of(page), "decision": "allow", "scope": scopes}
        answer = await self.browser.post("/oauth/authorize", data=form, follow_redirects=False)
        self.answer = {name: value[0] for name, value in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    async def come_back(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code=self.answer["code"], state=self.answer["state"], iss=self.answer["iss"])


def provider(service: Service, user: User, memory: Memory, **more: Any) -> OAuthClientProvider:
    metadata = OAuthClientMetadata(client_name="Official client", redirect_uris=[CALLBACK])  # type: ignore[list-item]
    return OAuthClientProvider(
        f"{service.url}/api/mcp",
        metadata,
        memory,
        redirect_handler=user.open,
        callback_handler=user.come_back,
        **more,
    )


async def make_a_picture(service: Service, auth: OAuthClientProvider, **options: Any) -> None:
    async with (
        httpx2.AsyncClient(auth=auth, timeout=60, **options) as http,
        Client(streamable_http_client(f"{service.url}/api/mcp", http_client=http)) as client,
    ):
        result = await client.call_tool("generate_image", {"prompt": "a red boat", "modelId": "limner:sketch"})
    assert not result.is_error


async def test_the_python_client_registers_signs_in_and_makes_a_picture(service: Service) -> None:
    async with signed_in(service) as browser:
        user, memory = User(browser), Memory()
        await make_a_picture(service, provider(service, user, memory))
    assert memory.client is not None
    assert memory.client.client_id is not None
    assert memory.client.client_id.startswith("client_")
    assert user.asked[0]["resource"] == [f"{service.url}/api/mcp"]


async def test_the_python_client_asks_its_user_for_the_scope_it_lacks(service: Service) -> None:
    async with signed_in(service) as browser:
        user = User(browser, scopes=[["account:read"]])
        await make_a_picture(service, provider(service, user, Memory()))
    assert len(user.asked) == 2
    assert "images:generate" in user.asked[1]["scope"][0].split()


@dataclass
class Behind:
    """A server behind https that reads metadata documents, its user's browser, and a peer that has a document."""

    service: Service
    browser: httpx2.AsyncClient
    authority: Authority
    peer: Peer

    @property
    def document_url(self) -> str:
        return f"https://127.0.0.1:{self.peer.port}/client.json"

    def document(self, **more: Any) -> bytes:
        about = {"client_id": self.document_url, "client_name": "Documented client", "redirect_uris": [CALLBACK]}
        return json.dumps(about | more).encode()

    def publish(self, **more: Any) -> None:
        self.peer.answer = response(self.document(**more), content_type="application/json")

    async def ask(self, client_id: str | None = None) -> httpx2.Response:
        query = {
            "client_id": client_id or self.document_url,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "code_challenge": "x" * 43,
            "code_challenge_method": "S256",
        }
        return await self.browser.get("/oauth/authorize", params=query, follow_redirects=False)


@pytest.fixture
async def behind(tmp_path: Path, sqlite_url: str, authority: Authority, peer: Peer) -> AsyncIterator[Behind]:  # noqa: F811
    port = free_port()
    url = f"https://127.0.0.1:{port}"
    async with serving(tmp_path, sqlite_url, env={"LIMNER_PUBLIC_URL": url}) as service:
        fetcher = Fetcher(allow=["127.0.0.1/32"], ports=[peer.port], ssl_context=authority.client)
        service.services.oauth_clients._fetcher = fetcher  # pyright: ignore[reportPrivateUsage] — in place of the internet
        async with tls_in_front(authority, port, int(service.url.rpartition(":")[2])):
            service.url = url
            headers = {"Origin": url, "Accept": "text/html"}
            async with httpx2.AsyncClient(base_url=url, headers=headers, verify=authority.client) as browser:
                await browser.post(await link_for(service, "owner@example.org"))
                yield Behind(service, browser, authority, peer)
        await fetcher.close()


async def test_the_python_client_prefers_a_metadata_document_where_we_say_that_we_read_them(behind: Behind) -> None:
    behind.publish()
    user, memory = User(behind.browser), Memory()
    auth = provider(behind.service, user, memory, client_metadata_url=behind.document_url)
    await make_a_picture(behind.service, auth, verify=behind.authority.client)
    assert user.asked[0]["client_id"] == [behind.document_url]
    assert len(behind.peer.requests) == 1
    assert "cookie" not in behind.peer.requests[0].headers
    rows = await behind.service.services.database.read(lambda tx: tx.all("SELECT id, name FROM oauth_clients"))
    assert [(row["id"], row["name"]) for row in rows] == [(behind.document_url, "Documented client")]
    assert "Documented client" in (await behind.browser.get("/dashboard/connections")).text


async def test_where_documents_are_not_read_the_same_client_registers(service: Service) -> None:
    async with signed_in(service) as browser:
        user, memory = User(browser), Memory()
        auth = provider(service, user, memory, client_metadata_url="https://client.example/about.json")
        await make_a_picture(service, auth)
    assert user.asked[0]["client_id"][0].startswith("client_")


@pytest.mark.parametrize(
    "more",
    [
        {"client_id": "https://127.0.0.1/other.json"},
        {"client_id": None},
        {"redirect_uris": ["https://elsewhere.example/callback"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": []},
        {"redirect_uris": None},
        {"redirect_uris": [CALLBACK] * 21},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"client_secret": "x"},
        {"grant_types": ["client_credentials"]},
        {"padding": "x" * 20_000},
    ],
    ids=lambda more: str(more)[:60],
)
async def test_a_document_that_does_not_fit_connects_nobody(behind: Behind, more: dict[str, Any]) -> None:
    behind.publish(**more)
    refused = await behind.ask()
    assert refused.status_code == 400
    assert "location" not in refused.headers


@pytest.mark.parametrize(
    "answer",
    [
        response(b"", "302 Found", location="https://127.0.0.1/other"),
        response(b"{}", "404 Not Found"),
        response(b"[]"),
        response(b"<html></html>", content_type="text/html"),
        response(b"[" * 16_000),
        response(gzip.compress(b"{" + b" " * 30_000_000), content_encoding="gzip"),
        response(b"{}", content_length="9999999999"),
        response(b'{"client_id"', content_length="4000"),
    ],
    ids=["redirect", "missing", "list", "page", "deep", "bomb", "huge", "broken off"],
)
async def test_an_answer_that_is_no_document_connects_nobody(behind: Behind, answer: Answer) -> None:
    behind.peer.answer = answer
    assert (await behind.ask()).status_code == 400
    assert len(behind.peer.requests) == 1


async def test_a_document_that_never_ends_is_given_up(behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limner.accounts.oauth_clients.DOCUMENT_SECONDS", 0.3)
    given_up = asyncio.Event()

    async def drip(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        await writer.drain()
        await given_up.wait()

    behind.peer.answer = drip
    assert (await behind.ask()).status_code == 400
    given_up.set()


async def test_documents_are_fetched_for_signed_in_users_from_public_places_alone(behind: Behind) -> None:
    behind.publish()
    async with httpx2.AsyncClient(base_url=behind.service.url, verify=behind.authority.client) as nobody:
        sent = await nobody.get("/oauth/authorize", params={"client_id": behind.document_url})
    assert sent.status_code == 303
    assert behind.peer.requests == []
    for url in (
        "https://10.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://localhost/x",
        "https://127.0.0.1:1/x",
        "https://files.test/../x",
        "https://x.example",
        "https://x.example/",
        "https://u:p@x.example/a",
        "https://x.example/a#b",
        "http://x.example/a",
    ):
        assert (await behind.ask(url)).status_code == 400, url


async def test_documents_are_asked_for_only_so_often(behind: Behind) -> None:
    behind.peer.answer = response(b"", "404 Not Found")
    answers = [await behind.ask(f"{behind.document_url}?{number}") for number in range(21)]
    assert [answer.status_code for answer in answers] == [400] * 20 + [429]


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("flavour", ["client", "sdk"])
async def test_the_typescript_clients_register_and_sign_in(node: Node, service: Service, flavour: str) -> None:
    async with signed_in(service) as browser:
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        code, output = await node.run(FOLDER / "sign_in.mjs", flavour, f"{service.url}/api/mcp", cookie)
    assert code == 0, output
    seen = json.loads(output)
    assert seen["structuredContent"]["status"] == "succeeded"


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("flavour", ["client", "sdk"])
async def test_the_typescript_clients_come_with_a_metadata_document(node: Node, behind: Behind, flavour: str) -> None:
    behind.publish()
    cookie = "; ".join(f"{name}={value}" for name, value in behind.browser.cookies.items())
    arguments = (flavour, f"{behind.service.url}/api/mcp", cookie, behind.document_url)
    # Node takes a further authority from a file, or the machine's own alone
    env = {"NODE_EXTRA_CA_CERTS": str(behind.authority.file), "NODE_OPTIONS": ""}
    code, output = await node.run(FOLDER / "sign_in.mjs", *arguments, **env)
    assert code == 0, output
    assert json.loads(output)["structuredContent"]["status"] == "succeeded"
    rows = await behind.service.services.database.read(lambda tx: tx.all("SELECT client_id FROM connections"))
    assert [row["client_id"] for row in rows] == [behind.document_url]
