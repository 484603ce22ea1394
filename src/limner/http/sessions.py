"""From the cookie to a session, and the check that an unsafe request came from our own pages."""

from http.cookies import CookieError, SimpleCookie

from starlette.responses import Response
from starlette.types import Scope

from limner.accounts import sessions
from limner.accounts.principal import Principal
from limner.accounts.sessions import Session
from limner.db.base import Database
from limner.db.types import Clock
from limner.errors import Forged
from limner.http.auth import Bearer, bearer_of

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class SessionCookies:
    """`__Host-` cookies where the public URL is https; a plain name on a loopback http address.

    `origins` are ours: what an unsafe request without `Sec-Fetch-Site` must name in `Origin`.
    """

    def __init__(self, database: Database, clock: Clock, *, secure: bool, origins: frozenset[str]) -> None:
        self._database = database
        self._clock = clock
        self._secure = secure
        self._origins = origins
        self._name = "__Host-limner" if secure else "limner_session"

    async def session(self, scope: Scope) -> Session | None:
        secret = cookie_of(scope, self._name)
        if not secret:
            return None
        now = self._clock()
        session = await self._database.read(lambda tx: sessions.find(tx, secret, now))
        if session is not None and sessions.is_due(session, now):
            await self._database.write(lambda tx: sessions.note_seen(tx, session, now))
        return session

    def check_origin(self, scope: Scope) -> None:
        """Raises Forged for an unsafe request that did not come from our own pages."""
        if scope["method"] in SAFE_METHODS:
            return
        fetch_site, origin = _header(scope, b"sec-fetch-site"), _header(scope, b"origin")
        if fetch_site in ("same-origin", "none") or (fetch_site is None and origin in self._origins):
            return
        raise Forged()

    def put(self, response: Response, secret: str) -> None:
        response.set_cookie(
            self._name,
            secret,
            max_age=int(sessions.LIFETIME.total_seconds()),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def remove(self, response: Response) -> None:
        response.delete_cookie(self._name, path="/", secure=self._secure, httponly=True, samesite="lax")


class BearerOrSession:
    """For the few REST routes that a signed-in browser may use too."""

    def __init__(self, bearer: Bearer, cookies: SessionCookies) -> None:
        self._bearer = bearer
        self._cookies = cookies

    async def principal(self, scope: Scope) -> Principal:
        session = await self._cookies.session(scope) if bearer_of(scope) is None else None
        if session is None:
            return await self._bearer.principal(scope)
        self._cookies.check_origin(scope)
        return session.principal()


def cookie_of(scope: Scope, name: str) -> str | None:
    for header, value in scope["headers"]:
        if header == b"cookie":
            try:
                morsel = SimpleCookie(value.decode("latin-1")).get(name)
            except CookieError:
                return None
            if morsel is not None:
                return morsel.value
    return None


def _header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for header, value in scope["headers"] if header == name), None)
