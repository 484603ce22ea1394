"""What every page does first: know the visitor, refuse forged forms, and show failures as pages."""

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from limner.accounts import low_balance
from limner.credits import ledger, spending
from limner.db.base import Database, Transaction
from limner.errors import InsufficientScope, NotFound, ServiceError, Unauthorized
from limner.http.errors import headers_of, named
from limner.http.sessions import SessionCookies
from limner.web.pages import Pages
from limner.web.visitors import Standing, Visitor

Handler = Callable[[Request, Visitor], Awaitable[Response]]


class PageDoor:
    def __init__(self, database: Database, cookies: SessionCookies, pages: Pages) -> None:
        self._database = database
        self._cookies = cookies
        self._pages = pages

    def public(self, path: str, handler: Handler, *methods: str) -> Route:
        """Anybody may look; whoever is signed in is known."""
        return self._route(path, handler, methods)

    def dashboard(self, path: str, handler: Handler, *methods: str) -> Route:
        """For the signed in; others are sent to sign in and come back."""

        async def signed_in(request: Request, visitor: Visitor) -> Response:
            _ = visitor.signed_in
            return await handler(request, visitor)

        return self._route(path, signed_in, methods)

    def owner(self, path: str, handler: Handler, *methods: str) -> Route:
        """For the owners of the account."""

        async def owned(request: Request, visitor: Visitor) -> Response:
            if not visitor.signed_in.owns:
                raise InsufficientScope("Only an owner of the account may do that.", next_step="Ask an owner.")
            return await handler(request, visitor)

        return self._route(path, owned, methods)

    def admin(self, path: str, handler: Handler, *methods: str) -> Route:
        """For administrators; to others there is no such page."""

        async def administered(request: Request, visitor: Visitor) -> Response:
            if not visitor.signed_in.is_admin:
                raise NotFound("There is no such page.")
            return await handler(request, visitor)

        return self._route(path, administered, methods)

    async def visitor(self, request: Request) -> Visitor:
        session = await self._cookies.session(request.scope)
        if session is None:
            return Visitor(request, None, None)
        now = self._pages.now()

        def standing(tx: Transaction) -> Standing:
            balance = ledger.balance(tx, session.account_id)
            lately = spending.lately(tx, session.account_id, now)
            days = balance.available * 7 // lately if lately and balance.available > 0 else None
            is_low = balance.available < low_balance.notice_of(tx, session.account_id).line
            return Standing(balance.available, balance.held, days, is_low)

        return Visitor(request, session, await self._database.read(standing))

    async def failure(self, request: Request, error: ServiceError) -> Response:
        """A failure as a page, with the way on."""
        visitor = await self.visitor(request)
        return self._failure(visitor, error)

    def _route(self, path: str, handler: Handler, methods: Sequence[str]) -> Route:
        async def endpoint(request: Request) -> Response:
            visitor = await self.visitor(request)
            try:
                self._cookies.check_origin(request.scope)
                return await handler(request, visitor)
            except Unauthorized:
                return _to_sign_in(request)
            except ServiceError as error:
                return self._failure(visitor, error)
            except ClientDisconnect:
                return Response(status_code=499)  # nobody is there to read it
            except Exception as problem:  # a bug is logged by `named`, and shown as a page too
                return self._failure(visitor, named(problem, path=visitor.path))

        return Route(path, endpoint, methods=list(methods or ("GET",)))

    def _failure(self, visitor: Visitor, error: ServiceError) -> Response:
        template = "partials/failure.html" if visitor.is_live else "failure.html"
        headers = headers_of(error, visitor.request.scope)
        back = _form_of(visitor.request)
        return self._pages.render(template, visitor, status=error.status, headers=headers, error=error, back=back)


def see_other(path: str) -> Response:
    """After a form was taken: look at this next (303, so that a reload sends nothing twice)."""
    return RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})


def safe_next(path: str | None, otherwise: str = "/dashboard") -> str:
    """Where to go on to, if that is a path of ours: never another host."""
    ours = path is not None and path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if ours and path is not None else otherwise


def _form_of(request: Request) -> str:
    """The page whose form was refused; empty for a page that was only looked at. No more than its path is believed."""
    came_from = urlsplit(request.headers.get("referer", ""))
    query = f"?{came_from.query}" if came_from.query else ""
    return safe_next(f"{came_from.path}{query}", "") if request.method == "POST" else ""


def _to_sign_in(request: Request) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = f"/sign-in?next={quote(wanted, safe='')}" if request.method == "GET" else "/sign-in"
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": target})
    return see_other(target)
