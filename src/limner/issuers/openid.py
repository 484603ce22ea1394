"""OpenID Connect: any issuer that can be discovered. Authorization code with PKCE, and an ID token that is believed
only when its signature, issuer, audience, time and nonce all are right."""

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

import httpx2
from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey, import_key

from limner.db.types import Clock
from limner.issuers import wire
from limner.issuers.base import Answer, Identity, NotVouched, Question
from limner.issuers.pkce import challenge_of

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Signatures that only the issuer can make. Neither `none` nor a shared secret is among them."""

METADATA_GOOD_FOR = timedelta(hours=1)
KEYS_READ_AGAIN_AFTER = timedelta(seconds=30)
"""How soon an unknown key is looked for again: issuers rotate, and strangers may send tokens of any key."""

SKEW_SECONDS = 120
LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Registration:
    """What an issuer knows this server as; without a secret it is a public client."""

    client_id: str
    secret: str | None = field(repr=False)
    scopes: tuple[str, ...] = ("openid", "email", "profile")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What an issuer says of itself."""

    issuer: str
    authorization_url: str
    token_url: str
    keys_url: str
    person_url: str | None
    takes_post: bool
    names_itself: bool
    read_at: datetime


@dataclass(slots=True)
class OpenId:
    id: str
    name: str
    issuer: str
    registration: Registration
    http: httpx2.AsyncClient
    clock: Clock
    _metadata: Metadata | None = None
    _keys: KeySet | None = None
    _keys_read_at: datetime | None = None
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def question_url(self, question: Question) -> str:
        metadata = await self._discover()
        return wire.with_query(
            metadata.authorization_url,
            {
                "response_type": "code",
                "client_id": self.registration.client_id,
                "redirect_uri": question.redirect_uri,
                "scope": " ".join(self.registration.scopes),
                "state": question.state,
                "nonce": question.nonce,
                "code_challenge": challenge_of(question.verifier),
                "code_challenge_method": "S256",
            },
        )

    async def identity(self, answer: Answer, question: Question) -> Identity:
        metadata = await self._discover()
        _check_sender(metadata, answer)
        tokens = await self._redeem(metadata, answer.code, question)
        claims = await self._believed(metadata, wire.text(tokens, "id_token", 100_000), question.nonce)
        if "email" not in claims and metadata.person_url is not None:
            claims = await self._person(metadata.person_url, tokens, claims["sub"]) | claims
        return _identity(metadata.issuer, claims)

    # --- metadata -----------------------------------------------------------------------------

    async def _discover(self) -> Metadata:
        async with self._reading:
            known = self._metadata
            if known is not None and self.clock() - known.read_at < METADATA_GOOD_FOR:
                return known
            said = wire.table(
                await wire.get(self.http, f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"), "metadata"
            )
            self._metadata = _metadata(self.issuer, said, self.clock())
            return self._metadata

    async def _redeem(self, metadata: Metadata, code: str, question: Question) -> wire.Json:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": question.redirect_uri,
            "client_id": self.registration.client_id,
            "code_verifier": question.verifier,
        }
        headers: dict[str, str] = {}
        if (secret := self.registration.secret) is not None:
            if metadata.takes_post:
                form["client_secret"] = secret
            else:
                headers["Authorization"] = wire.basic(self.registration.client_id, secret)
        return wire.table(await wire.post(self.http, metadata.token_url, form, headers), "the token answer")

    async def _person(self, url: str, tokens: wire.Json, subject: str) -> wire.Json:
        """What the ID token left out; only about the same person (OpenID Connect Core, section 5.3.2)."""
        token = wire.text(tokens, "access_token", 100_000)
        if token is None:
            return {}
        said = wire.table(await wire.get(self.http, url, {"Authorization": f"Bearer {token}"}), "the user info")
        if said.get("sub") != subject:
            raise NotVouched("the user info is about somebody else")
        return {name: said[name] for name in ("email", "email_verified", "name") if name in said}

    # --- the ID token -------------------------------------------------------------------------

    async def _believed(self, metadata: Metadata, token: str | None, nonce: str) -> wire.Json:
        if token is None:
            raise NotVouched("there is no ID token")
        try:
            claims = await self._signed(metadata, token)
            self._check(metadata, claims, nonce)
        except (JoseError, ValueError) as problem:
            raise NotVouched(f"the ID token is refused: {type(problem).__name__}: {problem}") from problem
        return claims

    async def _signed(self, metadata: Metadata, token: str) -> wire.Json:
        """The claims, once the signature is right; keys are read again where they may have been rotated."""
        keys = await self._known_keys(metadata)
        try:
            return _verified(token, keys)
        except (InvalidKeyIdError, BadSignatureError):
            fresh = await self._fresh_keys(metadata)
            if fresh is keys:
                raise
            return _verified(token, fresh)

    def _check(self, metadata: Metadata, claims: wire.Json, nonce: str) -> None:
        client_id = self.registration.client_id
        jwt.JWTClaimsRegistry(
            now=lambda: int(self.clock().timestamp()),
            leeway=SKEW_SECONDS,
            iss={"essential": True, "value": metadata.issuer},
            aud={"essential": True, "value": client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        ).validate(claims)
        if claims["aud"] != client_id and claims["aud"] != [client_id] and claims.get("azp") != client_id:
            raise ValueError("made for several, and not asked for by this server")
        if claims.get("azp", client_id) != client_id:
            raise ValueError("asked for by another client")
        said = claims.get("nonce")
        if not isinstance(said, str) or not secrets.compare_digest(said.encode(), nonce.encode()):
            raise ValueError("made for another sign-in")
        if len(claims["sub"]) > LONGEST_SUBJECT or "\x00" in claims["sub"]:
            raise ValueError("no sensible subject")

    async def _known_keys(self, metadata: Metadata) -> KeySet:
        async with self._reading:
            return self._keys or await self._read_keys(metadata)

    async def _fresh_keys(self, metadata: Metadata) -> KeySet:
        async with self._reading:
            read_at = self._keys_read_at
            if self._keys and read_at is not None and self.clock() - read_at < KEYS_READ_AGAIN_AFTER:
                return self._keys
            return await self._read_keys(metadata)

    async def _read_keys(self, metadata: Metadata) -> KeySet:
        said = wire.table(await wire.get(self.http, metadata.keys_url), "the key set").get("keys")
        keys = [key for each in cast("list[Any]", said if isinstance(said, list) else []) if (key := _key(each))]
        if not keys:
            raise NotVouched("the issuer publishes no key that signs")
        self._keys, self._keys_read_at = KeySet(list(keys)), self.clock()
        return self._keys


def _metadata(issuer: str, said: wire.Json, now: datetime) -> Metadata:
    """Discovery, section 4.3: the document must be the issuer's own. A slash at the end is what people mistype."""
    named = said.get("issuer")
    if not isinstance(named, str) or named.rstrip("/") != issuer.rstrip("/"):
        raise NotVouched("the metadata is another issuer's")
    urls = [said.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    if not all(wire.is_safe(url) for url in urls):
        raise NotVouched("the metadata names no https address for asking, tokens and keys")
    person_url = said.get("userinfo_endpoint")
    methods: Any = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Metadata(
        issuer=named,
        authorization_url=str(urls[0]),
        token_url=str(urls[1]),
        keys_url=str(urls[2]),
        person_url=str(person_url) if wire.is_safe(person_url) else None,
        takes_post="client_secret_basic" not in methods and "client_secret_post" in methods,
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        read_at=now,
    )


def _check_sender(metadata: Metadata, answer: Answer) -> None:
    """RFC 9207: an answer of another issuer's must not reach this one's token endpoint."""
    if answer.issuer is None and not metadata.names_itself:
        return
    if answer.issuer != metadata.issuer:
        raise NotVouched("the answer came from another issuer")


def _key(data: Any) -> RSAKey | ECKey | OKPKey | None:
    """One published key; None for what does not sign or is not understood."""
    try:
        key = import_key(data)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    signs = isinstance(key, RSAKey | ECKey | OKPKey) and data.get("use", "sig") == "sig"
    return cast("RSAKey | ECKey | OKPKey", key) if signs else None


def _verified(token: str, keys: KeySet) -> wire.Json:
    return jwt.decode(
        token, keys, algorithms=list(ALGORITHMS), registry=jws.JWSRegistry(algorithms=list(ALGORITHMS))
    ).claims


def _identity(issuer: str, claims: wire.Json) -> Identity:
    said = wire.text(claims, "email", 320)
    verified = claims.get("email_verified") is True or claims.get("email_verified") == "true"  # some send it as text
    name = wire.text(claims, "name", 200)
    label = said or wire.text(claims, "preferred_username", 200) or name or claims["sub"]
    return Identity(issuer, claims["sub"], said if verified else None, name, label)
