"""A small OAuth client for tests, every step by hand, so that each can be done wrongly."""

import base64
import hashlib
import html
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from tests.service import Service

CALLBACK = "http://127.0.0.1:7777/callback"
ALL_SCOPES = "images:read images:generate account:read usage:read"


@dataclass
class Client:
    """A registered client; `ask` and `answer` stand for the user's browser, `redeem` and `refresh` for the program."""

    service: Service
    id: str
    redirect_uri: str = CALLBACK
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()

    @property
    def resource(self) -> str:
        return f"{self.service.url}/api/mcp"

    def question(self, **changes: Any) -> dict[str, Any]:
        asked = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            "resource": self.resource,
            "scope": ALL_SCOPES,
            "state": "s t/ä&te",
        }
        return {name: value for name, value in (asked | changes).items() if value is not None}

    async def ask(self, browser: httpx2.AsyncClient, **changes: Any) -> httpx2.Response:
        return await browser.get("/oauth/authorize", params=self.question(**changes), follow_redirects=False)

    async def answer(self, browser: httpx2.AsyncClient, page: httpx2.Response, **fields: Any) -> httpx2.Response:
        form = {"ticket": ticket_of(page), "decision": "allow", "scope": ALL_SCOPES.split(), "cap": ""}
        return await browser.post("/oauth/authorize", data=form | fields, follow_redirects=False)

    async def code(self, browser: httpx2.AsyncClient, *, answer: dict[str, Any] | None = None, **changes: Any) -> str:
        page = await self.ask(browser, **changes)
        assert page.status_code == 200, page.text
        return said(await self.answer(browser, page, **(answer or {})))["code"]

    async def redeem(self, code: str, **changes: Any) -> httpx2.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
            "resource": self.resource,
        }
        return await self._post("/oauth/token", form | changes)

    async def refresh(self, token: str, **changes: Any) -> httpx2.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": self.id}
        return await self._post("/oauth/token", form | changes)

    async def revoke(self, token: str, **changes: Any) -> httpx2.Response:
        return await self._post("/oauth/revoke", {"token": token, "client_id": self.id} | changes)

    async def tokens(self, browser: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
        """The whole way, once."""
        redeeming = {"resource": changes["resource"]} if "resource" in changes else {}
        answer = await self.redeem(await self.code(browser, **changes), **redeeming)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def _post(self, path: str, form: dict[str, Any]) -> httpx2.Response:
        async with self.service.client() as http:
            return await http.post(path, data={name: value for name, value in form.items() if value is not None})


async def register(service: Service, redirect_uri: str = CALLBACK, **more: Any) -> Client:
    async with service.client() as http:
        sent = {"client_name": "Test client", "redirect_uris": [redirect_uri]} | more
        answer = await http.post("/oauth/register", json=sent)
    assert answer.status_code == 201, answer.text
    return Client(service, answer.json()["client_id"], redirect_uri)


def ticket_of(page: httpx2.Response) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found, page.text
    return html.unescape(found[1])


def said(answer: httpx2.Response) -> dict[str, str]:
    """What a redirect tells the client."""
    assert answer.status_code == 303, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def whoami(service: Service, token: str, path: str = "/api/v1/account") -> httpx2.Response:
    async with service.client(token) as http:
        return await http.get(path)


async def call_mcp(
    service: Service, token: str, path: str = "/api/mcp", method: str = "tools/list", **params: Any
) -> httpx2.Response:
    async with service.client(token) as http:
        return await http.post(
            path,
            json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params},
            headers={"Accept": "application/json, text/event-stream"},
        )
