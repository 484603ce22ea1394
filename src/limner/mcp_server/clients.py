"""Which client is calling, and what is known about it.

Modern requests say who they are. On the legacy era `initialize` returns a signed, self-contained
session id that any process can read back; a client that does not send it is known by its User-Agent.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from secrets import token_hex
from typing import Literal

import orjson

from limner.images.secrets import Secret

PATIENCE_SECONDS = 780
"""With a progress token: as long as a generation may take."""

SILENT_PATIENCE_SECONDS = 40
"""Without one: below the 45 to 60 seconds after which silent clients give up."""

Shows = Literal["both", "image", "text"]


@dataclass(frozen=True, slots=True)
class Client:
    name: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """`patience_seconds` with progress; `drops_image_beside_structured`: shows the picture only without
    structuredContent; `pastes_base64`: would put the picture's base64 into the model's context as text;
    `limits_events`: reads no event of a stream over 1 MiB."""

    patience_seconds: int = PATIENCE_SECONDS
    drops_image_beside_structured: bool = False
    pastes_base64: bool = False
    limits_events: bool = False


PROFILES: Mapping[str, Profile] = {
    "codex-mcp-client": Profile(patience_seconds=280, drops_image_beside_structured=True),
    "cline": Profile(pastes_base64=True),
    "continue": Profile(pastes_base64=True),
}
"""By the beginning of `clientInfo.name`, lower case; a key may choose a profile by name for its own client."""


LIMITS_EVENTS = "python-httpx2/"
"""How the official Python client's User-Agent begins, whatever the program calls itself."""


def profile_of(client: Client, chosen: str | None = None, user_agent: str = "") -> Profile:
    name = (chosen or client.name).lower()
    profile = next((profile for start, profile in PROFILES.items() if name.startswith(start)), Profile())
    return replace(profile, limits_events=user_agent.startswith(LIMITS_EVENTS))


class Sessions:
    """Session ids that carry the client's name and version, so that no process keeps anything."""

    def __init__(self, secrets: Callable[[], Sequence[Secret]]) -> None:
        self._secrets = secrets

    def issue(self, client: Client) -> str:
        """No two are alike, so that calls of two clients with one key are never mixed up."""
        told = orjson.dumps([client.name[:100], client.version[:100], token_hex(8)])
        claim = urlsafe_b64encode(told).decode().rstrip("=")
        return f"{claim}.{self._signature(self._secrets()[0], claim)}"

    def read(self, session_id: str) -> Client | None:
        """None for anything we did not sign."""
        claim, _, signature = session_id.partition(".")
        if not any(
            hmac.compare_digest(self._signature(each, claim).encode(), signature.encode()) for each in self._secrets()
        ):
            return None
        name, version, *_ = orjson.loads(urlsafe_b64decode(claim + "=" * (-len(claim) % 4)))
        return Client(name, version)

    def _signature(self, secret: Secret, claim: str) -> str:
        mac = hmac.digest(secret.value, b"mcp session\0" + claim.encode(), sha256)
        return urlsafe_b64encode(mac[:18]).decode()


def from_user_agent(user_agent: str) -> Client:
    """`name/version …`; a bare runtime such as `node` tells nothing."""
    name, _, rest = user_agent.partition("/")
    return Client(name.strip().lower(), rest.partition(" ")[0]) if rest else Client()
