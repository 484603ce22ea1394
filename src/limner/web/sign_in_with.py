"""Signing in by an issuer's word: out to it and back, in the same browser; and connecting it while signed in."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts import audit_log, identities
from limner.accounts.identities import Asked, Connected, Refusal
from limner.accounts.sign_in import Welcome
from limner.db.base import Database, Transaction
from limner.errors import InvalidRequest, NotFound
from limner.http.sessions import cookie_of
from limner.issuers.base import Answer, Identity, Issuer, NotVouched
from limner.web import forms
from limner.web.door import PageDoor, safe_next, see_other
from limner.web.pages import Pages, Site
from limner.web.sign_in import SignIn
from limner.web.visitors import Visitor

log = structlog.stdlib.get_logger(__name__)

WAYS = "/dashboard/settings#ways"
LONGEST_ANSWER = 4096


@dataclass(frozen=True, slots=True)
class Way:
    """An issuer as the settings show it, with the visitor's identities there."""

    id: str
    name: str
    connected: Sequence[Connected]


class SignInWith:
    """`sign_in` draws its page and begins its sessions."""

    def __init__(
        self,
        *,
        database: Database,
        pages: Pages,
        site: Site,
        issuers: Sequence[Issuer],
        sign_in: SignIn,
        welcome: Welcome,
    ) -> None:
        self._database = database
        self._pages = pages
        self._site = site
        self._issuers = {issuer.id: issuer for issuer in issuers}
        self._sign_in = sign_in
        self._welcome = welcome
        self._secure = site.public_url.startswith("https:")
        self._cookie = "__Host-limner_asked" if self._secure else "limner_asked"

    def routes(self, door: PageDoor) -> list[Route]:
        if not self._issuers:
            return []
        base = "/dashboard/settings/identities"
        return [
            door.public("/sign-in/with/{id}", self._begin),
            door.public("/sign-in/with/{id}/callback", self._come_back),
            door.dashboard(f"{base}/disconnect", self._disconnect, "POST"),
            door.dashboard(f"{base}/{{id}}/connect", self._connect, "POST"),
        ]

    # --- out ----------------------------------------------------------------------------------

    async def _begin(self, request: Request, visitor: Visitor) -> Response:
        issuer, onward = self._issuer(request), safe_next(request.query_params.get("next"))
        if visitor.session is not None:
            return see_other(onward)
        await self._sign_in.count_attempt(request, "sign-in-with")
        try:
            url, browser = await self._ask(request, issuer, onward)
        except NotVouched as problem:
            return self._unreachable(visitor, issuer, onward, problem)
        response = see_other(url)
        self._remember(response, browser)
        return response

    async def _connect(self, request: Request, visitor: Visitor) -> Response:
        """The way out is a page that goes on by itself: a form may lead to our own addresses alone."""
        issuer = self._issuer(request)
        try:
            url, browser = await self._ask(request, issuer, WAYS, session_id=visitor.signed_in.id)
        except NotVouched as problem:
            log.warning("an issuer cannot be asked", issuer=issuer.id, reason=str(problem))
            raise InvalidRequest(f"{issuer.name} cannot be reached just now.", next_step="Try again later.") from None
        response = self._pages.render(
            "going.html", visitor, name=issuer.name, url=url, headers={"Refresh": f"0; url={url}"}
        )
        self._remember(response, browser)
        return response

    async def _ask(
        self, request: Request, issuer: Issuer, onward: str, *, session_id: str | None = None
    ) -> tuple[str, str]:
        """The address of the question, and the secret of the browser it is asked in."""
        browser, now = cookie_of(request.scope, self._cookie) or secrets.token_urlsafe(32), self._pages.now()
        question = await self._database.write(
            lambda tx: identities.ask(
                tx, issuer.id, browser, self._callback(issuer), onward, now, session_id=session_id
            )
        )
        return await issuer.question_url(question), browser

    # --- and back -----------------------------------------------------------------------------

    async def _come_back(self, request: Request, visitor: Visitor) -> Response:
        issuer, said = self._issuer(request), dict(request.query_params)
        await self._sign_in.count_attempt(request, "sign-in-with")
        asked = await self._asked(request, issuer, said)
        if asked is None:
            problem = "That sign-in was not begun in this browser, or took too long. Try again."
            return self._sign_in.refuse(visitor, "/dashboard", problem, 400)
        if "error" in said or not _is_code(said.get("code")):
            log.info("an issuer declined", issuer=issuer.id, error=said.get("error", "")[:100])
            problem = f"You were not signed in at {issuer.name}. Try again, or choose another way."
            return self._sign_in.refuse(visitor, asked.onward, problem, 401)
        try:
            identity = await issuer.identity(Answer(said["code"], said.get("iss")), asked.question)
        except NotVouched as error:
            log.warning("an issuer's answer was refused", issuer=issuer.id, reason=str(error))
            problem = (
                f"{issuer.name}'s answer cannot be used. Try again; if this comes back, tell whoever runs this server."
            )
            return self._sign_in.refuse(visitor, asked.onward, problem, 401)
        if asked.session_id is not None:
            return await self._connected(visitor, issuer, asked, identity)
        return await self._enter(request, visitor, issuer, asked.onward, identity)

    async def _asked(self, request: Request, issuer: Issuer, said: Mapping[str, str]) -> Asked | None:
        browser, state = cookie_of(request.scope, self._cookie), said.get("state", "")
        if not browser or not state or len(state) > LONGEST_ANSWER:
            return None
        where, now = self._callback(issuer), self._pages.now()
        return await self._database.write(lambda tx: identities.take(tx, issuer.id, browser, state, where, now))

    async def _enter(
        self, request: Request, visitor: Visitor, issuer: Issuer, onward: str, identity: Identity
    ) -> Response:
        now, is_open = self._pages.now(), self._site.sign_up == "open"
        outcome = await self._database.write(
            lambda tx: identities.enter(tx, identity, now, is_open=is_open, welcome=self._welcome)
        )
        if isinstance(outcome, str):
            return await self._sign_in.enter(request, outcome, onward)
        if outcome is Refusal.TAKEN:
            onward = WAYS
        problem = self._words(outcome, issuer)
        return self._sign_in.refuse(visitor, onward, problem, 403, email=identity.email or "")

    async def _connected(self, visitor: Visitor, issuer: Issuer, asked: Asked, identity: Identity) -> Response:
        session, now = visitor.session, self._pages.now()
        if session is None or session.id != asked.session_id:
            problem = f"You signed out in the meantime. Sign in, then connect {issuer.name} again."
            return self._sign_in.refuse(visitor, WAYS, problem, 403)

        def connect(tx: Transaction) -> None:
            identities.connect(tx, session.user_id, identity, now, welcome=self._welcome)
            detail = {"issuer": identity.issuer, "label": identity.label}
            audit_log.note(tx, session.email, "connect identity", now, account_id=session.account_id, detail=detail)

        await self._database.write(connect)
        return see_other(WAYS)

    def _words(self, refusal: Refusal, issuer: Issuer) -> str:
        match refusal:
            case Refusal.UNCONFIRMED:
                return (
                    f"{issuer.name} has not confirmed your email address. Confirm it there, or sign in here another way "
                    f"and connect {issuer.name} under Settings."
                )
            case Refusal.TAKEN:
                return (
                    "There is an account for that address already. Sign in as you did before, then connect "
                    f"{issuer.name} under Settings."
                )
            case Refusal.CLOSED:
                how = "by invitation" if self._site.sign_up == "invite" else "by whoever runs it"
                return f"Accounts on this server are made {how}, and there is none for you yet."
            case Refusal.DISABLED:
                return "You may not sign in to this server any more."

    # --- settings -----------------------------------------------------------------------------

    async def _disconnect(self, request: Request, visitor: Visitor) -> Response:
        form, session, now = await request.form(), visitor.signed_in, self._pages.now()
        issuer, subject = forms.needed(form, "issuer"), forms.needed(form, "subject")

        def disconnect(tx: Transaction) -> None:
            identities.disconnect(tx, session.user_id, issuer, subject, mails=self._sign_in.mails)
            audit_log.note(
                tx, session.email, "disconnect identity", now, account_id=session.account_id, detail={"issuer": issuer}
            )

        await self._database.write(disconnect)
        return see_other(WAYS)

    # --- private ------------------------------------------------------------------------------

    def _issuer(self, request: Request) -> Issuer:
        issuer = self._issuers.get(request.path_params["id"])
        if issuer is None:
            raise NotFound("There is no such way to sign in.")
        return issuer

    def _callback(self, issuer: Issuer) -> str:
        """One for each issuer: an answer of one cannot be taken for another's (RFC 9700, section 4.4.2)."""
        return f"{self._site.public_url}{callback_path(issuer.id)}"

    def _remember(self, response: Response, browser: str) -> None:
        response.set_cookie(
            self._cookie,
            browser,
            max_age=int(identities.TIME_TO_ANSWER.total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def _unreachable(self, visitor: Visitor, issuer: Issuer, onward: str, problem: NotVouched) -> Response:
        log.warning("an issuer cannot be asked", issuer=issuer.id, reason=str(problem))
        words = f"{issuer.name} cannot be reached just now. Try again later, or choose another way."
        return self._sign_in.refuse(visitor, onward, words, 503)


def callback_path(issuer_id: str) -> str:
    """Where an issuer sends the browser back to, after the public URL."""
    return f"/sign-in/with/{issuer_id}/callback"


def _is_code(code: str | None) -> bool:
    return code is not None and 0 < len(code) <= LONGEST_ANSWER and code.isprintable()
