"""From the Authorization header to a principal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from starlette.types import Scope

from limner.accounts import keys
from limner.accounts.principal import Principal
from limner.db.base import Database
from limner.db.types import Clock
from limner.errors import Unauthorized


class Authenticator(Protocol):
    """One kind of credential; None when it is not this kind or not (any longer) valid."""

    async def principal(self, credential: str) -> Principal | None: ...


class ApiKeys:
    """Authenticates API keys, and notes when each was last used (`flush` writes many at a time)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._last_used: dict[str, datetime] = {}

    async def principal(self, credential: str) -> Principal | None:
        if not keys.looks_right(credential):
            return None
        now = self._clock()
        principal = await self._database.read(lambda tx: keys.principal_of(tx, credential, now))
        if principal is not None and principal.api_key_id is not None:
            self._last_used[principal.api_key_id] = now
        return principal

    async def flush(self) -> None:
        if not self._last_used:
            return
        used, self._last_used = self._last_used, {}
        await self._database.write(lambda tx: keys.touch(tx, list(used.items())))


class Bearer:
    """Tries each kind of credential in turn."""

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
        self._authenticators = authenticators

    async def principal(self, scope: Scope) -> Principal:
        """Raises Unauthorized when no valid credential was sent."""
        credential = bearer_of(scope)
        if credential is None:
            raise Unauthorized()
        for authenticator in self._authenticators:
            if (principal := await authenticator.principal(credential)) is not None:
                return principal
        raise Unauthorized("That key is wrong, expired or revoked.")


def bearer_of(scope: Scope) -> str | None:
    """The bearer credential of a request, if it sent one (RFC 6750, section 2.1)."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, credential = value.decode("latin-1").partition(" ")
            return credential.strip() if scheme.lower() == "bearer" else None
    return None
