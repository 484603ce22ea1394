"""GitHub's stand-in: its OAuth, which says what is wrong with status 200, and the two pages of its API that say who came."""

import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from tests.peers.peer import Peer, json

CLIENT_ID = "Iv1.loopback"
CLIENT_SECRET = "github secret"


class GitHubPeer(Peer):
    def __init__(self) -> None:
        super().__init__()
        self.user: dict[str, Any] = {"id": 583231, "login": "octocat", "name": "Mona", "email": "shown@example.org"}
        self.emails: Any = [
            {"email": "other@example.org", "primary": False, "verified": True, "visibility": None},
            {"email": "mona@example.org", "primary": True, "verified": True, "visibility": "private"},
        ]
        self._asked: dict[str, tuple[str, str]] = {}
        self._tokens: set[str] = set()

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/login/oauth/authorize", self._authorize),
            Route("/login/oauth/access_token", self._token, methods=["POST"]),
            Route("/api/v3/user", self._user),
            Route("/api/v3/user/emails", self._user_emails),
        ]

    async def _authorize(self, request: Request) -> Response:
        asked, code = request.query_params, secrets.token_hex(10)
        assert asked["client_id"] == CLIENT_ID
        assert asked["scope"] == "read:user user:email"
        self._asked[code] = (asked["redirect_uri"], asked["code_challenge"])
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 302)

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        fits = (form["redirect_uri"], base64.urlsafe_b64encode(digest).rstrip(b"=").decode())
        if (form["client_id"], form["client_secret"]) != (CLIENT_ID, CLIENT_SECRET):
            return json({"error": "incorrect_client_credentials"})
        if self._asked.pop(form["code"], None) != fits:
            return json({"error": "bad_verification_code"})
        token = f"gho_{secrets.token_hex(10)}"
        self._tokens.add(token)
        return json({"access_token": token, "token_type": "bearer", "scope": "read:user,user:email"})

    async def _user(self, request: Request) -> Response:
        return self._answer(request, self.user)

    async def _user_emails(self, request: Request) -> Response:
        return self._answer(request, self.emails)

    def _answer(self, request: Request, data: Any) -> Response:
        known = request.headers.get("authorization", "").removeprefix("Bearer ") in self._tokens
        assert request.headers["user-agent"].startswith("limner/")
        return json(data) if known else json({"message": "Bad credentials"}, 401)


def settings_of(peer: GitHubPeer) -> dict[str, str]:
    """As for a GitHub Enterprise server."""
    return {
        "LIMNER_OIDC_GITHUB_ISSUER": peer.origin,
        "LIMNER_OIDC_GITHUB_CLIENT_ID": CLIENT_ID,
        "LIMNER_OIDC_GITHUB_CLIENT_SECRET": CLIENT_SECRET,
    }
