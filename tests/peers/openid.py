"""An OpenID Connect issuer's stand-in: discovery, keys, a question that is answered at once, tokens; honest unless told.

Every lie a test may want is an attribute: claims that are wrong, a signature of another key, an answer in another's name.
"""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import orjson
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from tests.peers.peer import Peer, json

CLIENT_ID = "limner at loopback"
CLIENT_SECRET = "a secret/with:odd+characters"
PERSON: dict[str, Any] = {
    "sub": "person-1",
    "email": "ada@example.org",
    "email_verified": True,
    "name": "Ada Lovelace",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was answered with a code."""

    redirect_uri: str
    nonce: str | None
    challenge: str


class OpenIdPeer(Peer):
    def __init__(self, *, names_itself: bool = False, answers_post_alone: bool = False) -> None:
        super().__init__()
        self.person = dict(PERSON)
        self.changes: dict[str, Any] = {}
        """Claims of the ID token that are not as they should be; None leaves one out."""

        self.algorithm = "RS256"
        self.forger: RSAKey | None = None
        """Signs instead of the published key, under its name."""

        self.answers_as: str | None = None
        self.declines: str | None = None
        self.person_apart = False
        """The address stands in the user info alone."""

        self.names_itself = names_itself
        self._answers_post_alone = answers_post_alone
        self._asked: dict[str, Asked] = {}
        self._tokens: dict[str, dict[str, Any]] = {}
        self.rotate()

    def rotate(self) -> None:
        """A new key; the old one is not published any more."""
        self.key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})

    @property
    def issuer(self) -> str:
        return self.origin

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/.well-known/openid-configuration", self._metadata),
            Route("/keys", self._keys),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
            Route("/person", self._person),
        ]

    async def _metadata(self, request: Request) -> Response:
        await self.keep(request)
        if (fault := self.next_fault()) and (answer := await self.common_fault(fault)) is not None:
            return answer
        methods = ["client_secret_post"] if self._answers_post_alone else ["client_secret_post", "client_secret_basic"]
        return json(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.origin}/authorize?tenant=one",
                "token_endpoint": f"{self.origin}/token",
                "jwks_uri": f"{self.origin}/keys",
                "userinfo_endpoint": f"{self.origin}/person",
                "token_endpoint_auth_methods_supported": methods,
                "authorization_response_iss_parameter_supported": self.names_itself,
            }
        )

    async def _keys(self, request: Request) -> Response:
        await self.keep(request)
        odd = {"kty": "AKP", "kid": "post-quantum", "alg": "ML-DSA-44", "pub": "x"}
        shared = OctKey.generate_key(256, {"kid": "shared"}).as_dict(private=True)
        return json({"keys": [odd, shared, self.key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        await self.keep(request)
        asked = request.query_params
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == CLIENT_ID
        assert "openid" in asked["scope"].split()
        answer = {"state": asked["state"]}
        if self.declines:
            answer["error"] = self.declines
        else:
            code = answer["code"] = secrets.token_urlsafe(16)
            self._asked[code] = Asked(asked["redirect_uri"], asked.get("nonce"), asked["code_challenge"])
        if self.answers_as or self.names_itself:
            answer["iss"] = self.answers_as or self.issuer
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 302)

    async def _token(self, request: Request) -> Response:
        await self.keep(request)
        form = dict(parse_qsl((await request.body()).decode()))
        if not self._is_our_client(request.headers.get("authorization"), form):
            return json({"error": "invalid_client"}, 401)
        asked = self._asked.pop(form["code"], None)
        if asked is None or asked.redirect_uri != form["redirect_uri"] or not _fits(asked, form["code_verifier"]):
            return json({"error": "invalid_grant"}, 400)
        token = secrets.token_urlsafe(16)
        self._tokens[token] = dict(self.person)
        return json({"access_token": token, "token_type": "Bearer", "id_token": self.id_token(asked.nonce)})

    def id_token(self, nonce: str | None) -> str:
        said = {"sub": self.person["sub"]} if self.person_apart else self.person
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce, **said}
        claims = {name: value for name, value in (claims | self.changes).items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.key.kid}
        if self.algorithm == "none":
            return f"{_encoded(orjson.dumps(header))}.{_encoded(orjson.dumps(claims))}."
        if self.algorithm == "HS256":  # the public key as a shared secret: the oldest confusion
            return jwt.encode(header, claims, OctKey.import_key(self.key.as_pem(private=False)), algorithms=["HS256"])
        return jwt.encode(header, claims, self.forger or self.key)

    async def _person(self, request: Request) -> Response:
        await self.keep(request)
        person = self._tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        return json({"error": "invalid_token"}, 401) if person is None else json(person)

    def _is_our_client(self, authorization: str | None, form: dict[str, str]) -> bool:
        if self._answers_post_alone:
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        pair = base64.b64decode((authorization or "").removeprefix("Basic ")).decode().split(":")
        return [unquote(each) for each in pair] == [CLIENT_ID, CLIENT_SECRET] and "client_secret" not in form


def settings_of(peer: OpenIdPeer, name: str = "") -> dict[str, str]:
    """What an operator sets to sign people in by it."""
    start = f"LIMNER_OIDC_{name}_" if name else "LIMNER_OIDC_"
    return {
        f"{start}ISSUER": peer.issuer,
        f"{start}CLIENT_ID": CLIENT_ID,
        f"{start}CLIENT_SECRET": CLIENT_SECRET,
    }


def _fits(asked: Asked, verifier: str) -> bool:
    return _encoded(hashlib.sha256(verifier.encode()).digest()) == asked.challenge


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
