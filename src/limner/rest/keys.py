"""REST for API keys: make, list, change, rotate, revoke. A key's secret is shown once, when it is made or rotated."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AwareDatetime, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts import keys, made_keys
from limner.accounts.keys import ApiKey, NewKey
from limner.accounts.principal import DEFAULT_SCOPES, Principal
from limner.credits import caps
from limner.credits.caps import Cap, Period
from limner.credits.words import in_words
from limner.db.base import Database, Transaction
from limner.db.types import Clock
from limner.errors import AccountSuspended, InsufficientScope, NotFound
from limner.http.json import Json, body_of
from limner.images.requests import scope_missing
from limner.rest import reading
from limner.rest.door import Door
from limner.schemas import WELL_FORMED, CapLeft, Shape, Time, parse

MOST_OVERLAP_SECONDS = 7 * 24 * 3600

Credits = Annotated[int, Field(ge=0, le=10**12)]
CreditsPerCall = Annotated[int, Field(ge=0, le=10**9)]  # what its column holds
Moment = Annotated[AwareDatetime, Field(strict=False, description="ISO 8601 with a time zone.")]


class SpendCap(Shape):
    limit: Credits
    period: Period


class MakeKey(Shape):
    name: Annotated[str, Field(min_length=1, max_length=100), WELL_FORMED] = "API key"
    scopes: (
        Annotated[
            tuple[Annotated[str, Field(max_length=40), WELL_FORMED], ...],
            Field(min_length=1, max_length=10, strict=False),
        ]
        | None
    ) = None
    models: (
        Annotated[
            tuple[Annotated[str, Field(min_length=1, max_length=200), WELL_FORMED], ...],
            Field(min_length=1, max_length=100, strict=False),
        ]
        | None
    ) = None
    expires_at: Moment | None = None
    cap: SpendCap | None = None
    max_credits_per_call: CreditsPerCall | None = None
    confirm_above_credits: CreditsPerCall | None = None
    test: bool = False

    def new_key(self, principal: Principal, now: datetime) -> NewKey:
        """What is left open is the usual, as far as the caller has it. InvalidRequest for an end that is over."""
        if self.expires_at is not None and self.expires_at <= now:
            raise reading.wrong("expiresAt", "must lie in the future")
        usual = DEFAULT_SCOPES & principal.scopes or DEFAULT_SCOPES
        return NewKey(
            name=self.name,
            scopes=usual if self.scopes is None else keys.parse_scopes(self.scopes),
            models=self.models,
            expires_at=self.expires_at,
            is_test=self.test,
            max_credits_per_call=self.max_credits_per_call,
            confirm_above_credits=self.confirm_above_credits,
        )


class ChangeKey(Shape):
    cap: SpendCap | None = None
    max_credits_per_call: CreditsPerCall | None = None


class RotateKey(Shape):
    overlap_seconds: Annotated[
        int, Field(ge=0, le=MOST_OVERLAP_SECONDS, description="How long the old secret works on.")
    ] = 24 * 3600


class Key(Shape):
    """A key as lists show it."""

    id: str
    name: str
    prefix: str
    last_four: str
    scopes: tuple[str, ...]
    models: tuple[str, ...] | None
    test: bool
    made_by_key_id: str | None
    cap: CapLeft | None
    max_credits_per_call: int | None
    confirm_above_credits: int | None
    expires_at: Time | None
    revoked_at: Time | None
    last_used_at: Time | None
    created_at: Time

    @classmethod
    def of(cls, key: ApiKey, cap: Cap | None) -> "Key":
        return cls(
            id=key.id,
            name=key.name,
            prefix=key.prefix,
            last_four=key.last_four,
            scopes=tuple(sorted(key.scopes)),
            models=key.models,
            test=key.is_test,
            made_by_key_id=key.parent_key_id,
            cap=CapLeft.of(cap) if cap else None,
            max_credits_per_call=key.max_credits_per_call,
            confirm_above_credits=key.confirm_above_credits,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
            created_at=key.created_at,
        )


class KeyRoutes:
    """`current` stands for the calling key itself wherever an id stands."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def routes(self, door: Door) -> list[Route]:
        return [
            door.route("/api/v1/keys", self._list),
            door.route("/api/v1/keys", self._make, "POST"),
            door.route("/api/v1/keys/{id}", self._get),
            door.route("/api/v1/keys/{id}", self._change, "PATCH"),
            door.route("/api/v1/keys/{id}", self._revoke, "DELETE"),
            door.route("/api/v1/keys/{id}/rotate", self._rotate, "POST"),
        ]

    async def _list(self, request: Request, principal: Principal) -> Response:
        _require(principal)

        def read(tx: Transaction) -> list[dict[str, Any]]:
            return [self._shown(tx, key) for key in keys.of_account(tx, principal.account_id)]

        return Json({"keys": await self._database.read(read)})

    async def _make(self, request: Request, principal: Principal) -> Response:
        _require(principal)
        if principal.suspended_reason is not None:
            raise AccountSuspended(extra={"reason": principal.suspended_reason})
        body = parse(MakeKey, await body_of(request))
        now = self._clock()
        new = body.new_key(principal, now)

        def make(tx: Transaction) -> dict[str, Any]:
            key, secret = _create(tx, principal, new, now)
            if body.cap is not None:
                caps.put(tx, key.account_id, key.id, limit=body.cap.limit, period=body.cap.period, now=now)
            return {"key": self._shown(tx, key), "secret": secret}

        return Json(await self._database.write(make), 201)

    async def _get(self, request: Request, principal: Principal) -> Response:
        key_id = _id_of(request, principal)
        return Json(
            {"key": await self._database.read(lambda tx: self._shown(tx, keys.get(tx, principal.account_id, key_id)))}
        )

    async def _change(self, request: Request, principal: Principal) -> Response:
        """A person may set any cap; a key may lower its own, and those of the keys it made."""
        key_id = _id_of(request, principal)
        body = parse(ChangeKey, await body_of(request))
        now = self._clock()

        def change(tx: Transaction) -> dict[str, Any]:
            key = _own(tx, principal, key_id)
            if body.cap is not None:
                _put_cap(tx, principal, key, body.cap, now)
            if body.max_credits_per_call is not None:
                _limit_per_call(tx, principal, key, body.max_credits_per_call)
            return {"key": self._shown(tx, keys.get(tx, principal.account_id, key_id))}

        return Json(await self._database.write(change))

    async def _revoke(self, request: Request, principal: Principal) -> Response:
        key_id = _id_of(request, principal)
        await self._database.write(lambda tx: keys.revoke(tx, principal.account_id, key_id, self._clock()))
        return Response(status_code=204)

    async def _rotate(self, request: Request, principal: Principal) -> Response:
        _require(principal)
        key_id = _id_of(request, principal)
        body = parse(RotateKey, await body_of(request) if await request.body() else {})
        overlap = timedelta(seconds=body.overlap_seconds)

        def rotate(tx: Transaction) -> dict[str, Any]:
            key = _own(tx, principal, key_id)
            rotated, secret = keys.rotate(tx, principal.account_id, key.id, self._clock(), overlap=overlap)
            return {"key": self._shown(tx, rotated), "secret": secret}

        return Json(await self._database.write(rotate))

    def _shown(self, tx: Transaction, key: ApiKey) -> dict[str, Any]:
        return Key.of(key, caps.of_owner(tx, key.id, self._clock())).data()


def _require(principal: Principal) -> None:
    if not principal.has("keys:write"):
        raise scope_missing("keys:write")


def _id_of(request: Request, principal: Principal) -> str:
    """The key a path names; one's own needs no scope, any other needs keys:write."""
    is_own = request.path_params["id"] == "current"
    key_id = principal.api_key_id if is_own else reading.id_of(request)
    if key_id is None:
        raise NotFound("There is no such API key.")
    if key_id != principal.api_key_id:
        _require(principal)
    return key_id


def _create(tx: Transaction, principal: Principal, new: NewKey, now: datetime) -> tuple[ApiKey, str]:
    if principal.api_key_id is None:
        return keys.create(tx, principal.account_id, new, now)
    return made_keys.create(tx, keys.get(tx, principal.account_id, principal.api_key_id), new, now)


def _own(tx: Transaction, principal: Principal, key_id: str) -> ApiKey:
    """A key the caller may change: a person any of the account's, a key itself and those below it."""
    key = keys.get(tx, principal.account_id, key_id)
    if principal.api_key_id is not None and not made_keys.is_below(tx, key, principal.api_key_id):
        raise InsufficientScope("A key may change itself and the keys it made, and no other.")
    return key


def _put_cap(tx: Transaction, principal: Principal, key: ApiKey, cap: SpendCap, now: datetime) -> None:
    held = caps.of_owner(tx, key.id, now)
    if principal.api_key_id is not None and held is not None and not held.allows(cap.limit, cap.period):
        raise InsufficientScope(
            f"A key may lower a spend cap and never raise it; it is {in_words(held.limit)} per {held.period} now.",
            next_step="Ask the owner of the account to raise it in the dashboard.",
        )
    caps.put(tx, key.account_id, key.id, limit=cap.limit, period=cap.period, now=now)


def _limit_per_call(tx: Transaction, principal: Principal, key: ApiKey, credits: int) -> None:
    most = key.max_credits_per_call
    if principal.api_key_id is not None and most is not None and credits > most:
        raise InsufficientScope(f"A key may lower its limit per call and never raise it; it is {in_words(most)} now.")
    keys.limit_per_call(tx, key.account_id, key.id, credits)
