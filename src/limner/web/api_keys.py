"""API keys: made with a cap and a client in mind, shown once, revoked for good."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts import keys
from limner.accounts.keys import ApiKey, NewKey
from limner.accounts.principal import DEFAULT_SCOPES, Scope
from limner.credits import caps, spending
from limner.credits.caps import Cap
from limner.db.base import Database, Transaction
from limner.errors import InsufficientScope
from limner.web import forms
from limner.web.connect import Connect
from limner.web.door import PageDoor, see_other
from limner.web.pages import Pages
from limner.web.visitors import Visitor

MOST_CAP = 1_000_000_000
LATELY = timedelta(days=30)
READING: frozenset[Scope] = frozenset({"images:read", "account:read", "usage:read"})
ENDS = {"": None, "30": timedelta(days=30), "90": timedelta(days=90), "365": timedelta(days=365)}
OVERLAPS = {"day": timedelta(days=1), "hour": timedelta(hours=1), "none": timedelta(0)}
PERIODS: tuple[caps.Period, ...] = ("month", "week", "day", "total")


@dataclass(frozen=True, slots=True)
class Line:
    key: ApiKey
    cap: Cap | None
    spent: int
    """Credits in the last 30 days."""

    is_over: bool


class ApiKeyPages:
    def __init__(self, database: Database, pages: Pages, connect: Connect) -> None:
        self._database = database
        self._pages = pages
        self._connect = connect

    def routes(self, door: PageDoor) -> list[Route]:
        return [
            door.dashboard("/dashboard/keys", self._list),
            door.dashboard("/dashboard/keys", self._create, "POST"),
            door.dashboard("/dashboard/keys/new", self._new),
            door.dashboard("/dashboard/keys/{id}/rotate", self._rotate, "POST"),
            door.dashboard("/dashboard/keys/{id}/revoke", self._revoke, "POST"),
        ]

    async def _list(self, request: Request, visitor: Visitor) -> Response:
        account_id, now = visitor.signed_in.account_id, self._pages.now()

        def read(tx: Transaction) -> list[Line]:
            spent = spending.by_caller(tx, account_id, now - LATELY)
            return [
                Line(key, caps.of_owner(tx, key.id, now), spent.get(key.id, 0), _is_over(key, now))
                for key in keys.of_account(tx, account_id)
            ]

        lines = await self._database.read_slowly(read)
        return self._pages.render(
            "keys.html",
            visitor,
            active=[line for line in lines if not line.is_over],
            over=[line for line in lines if line.is_over],
            clients=self._connect.names(),
        )

    async def _new(self, request: Request, visitor: Visitor) -> Response:
        chosen = request.query_params.get("client", "")
        return self._pages.render("key_new.html", visitor, clients=self._connect.names(), client=chosen)

    async def _create(self, request: Request, visitor: Visitor) -> Response:
        if not visitor.signed_in.may_spend:
            raise InsufficientScope("Your role on this account may not make keys.", next_step="Ask an owner.")
        form = await request.form()
        new, limit, period = _wanted(form, self._pages.now()), _limit(form), _period(form)
        account_id, now = visitor.signed_in.account_id, self._pages.now()

        def create(tx: Transaction) -> tuple[ApiKey, str]:
            key, secret = keys.create(tx, account_id, new, now)
            if limit is not None:
                caps.put(tx, account_id, key.id, limit=limit, period=period, now=now)
            return key, secret

        key, secret = await self._database.write(create)
        client = self._connect.client(forms.text(form, "client", most=60), key=secret)
        template = "partials/key_made.html" if visitor.is_live else "key_made.html"
        return self._pages.render(template, visitor, key=key, secret=secret, client=client)

    async def _rotate(self, request: Request, visitor: Visitor) -> Response:
        """A new secret for the same key; the old one works on for as long as was chosen."""
        if not visitor.signed_in.may_spend:
            raise InsufficientScope("Your role on this account may not rotate keys.", next_step="Ask an owner.")
        overlap = OVERLAPS[forms.choice(await request.form(), "overlap", tuple(OVERLAPS)) or "day"]
        account_id, key_id, now = visitor.signed_in.account_id, request.path_params["id"], self._pages.now()
        key, secret = await self._database.write(lambda tx: keys.rotate(tx, account_id, key_id, now, overlap=overlap))
        client = self._connect.client("", key=secret)
        return self._pages.render("key_made.html", visitor, key=key, secret=secret, client=client)

    async def _revoke(self, request: Request, visitor: Visitor) -> Response:
        if not visitor.signed_in.may_spend:
            raise InsufficientScope("Your role on this account may not revoke keys.", next_step="Ask an owner.")
        account_id, key_id, now = visitor.signed_in.account_id, request.path_params["id"], self._pages.now()
        await self._database.write(lambda tx: keys.revoke(tx, account_id, key_id, now))
        return see_other("/dashboard/keys")


def _is_over(key: ApiKey, now: datetime) -> bool:
    return key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now)


def _wanted(form: FormData, now: datetime) -> NewKey:
    ends = ENDS[forms.choice(form, "ends", tuple(ENDS)) or ""]
    return NewKey(
        name=forms.needed(form, "name", most=forms.LONGEST_NAME),
        scopes=READING if forms.choice(form, "allows", ("making", "reading")) == "reading" else DEFAULT_SCOPES,
        is_test=forms.text(form, "test") == "yes",
        expires_at=now + ends if ends else None,
        max_credits_per_call=forms.whole(form, "per_call", least=1, most=MOST_CAP),
    )


def _limit(form: FormData) -> int | None:
    return forms.whole(form, "cap", least=0, most=MOST_CAP)


def _period(form: FormData) -> caps.Period:
    known: dict[str, caps.Period] = {period: period for period in PERIODS}
    return known[forms.choice(form, "period", PERIODS) or "month"]
