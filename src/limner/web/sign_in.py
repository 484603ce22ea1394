"""Signing in and out: password, one-time link, mail. A stranger never learns which addresses have an account."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts import accounts, sessions, sign_in, users
from limner.accounts.passwords import Passwords
from limner.accounts.sign_in import OneTimeLink, Purpose, Welcome
from limner.db.base import Database, Transaction
from limner.errors import InvalidRequest, RateLimited
from limner.http.addresses import Addresses
from limner.http.ratelimit import AddressLimit
from limner.http.sessions import SessionCookies
from limner.issuers.base import Issuer
from limner.mail.base import Letter, Mailer
from limner.web import forms
from limner.web.door import PageDoor, safe_next, see_other
from limner.web.pages import Pages, Site
from limner.web.visitors import THEMES, Visitor

log = structlog.stdlib.get_logger(__name__)

WRONG = "That address and password do not fit together."
USUAL = "/dashboard"
UNDER_WAY = "If there is an account for that address, a link is on its way to it."
YEAR_SECONDS = 365 * 24 * 3600

LETTERS: Mapping[Purpose, tuple[str, str]] = {
    "sign-in": ("Sign in to Limner", "Follow this link to sign in. It works once, within 24 hours:"),
    "sign-up": (
        "Finish your Limner account",
        "Follow this link to finish your account. It works once, within 24 hours:",
    ),
    "verify": ("Confirm your address", "Follow this link to confirm your address. It works once, within 24 hours:"),
    "reset": ("Choose a new password", "Follow this link to choose a new password. It works once, within 24 hours:"),
    "invite": ("You are invited to a Limner account", "Follow this link to join. It works once, within 7 days:"),
}


class SignIn:
    """`mailer` is None where no mail server is configured; `welcome` gives a new account its first credits."""

    def __init__(
        self,
        *,
        database: Database,
        cookies: SessionCookies,
        pages: Pages,
        site: Site,
        passwords: Passwords,
        limit: AddressLimit,
        addresses: Addresses,
        mailer: Mailer | None,
        welcome: Welcome,
        welcome_credits: int,
        issuers: Sequence[Issuer] = (),
    ) -> None:
        self._database = database
        self._cookies = cookies
        self._pages = pages
        self._site = site
        self._passwords = passwords
        self._limit = limit
        self._addresses = addresses
        self._mailer = mailer
        self._welcome = welcome
        self._welcome_credits = welcome_credits
        self._issuers = issuers
        self._sending: set[asyncio.Task[None]] = set()

    def routes(self, door: PageDoor) -> list[Route]:
        return [
            door.public("/sign-in", self._form),
            door.public("/sign-in", self._sign_in, "POST"),
            door.public("/sign-in/reset", self._reset_form),
            door.public("/sign-in/reset", self._reset, "POST"),
            door.public("/sign-in/{secret}", self._link),
            door.public("/sign-in/{secret}", self._follow, "POST"),
            door.public("/sign-up", self._sign_up_form),
            door.public("/sign-up", self._sign_up, "POST"),
            door.public("/sign-out", self._sign_out, "POST"),
            door.dashboard("/sign-out/everywhere", self._sign_out_everywhere, "POST"),
            door.public("/theme", self._theme, "POST"),
        ]

    async def send_link(self, purpose: Purpose, email: str, path: str) -> None:
        """Mail a one-time link, where mail is set up; the caller does not wait for the mail server."""
        if self._mailer is not None:
            subject, sentence = LETTERS[purpose]
            letter = Letter(email, subject, f"{sentence}\n\n{self._site.public_url}{path}\n")
            task = asyncio.create_task(self._deliver(self._mailer, letter))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    @property
    def mails(self) -> bool:
        return self._mailer is not None

    # --- password -----------------------------------------------------------------------------

    async def _form(self, request: Request, visitor: Visitor) -> Response:
        onward = _onward(request)
        if visitor.session is not None:
            return see_other(onward)
        return self._show(visitor, onward)

    async def _sign_in(self, request: Request, visitor: Visitor) -> Response:
        form = await request.form()
        email, onward = forms.text(form, "email", most=320), safe_next(forms.text(form, "next", most=8000))
        try:
            await self.count_attempt(request, "sign-in", email)
        except RateLimited as error:
            problem = f"{error.message} Try again in {error.retry_after_seconds} seconds."
            headers = {"Retry-After": str(error.retry_after_seconds)}
            return self._show(visitor, onward, email=email, problem=problem, status=429, headers=headers)
        if forms.text(form, "way") == "link":
            await self._mail_to_user("sign-in", email, onward)
            return self._show(visitor, onward, email=email, notice=UNDER_WAY)
        user = await self._database.read(lambda tx: users.find(tx, email))
        fits = await self._passwords.fits(user.password_digest if user else None, forms.password(form))
        if user is None or not fits or user.is_disabled:
            return self._show(visitor, onward, email=email, problem=WRONG, status=401)
        return await self.enter(request, user.id, onward)

    # --- links --------------------------------------------------------------------------------

    async def _link(self, request: Request, visitor: Visitor) -> Response:
        """Looking at a link does not use it up."""
        found = await self._look(request)
        return self._gone(visitor) if found is None else await self._show_link(visitor, found)

    async def _follow(self, request: Request, visitor: Visitor) -> Response:
        await self.count_attempt(request, "link", "")
        found = await self._look(request)
        if found is None:
            return self._gone(visitor)
        form = await request.form()
        email = forms.text(form, "email", most=320)
        try:
            digest = await self._new_password(found, forms.password(form))
            address = accounts.normal_email(found.email or email)
        except InvalidRequest as error:
            return await self._show_link(visitor, found, email=email, problem=error.message, status=400)
        secret, now = request.path_params["secret"], self._pages.now()
        user_id = await self._database.write(
            lambda tx: sign_in.enter(tx, secret, now, email=address, password_digest=digest, welcome=self._welcome)
        )
        return self._gone(visitor) if user_id is None else await self.enter(request, user_id, _onward(request))

    async def _look(self, request: Request) -> OneTimeLink | None:
        secret, now = request.path_params["secret"], self._pages.now()

        def look(tx: Transaction) -> OneTimeLink | None:
            link = sign_in.look(tx, secret, now)
            return None if link is not None and link.purpose == "first-start" and users.any_exist(tx) else link

        return await self._database.read(look)

    async def _new_password(self, link: OneTimeLink, password: str) -> str | None:
        if not await self._asks_password(link):
            return None
        return await self._passwords.digest(password)

    async def _asks_password(self, link: OneTimeLink) -> bool:
        if link.purpose in ("first-start", "sign-up", "reset"):
            return True
        if link.purpose == "invite" and link.email is not None:
            email = link.email
            return await self._database.read(lambda tx: users.find(tx, email)) is None
        return False

    # --- sign-up ------------------------------------------------------------------------------

    async def _sign_up_form(self, request: Request, visitor: Visitor) -> Response:
        return self._show_sign_up(visitor, _onward(request))

    async def _sign_up(self, request: Request, visitor: Visitor) -> Response:
        if self._site.sign_up != "open":
            return self._show_sign_up(visitor, status=403)
        form = await request.form()
        email, onward = forms.text(form, "email", most=320), safe_next(forms.text(form, "next", most=8000))
        await self.count_attempt(request, "sign-up", email)
        try:
            address = accounts.normal_email(email)
            digest = None if self.mails else await self._passwords.digest(forms.password(form))
        except InvalidRequest as error:
            return self._show_sign_up(visitor, onward, email=email, problem=error.message, status=400)
        if self.mails:
            await self._mail_sign_up(address, onward)
            return self._notice(visitor, "Look into your mail", "A link to finish your account is on its way.")
        await self._database.write(lambda tx: self._add_unverified(tx, address, digest))
        return self._notice(visitor, "Nearly there", "If that address is new here, its account is ready: sign in.")

    def _add_unverified(self, tx: Transaction, email: str, digest: str | None) -> None:
        """Without mail an address cannot be proved, so the sign-up credits wait until an operator does it."""
        if users.find(tx, email) is None:
            _, user_id = accounts.create(tx, email, self._pages.now())
            if digest is not None:
                users.set_password(tx, user_id, digest)

    async def _mail_sign_up(self, email: str, onward: str) -> None:
        now = self._pages.now()

        def make(tx: Transaction) -> tuple[Purpose, str]:
            user = users.find(tx, email)
            if user is not None:
                return "sign-in", sign_in.make(tx, "sign-in", now, email=email, user_id=user.id)
            return "sign-up", sign_in.make(tx, "sign-up", now, email=email)

        purpose, secret = await self._database.write(make)
        await self.send_link(purpose, email, _path(secret, onward))

    # --- forgotten passwords --------------------------------------------------------------------

    async def _reset_form(self, request: Request, visitor: Visitor) -> Response:
        return self._pages.render("reset.html", visitor)

    async def _reset(self, request: Request, visitor: Visitor) -> Response:
        email = forms.text(await request.form(), "email", most=320)
        await self.count_attempt(request, "reset", email)
        await self._mail_to_user("reset", email, USUAL)
        return self._notice(visitor, "Look into your mail", UNDER_WAY)

    async def _mail_to_user(self, purpose: Purpose, email: str, onward: str) -> None:
        now = self._pages.now()

        def make(tx: Transaction) -> tuple[str, str] | None:
            user = users.find(tx, email)
            if user is None or user.is_disabled:
                return None
            return user.email, sign_in.make(tx, purpose, now, email=user.email, user_id=user.id)

        if self.mails and (made := await self._database.write(make)) is not None:
            await self.send_link(purpose, made[0], _path(made[1], onward))

    # --- out ------------------------------------------------------------------------------------

    async def _sign_out(self, request: Request, visitor: Visitor) -> Response:
        if (session := visitor.session) is not None:
            await self._database.write(lambda tx: sessions.end(tx, session.id))
        response = see_other("/sign-in")
        self._cookies.remove(response)
        return response

    async def _sign_out_everywhere(self, request: Request, visitor: Visitor) -> Response:
        user_id = visitor.signed_in.user_id
        await self._database.write(lambda tx: sessions.end_all(tx, user_id))
        response = see_other("/sign-in")
        self._cookies.remove(response)
        return response

    async def _theme(self, request: Request, visitor: Visitor) -> Response:
        form = await request.form()
        response = see_other(safe_next(forms.text(form, "next", most=8000), "/"))
        theme = forms.choice(form, "theme", (*THEMES, "system"))
        if theme in THEMES:
            response.set_cookie("theme", theme, max_age=YEAR_SECONDS, samesite="lax", path="/")
        else:
            response.delete_cookie("theme", path="/")
        return response

    # --- for other ways of signing in -----------------------------------------------------------

    async def count_attempt(self, request: Request, what: str, email: str = "") -> None:
        """Raises RateLimited for an address, here or of mail, that tries too often."""
        await self._limit.check(what, self._addresses.of(request.scope), burst=20)
        if email:
            await self._limit.check(f"{what}-as", email.lower()[:320], burst=10, seconds_each=30)

    def refuse(self, visitor: Visitor, onward: str, problem: str, status: int, *, email: str = "") -> Response:
        """The sign-in page with what went wrong."""
        return self._show(visitor, onward, email=email, problem=problem, status=status)

    async def enter(self, request: Request, user_id: str, onward: str) -> Response:
        """Begin a session for a user who has proved who they are, and send the browser on."""
        agent, now = request.headers.get("user-agent"), self._pages.now()
        secret = await self._database.write(lambda tx: sessions.begin(tx, user_id, now, user_agent=agent))
        response = see_other(onward)
        self._cookies.put(response, secret)
        return response

    # --- private --------------------------------------------------------------------------------

    async def _deliver(self, mailer: Mailer, letter: Letter) -> None:
        try:
            await mailer.send(letter)
        except OSError as problem:
            log.error("a letter could not be sent", subject=letter.subject, error=str(problem))

    def _show(self, visitor: Visitor, onward: str, *, status: int = 200, **values: Any) -> Response:
        headers = values.pop("headers", None)
        known: dict[str, Any] = {"email": "", "problem": None, "notice": None} | values
        return self._pages.render(
            "sign_in.html",
            visitor,
            status=status,
            headers=headers,
            next=onward,
            mails=self.mails,
            issuers=self._issuers,
            **known,
        )

    def _show_sign_up(
        self, visitor: Visitor, onward: str = USUAL, *, email: str = "", problem: str | None = None, status: int = 200
    ) -> Response:
        return self._pages.render(
            "sign_up.html",
            visitor,
            status=status,
            next=onward,
            email=email,
            problem=problem,
            mails=self.mails,
            issuers=self._issuers,
            welcome_credits=self._welcome_credits,
        )

    async def _show_link(
        self, visitor: Visitor, link: OneTimeLink, *, email: str = "", problem: str | None = None, status: int = 200
    ) -> Response:
        account_id = link.account_id
        name = await self._database.read(lambda tx: accounts.get(tx, account_id).name) if account_id else None
        return self._pages.render(
            "link.html",
            visitor,
            status=status,
            headers={"Referrer-Policy": "no-referrer"},
            link=link,
            account_name=name,
            asks_password=await self._asks_password(link),
            email=email,
            problem=problem,
            issuers=self._issuers,
        )

    def _gone(self, visitor: Visitor) -> Response:
        return self._pages.render("link_gone.html", visitor, status=404)

    def _notice(self, visitor: Visitor, title: str, text: str) -> Response:
        return self._pages.render(
            "notice.html", visitor, title=title, text=text, onward="/sign-in", onward_text="To sign in"
        )


def _onward(request: Request) -> str:
    """Where the address says to go on to after signing in."""
    return safe_next(request.query_params.get("next"), USUAL)


def _path(secret: str, onward: str) -> str:
    """The path of a link that leads on to where its reader wanted to go: a client's question, for one."""
    path = sign_in.path_of(secret)
    return path if onward == USUAL else f"{path}?next={quote(onward, safe='')}"
