"""The official clients sign a user in by themselves: registered, by a metadata document, and again for one more scope."""

import json
from dataclasses import dataclass, field
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
from tests.peers.https import Authority, Peer, authority, peer, response  # noqa: F401
from tests.service import Service
from tests.web.browser import signed_in

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


async def make_a_picture(service: Service, auth: OAuthClientProvider) -> None:
    async with (
        httpx2.AsyncClient(auth=auth, timeout=60) as http,
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


@pytest.fixture
def reads_documents(service: Service, authority: Authority, peer: Peer) -> Peer:  # noqa: F811
    """A server that may fetch from the loopback peer."""
    fetcher = Fetcher(allow=["127.0.0.1/32"], ports=[peer.port], ssl_context=authority.client)
    service.services.oauth_clients._fetcher = fetcher  # pyright: ignore[reportPrivateUsage] — in place of the internet
    return peer


def document(peer: Peer, **more: Any) -> bytes:  # noqa: F811
    about = {"client_id": address(peer), "client_name": "Documented client", "redirect_uris": [CALLBACK]}
    return json.dumps(about | more).encode()


def address(peer: Peer) -> str:  # noqa: F811
    return f"https://127.0.0.1:{peer.port}/client.json"


async def test_the_python_client_comes_with_a_metadata_document(service: Service, reads_documents: Peer) -> None:
    reads_documents.answer = response(document(reads_documents), content_type="application/json")
    async with signed_in(service) as browser:
        user, memory = User(browser), Memory()
        # what a server that may reach the internet says of itself
        auth = provider(service, user, memory, client_metadata_url=address(reads_documents))
        auth.context.client_info = OAuthClientInformationFull(
            client_id=address(reads_documents),
            redirect_uris=[CALLBACK],  # type: ignore[list-item]
            token_endpoint_auth_method="none",
        )
        memory.client = auth.context.client_info
        await make_a_picture(service, auth)
    assert user.asked[0]["client_id"] == [address(reads_documents)]
    assert len(reads_documents.requests) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"client_id": "https://127.0.0.1/other.json"},
        {"redirect_uris": ["https://elsewhere.example/callback"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": []},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"padding": "x" * 20_000},
    ],
)
async def test_a_document_that_does_not_fit_connects_nobody(
    service: Service, reads_documents: Peer, more: dict[str, Any]
) -> None:
    reads_documents.answer = response(document(reads_documents, **more), content_type="application/json")
    assert (await _ask(service, address(reads_documents))).status_code == 400


async def test_documents_are_fetched_for_signed_in_users_from_public_places_without_detours(
    service: Service, reads_documents: Peer
) -> None:
    reads_documents.answer = response(b"", "302 Found", location="https://127.0.0.1/other")
    assert (await _ask(service, address(reads_documents))).status_code == 400
    assert len(reads_documents.requests) == 1
    async with service.client() as nobody:
        sent = await nobody.get("/oauth/authorize", params={"client_id": address(reads_documents)})
    assert sent.status_code == 303
    assert len(reads_documents.requests) == 1
    for url in (
        "https://10.0.0.1/x",
        "https://[::1]/x",
        "https://127.0.0.1:1/x",
        "https://files.test/../x",
        "https://x.example",
    ):
        assert (await _ask(service, url)).status_code == 400


async def _ask(service: Service, client_id: str) -> httpx2.Response:
    query = {
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "code_challenge": "x" * 43,
        "code_challenge_method": "S256",
    }
    async with signed_in(service) as browser:
        return await browser.get("/oauth/authorize", params=query, follow_redirects=False)


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
