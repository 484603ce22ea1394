"""What a 401 or 403 tells a client that can sign its user in: where to learn how, and which scopes to ask for."""

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.types import Scope

from limner.accounts import resources
from limner.accounts.connections import GRANTABLE
from limner.accounts.principal import Principal

METADATA_PATH = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True, slots=True)
class Challenges:
    """RFC 6750, section 3, and RFC 9728, section 5.1; without OAuth only the realm is named."""

    public_url: str
    oauth: bool

    def unauthorized(self, scope: Scope, *, sent: bool) -> str:
        """`sent`: there was a token, and it was no good."""
        error = {"error": "invalid_token"} if sent else {}
        if not self.oauth:
            return _challenge(error)
        return _challenge({**error, **self._where(scope), "scope": " ".join(GRANTABLE)})

    def insufficient(self, scope: Scope, principal: Principal, needed: str) -> str | None:
        """For a connection that could be given more; what it has is named too, so that asking again loses nothing."""
        if not self.oauth or principal.connection_id is None or needed not in GRANTABLE:
            return None
        scopes = [each for each in GRANTABLE if each == needed or each in principal.scopes]
        return _challenge({"error": "insufficient_scope", **self._where(scope), "scope": " ".join(scopes)})

    def _where(self, scope: Scope) -> dict[str, str]:
        resource = resources.of_path(scope["path"])
        return {"resource_metadata": f"{self.public_url}{METADATA_PATH}{resource}"}


def _challenge(parameters: dict[str, str]) -> str:
    return "Bearer " + ", ".join(_quoted([("realm", "limner"), *parameters.items()]))


def _quoted(parameters: Iterable[tuple[str, str]]) -> list[str]:
    return [f'{name}="{value}"' for name, value in parameters]
