"""From the Authorization header to a principal."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

from starlette.types import Scope

from limner.accounts import connections, keys, resources
from limner.accounts.principal import Principal
from limner.db.base import Database, Transaction
from limner.db.remembered import Remembered
from limner.db.types import Clock
from limner.errors import Unauthorized
from limner.http.challenges import Challenges


class Authenticator(Protocol):
    """One kind of credential; None when it is not this kind or not (any longer) valid."""

    async def principal(self, credential: str) -> Principal | None: ...


class Callers(Protocol):
    """Knows who sent a request; raises Unauthorized."""

    async def principal(self, scope: Scope) -> Principal: ...


class LastUses:
    """When each key or connection was last used; `flush` writes many at a time with `touch`."""

    def __init__(
        self, database: Database, clock: Clock, touch: Callable[[Transaction, list[tuple[str, datetime]]], object]
    ) -> None:
        self._database = database
        self._clock = clock
        self._touch = touch
        self._noted: dict[str, datetime] = {}

    def note(self, used_id: str) -> None:
        self._noted[used_id] = self._clock()

    async def flush(self) -> None:
        if not self._noted:
            return
        noted, self._noted = self._noted, {}
        await self._database.write_slowly(lambda tx: self._touch(tx, list(noted.items())))


class ApiKeys:
    """Authenticates API keys, and notes when each was last used."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._recognised = Remembered[Principal](database, clock)
        self.last_uses = LastUses(database, clock, keys.touch)

    async def principal(self, credential: str) -> Principal | None:
        principal = await self._recognised.get(keys.digest(credential), partial(self._ask, credential))
        if principal is not None and principal.api_key_id is not None:
            self.last_uses.note(principal.api_key_id)
        return principal

    async def _ask(self, credential: str) -> Principal | None:
        if not keys.looks_right(credential):
            return None
        return await self._database.read(lambda tx: keys.principal_of(tx, credential, self._clock()))


class AccessTokens:
    """Authenticates the access tokens of connections, and notes when each connection was last used."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._recognised = Remembered[Principal](database, clock)
        self.last_uses = LastUses(database, clock, connections.touch)

    async def principal(self, credential: str) -> Principal | None:
        if not credential.startswith(connections.ACCESS_PREFIX):
            return None
        principal = await self._recognised.get(keys.digest(credential), partial(self._ask, credential))
        if principal is not None and principal.connection_id is not None:
            self.last_uses.note(principal.connection_id)
        return principal

    async def _ask(self, credential: str) -> Principal | None:
        return await self._database.read(lambda tx: connections.principal_of(tx, credential, self._clock()))


class Bearer:
    """Tries each kind of credential in turn; who fails finds in the scope how to tell the client about it."""

    def __init__(self, authenticators: Sequence[Authenticator], challenges: Challenges) -> None:
        self._authenticators = authenticators
        self._challenges = challenges

    async def principal(self, scope: Scope) -> Principal:
        """Raises Unauthorized when no valid credential was sent, or one for another resource."""
        credential = bearer_of(scope)
        scope["limner.challenge"] = partial(self._challenges.unauthorized, scope, sent=credential is not None)
        if credential is None:
            raise Unauthorized()
        for authenticator in self._authenticators:
            if (principal := await authenticator.principal(credential)) is not None:
                return self._checked(principal, scope)
        raise Unauthorized("That key is wrong, expired or revoked.")

    def _checked(self, principal: Principal, scope: Scope) -> Principal:
        if principal.resource is not None and not resources.is_good_at(principal.resource, scope["path"]):
            raise Unauthorized("That access token is for another address of this server.")
        if principal.connection_id is not None:
            scope["limner.step_up"] = partial(self._challenges.insufficient, scope, principal)
        return principal


def bearer_of(scope: Scope) -> str | None:
    """The bearer credential of a request, if it sent one (RFC 6750, section 2.1)."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, credential = value.decode("latin-1").partition(" ")
            return credential.strip() if scheme.lower() == "bearer" else None
    return None
