"""Links that need no key: signed ones that expire, and public ones that last until they are revoked.

A signed path is `/i/<signature>/<secret id>-<expiry>-<generation id>/<file name>`; the signature covers
every character after its own slash, and is compared as text, so there is one spelling of each link.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from limner.db.types import Clock, utc
from limner.images.generations import Generation
from limner.images.pictures import EXTENSIONS
from limner.images.secrets import Secret
from limner.images.uploads import Upload

DEFAULT_TTL_SECONDS = 15 * 60
LEAST_TTL_SECONDS = 60
MOST_TTL_SECONDS = 24 * 60 * 60

_CLAIM = re.compile(r"([0-9a-f]{8})-([0-9]{1,12})-([0-9a-f-]{36})")


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    expires_at: datetime


class ImageLinks:
    """`secrets` gives the signing secret first; it is asked each time, so that a rotation takes effect."""

    def __init__(self, *, public_url: str, secrets: Callable[[], Sequence[Secret]], clock: Clock) -> None:
        self._public_url = public_url
        self._secrets = secrets
        self._clock = clock

    def sign(self, generation: Generation, ttl_seconds: int = DEFAULT_TTL_SECONDS) -> Link:
        """A link to a succeeded generation's picture for `ttl_seconds` (whole seconds, rounded up)."""
        expires_at = (self._clock() + timedelta(seconds=ttl_seconds)).replace(microsecond=0)
        secret = self._secrets()[0]
        signed = f"{_claim(secret, expires_at, generation.id)}/{filename(generation)}"
        return Link(f"{self._public_url}/i/{_signature(secret, signed)}/{signed}", expires_at)

    def verify(self, path: str) -> tuple[str, datetime] | None:
        """The generation id and expiry of what stands after `/i/`; None for anything altered or expired."""
        signature, _, signed = path.partition("/")
        claim, slash, _ = signed.partition("/")
        return _proven(claim, signed, signature, self._secrets(), self._clock()) if slash else None

    def generation_id(self, url: str) -> str | None:
        """Whose picture a signed link of ours shows; None for any other URL and for a link that no longer holds."""
        prefix = f"{self._public_url}/i/"
        proven = self.verify(url.removeprefix(prefix)) if url.startswith(prefix) else None
        return proven[0] if proven else None

    def public(self, share_id: str, name: str) -> str:
        """A link that lasts: the share id is the secret."""
        return f"{self._public_url}/i/s/{share_id}/{name}"


class UploadLinks:
    """Where to send one picture: `/u/<signature>/<secret id>-<expiry>-<upload id>`."""

    def __init__(self, *, public_url: str, secrets: Callable[[], Sequence[Secret]], clock: Clock) -> None:
        self._public_url = public_url
        self._secrets = secrets
        self._clock = clock

    def sign(self, upload: Upload) -> Link:
        """Good until the upload's own end; the server also looks whether anything was sent."""
        secret, expires_at = self._secrets()[0], upload.expires_at.replace(microsecond=0)
        claim = _claim(secret, expires_at, upload.id)
        return Link(f"{self._public_url}/u/{_signature(secret, _upload(claim))}/{claim}", expires_at)

    def verify(self, path: str) -> str | None:
        """The upload id of what stands after `/u/`; None for anything altered or expired."""
        signature, _, claim = path.partition("/")
        proven = _proven(claim, _upload(claim), signature, self._secrets(), self._clock())
        return proven[0] if proven else None


def filename(generation: Generation) -> str:
    """Safe everywhere: a few words of the prompt, the end of the id, the true extension."""
    words = "-".join(re.findall(r"[a-z0-9]+", (generation.prompt or "").lower())[:6])[:48].strip("-")
    return f"{words or 'image'}-{generation.id[-8:]}.{EXTENSIONS.get(generation.media_type or '', 'bin')}"


def _claim(secret: Secret, expires_at: datetime, id_: str) -> str:
    return f"{secret.id}-{int(expires_at.timestamp())}-{id_}"


def _upload(claim: str) -> str:
    """What is signed for an upload, so that no image link can be made into one."""
    return f"upload/{claim}"


def _proven(
    claim: str, signed: str, signature: str, secrets: Sequence[Secret], now: datetime
) -> tuple[str, datetime] | None:
    match = _CLAIM.fullmatch(claim)
    secret = next((each for each in secrets if match and each.id == match[1]), None)
    if match is None or secret is None:
        return None
    if not hmac.compare_digest(_signature(secret, signed).encode(), signature.encode()):
        return None
    expires_at = utc(int(match[2]) * 1000)
    return (match[3], expires_at) if expires_at > now else None


def _signature(secret: Secret, signed: str) -> str:
    return urlsafe_b64encode(hmac.digest(secret.value, signed.encode(), sha256)).decode().rstrip("=")
