"""The question to a user: may this program use your account, for what, and for how much."""

from dataclasses import dataclass
from typing import cast

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts import connections, consents, grants, redirects, users
from limner.accounts.connections import NewConnection
from limner.accounts.consents import Question, Refused
from limner.accounts.oauth_clients import OAuthClient, OAuthClients
from limner.accounts.principal import Scope
from limner.accounts.resources import Resources
from limner.accounts.sessions import Session
from limner.accounts.users import Membership
from limner.credits import caps
from limner.db.base import Database, Transaction
from limner.errors import InsufficientScope, InvalidRequest, NotFound
from limner.http.ratelimit import AddressLimit
from limner.web import forms
from limner.web.door import PageDoor, see_other
from limner.web.pages import Pages
from limner.web.visitors import Visitor

MOST_CAP = 1_000_000_000
LONGEST_CLIENT_ID = 2048
WORDS: dict[Scope, tuple[str, str]] = {
    "images:generate": ("Make pictures", "Spends credits of the account"),
    "images:read": ("See your pictures", "Those made by other clients too"),
    "account:read": ("See your balance", "And your email address"),
    "usage:read": ("See what was spent", "Every charge, with its model"),
}
"""What each scope means to the person who is asked, dearest first."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the user chose on the page; `cap` None is no cap."""

    account_id: str
    scopes: frozenset[Scope]
    cap: int | None
    period: caps.Period


class Consent:
    """Nothing is fetched, and no question is kept, before the user has signed in."""

    def __init__(
        self, database: Database, pages: Pages, clients: OAuthClients, resources: Resources, limit: AddressLimit
    ) -> None:
        self._database = database
        self._pages = pages
        self._clients = clients
        self._resources = resources
        self._limit = limit

    def routes(self, door: PageDoor) -> list[Route]:
        return [
            door.public("/oauth/authorize", self._ask),
            door.dashboard("/oauth/authorize", self._decide, "POST"),
        ]

    async def _ask(self, request: Request, visitor: Visitor) -> Response:
        sent = request.query_params.multi_items()
        client = await self._client(sent, visitor)
        question = consents.read(client, consents.redirect_uri_of(client, sent), sent, self._resources)
        if isinstance(question, Refused):
            return self._refuse(question.redirect_uri, question.state, question.error, question.description)
        session, now = visitor.signed_in, self._pages.now()

        def keep(tx: Transaction) -> tuple[str, list[Membership]]:
            return consents.ask(tx, session.id, question, now), users.memberships(tx, session.user_id)

        ticket, accounts = await self._database.write(keep)
        return self._show(visitor, question, ticket, accounts)

    async def _client(self, sent: consents.Parameters, visitor: Visitor) -> OAuthClient:
        """Whoever asks; Unauthorized where that could only be learned by fetching for a stranger."""
        ids = [value for name, value in sent if name == "client_id"]
        if len(ids) != 1 or not ids[0].isprintable() or len(ids[0]) > LONGEST_CLIENT_ID:
            raise _no_client()
        client = await self._clients.known(ids[0])
        if client is None:
            await self._limit.check("oauth-authorize", visitor.signed_in.user_id, burst=20, seconds_each=3)
            client = await self._clients.find(ids[0])
        if client is None:
            raise _no_client()
        return client

    def _show(self, visitor: Visitor, question: Question, ticket: str, accounts: list[Membership]) -> Response:
        session = visitor.signed_in
        return self._pages.render(
            "consent.html",
            visitor,
            form_action=redirects.source_of(question.redirect_uri),
            question=question,
            address=self._resources.identifier(question.resource),
            ticket=ticket,
            accounts=accounts,
            account_id=session.account_id,
            scopes=[(scope, *words) for scope, words in WORDS.items() if scope in question.scopes],
        )

    async def _decide(self, request: Request, visitor: Visitor) -> Response:
        form = await request.form()
        session, now = visitor.signed_in, self._pages.now()
        ticket, allows = forms.needed(form, "ticket"), forms.text(form, "decision") == "allow"
        decision = _decision(form, session) if allows else None

        def decide(tx: Transaction) -> tuple[Question, str | None] | None:
            question = consents.take(tx, session.id, ticket, now)
            if question is None or decision is None:
                return None if question is None else (question, None)
            connection_id = _allow(tx, session, question, decision, self._pages)
            return question, grants.add_code(tx, connection_id, question.redirect_uri, question.challenge, now)

        outcome = await self._database.write(decide)
        if outcome is None:
            raise NotFound("That question was answered already, or its time is over.")
        question, code = outcome
        if code is None:
            return self._refuse(question.redirect_uri, question.state, "access_denied", "The user declined.")
        return see_other(
            consents.answer_url(question.redirect_uri, self._resources.public_url, question.state, code=code)
        )

    def _refuse(self, redirect_uri: str, state: str | None, error: str, description: str) -> Response:
        answer = {"error": error, "error_description": description}
        return see_other(consents.answer_url(redirect_uri, self._resources.public_url, state, **answer))


def _allow(tx: Transaction, session: Session, question: Question, decision: Decision, pages: Pages) -> str:
    """The connection as the user allowed it: within what was asked, and within what they may do themselves."""
    own = next(
        (each for each in users.memberships(tx, session.user_id) if each.account_id == decision.account_id), None
    )
    if own is None:
        raise InsufficientScope("You do not belong to that account.", next_step="Choose one of your own.")
    scopes = decision.scopes & frozenset(question.scopes) & connections.granted_by(own.role)
    if not scopes:
        raise InvalidRequest("Nothing was allowed.", next_step="Go back and tick what it may do, or decline.")
    new = NewConnection(
        account_id=own.account_id,
        user_id=session.user_id,
        client_id=question.client_id,
        client_name=question.client_name,
        redirect_host=question.redirect_host,
        resource=question.resource,
        scopes=scopes,
    )
    connection_id = connections.add(tx, new, pages.now())
    if decision.cap is not None:
        caps.put(tx, own.account_id, connection_id, limit=decision.cap, period=decision.period, now=pages.now())
    return connection_id


def _decision(form: FormData, session: Session) -> Decision:
    periods: dict[str, caps.Period] = {period: period for period in caps.PERIODS}
    return Decision(
        account_id=forms.text(form, "account") or session.account_id,
        scopes=cast("frozenset[Scope]", frozenset(forms.many(form, "scope")) & frozenset(WORDS)),
        cap=forms.whole(form, "cap", least=0, most=MOST_CAP),
        period=periods[forms.choice(form, "period", caps.PERIODS) or "month"],
    )


def _no_client() -> InvalidRequest:
    return InvalidRequest(
        "The program that sent you here is not known to this server.",
        next_step="Start again from the program: it has to register anew.",
    )
