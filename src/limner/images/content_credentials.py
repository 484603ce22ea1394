"""C2PA: reads who signed a picture and whether that holds, and signs our own pictures. Needs the extra `limner[c2pa]`.

Nothing is fetched from anywhere: no manifests, no revocation lists, no time stamps.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import Any, Literal

from PIL import Image

from limner import __version__
from limner.images.provenance import DigitalSource, iri

State = Literal["valid", "untrusted", "invalid", "unchecked"]
"""`untrusted` holds together, but nobody we were told to trust stands behind it; `unchecked` is for want of the extra."""

_STATES: Mapping[str, State] = {"Trusted": "valid", "Valid": "untrusted", "Invalid": "invalid"}
_SETTINGS: Mapping[str, Any] = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}


class CannotSign(Exception):
    """The certificate and key cannot be used; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A picture's content credentials: who vouches for it, and with what program it was made."""

    state: State
    signer: str | None = None
    issuer: str | None = None
    tool: str | None = None


class CredentialsReader:
    """`trusted` are certificates (PEM) of those whose word counts."""

    def __init__(self, trusted: str | None = None) -> None:
        self._trusted = trusted

    def read(self, data: bytes, media_type: str) -> Credentials | None:
        """None where there are no credentials; takes milliseconds, so not on the event loop."""
        if not is_installed():
            return Credentials("unchecked")
        c2pa = _library()

        try:
            with c2pa.Reader(media_type, BytesIO(data), context=self._context) as reader:
                told = json.loads(reader.json())
        except c2pa.C2paError as problem:
            return None if f"{problem}".startswith("ManifestNotFound") else Credentials("invalid")
        return _credentials(told)

    @cached_property
    def _context(self) -> Any:
        c2pa = _library()

        trust = {"trust": {"user_anchors": self._trusted}} if self._trusted else {}
        return c2pa.Context.from_dict({**_SETTINGS, **trust})


class Signer:
    """Signs with a certificate chain and its key, both PEM; CannotSign when they do not fit each other or C2PA."""

    def __init__(self, certificate: str, key: str) -> None:
        if not is_installed():
            raise CannotSign("signing needs c2pa-python: install limner[c2pa]")
        self._certificate = certificate
        self._key = key
        self._algorithm = _algorithm(key)
        self._try()

    def made(self, data: bytes, media_type: str, source: DigitalSource) -> bytes:
        """A picture we drew, saying so."""
        action = {"action": "c2pa.created", "digitalSourceType": iri(source)}
        return self._sign(data, media_type, [action], None)

    def changed(self, data: bytes, media_type: str, original: bytes, original_media_type: str) -> bytes:
        """Another size or form of `original`, whose own credentials, if it has some, go along."""
        actions = [
            {"action": "c2pa.opened", "parameters": {"ingredientIds": ["original"]}},
            {"action": "c2pa.transcoded"},
        ]
        return self._sign(data, media_type, actions, (original, original_media_type))

    def _sign(
        self, data: bytes, media_type: str, actions: list[dict[str, Any]], parent: tuple[bytes, str] | None
    ) -> bytes:
        c2pa = _library()

        manifest = {
            "claim_generator_info": [{"name": "Limner", "version": __version__}],
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
        }
        info = c2pa.C2paSignerInfo(
            alg=self._algorithm, sign_cert=self._certificate.encode(), private_key=self._key.encode(), ta_url=None
        )
        signed = BytesIO()
        with (
            c2pa.Context.from_dict(dict(_SETTINGS)) as context,
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(manifest, context=context) as builder,
        ):
            if parent is not None:
                ingredient = {"title": "original", "relationship": "parentOf", "instance_id": "original"}
                builder.add_ingredient(ingredient, parent[1], BytesIO(parent[0]))
            builder.sign(signer, media_type, BytesIO(data), signed)
        return signed.getvalue()

    def _try(self) -> None:
        """Better at the start than at the first picture."""
        c2pa = _library()

        smallest = BytesIO()
        Image.new("RGB", (8, 8)).save(smallest, "PNG")
        try:
            self.made(smallest.getvalue(), "image/png", "algorithmicMedia")
        except (c2pa.C2paError, ValueError) as problem:
            raise CannotSign(f"the certificate and key cannot sign: {problem}") from None


def is_installed() -> bool:
    return find_spec("c2pa") is not None


def _library() -> Any:
    """c2pa-python, which has no types; it takes a moment to load, and most servers never need it."""
    return import_module("c2pa")


def _credentials(told: Mapping[str, Any]) -> Credentials:
    manifest: Mapping[str, Any] = told.get("manifests", {}).get(told.get("active_manifest"), {})
    signature: Mapping[str, Any] = manifest.get("signature_info") or {}
    tools: list[Mapping[str, Any]] = manifest.get("claim_generator_info") or []
    return Credentials(
        _STATES.get(str(told.get("validation_state")), "invalid"),
        _words(signature.get("common_name")),
        _words(signature.get("issuer")),
        _words(tools[0].get("name") if tools else manifest.get("claim_generator")),
    )


def _words(value: Any) -> str | None:
    """A line that fits a page; whoever signed may have written anything."""
    return " ".join(str(value).replace("\x00", " ").split())[:200] if value else None


def _algorithm(key: str) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        loaded = load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError) as problem:
        raise CannotSign(f"the key cannot be read: {problem}") from None
    if isinstance(loaded, ed25519.Ed25519PrivateKey):
        return b"ed25519"
    if isinstance(loaded, rsa.RSAPrivateKey):
        return b"ps256"
    if isinstance(loaded, ec.EllipticCurvePrivateKey) and loaded.key_size in (256, 384, 521):
        return {256: b"es256", 384: b"es384", 521: b"es512"}[loaded.key_size]
    raise CannotSign("the key must be RSA, Ed25519 or on a NIST curve")
