"""Administration: accounts, models, what runs, the ledger's proof, and the log of all that was done here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts import accounts, administration, audit_log, sessions, sign_in, users
from limner.accounts.sign_in import Welcome
from limner.blobs.base import Blobs
from limner.catalog.catalog import Catalog
from limner.catalog.models import Model
from limner.credits import ledger
from limner.credits.audit import Counts, Problem
from limner.credits.ledger import Entry
from limner.db.base import Database, Transaction
from limner.images import audit, health
from limner.images.health import ModelHealth
from limner.web import forms
from limner.web.door import PageDoor, see_other
from limner.web.pages import Pages
from limner.web.visitors import Visitor

PER_PAGE = 50
MOST_GRANTED = 10_000_000


@dataclass(frozen=True, slots=True)
class ModelLine:
    """A model, why it cannot be used (None: it can), how it did lately, and what is left of a dollar of credits."""

    model: Model
    reason: str | None
    health: ModelHealth | None
    margin_percent: float | None


@dataclass(frozen=True, slots=True)
class ProviderLine:
    """A supplier in the last 24 hours; `left_alone` while its circuit breaker is open."""

    name: str
    places: int
    left_alone: bool
    made: int
    failed: int
    credits: int
    cost_usd: float


@dataclass(frozen=True, slots=True)
class Operations:
    """What the running parts know of themselves: orders each supplier takes at once, which are left alone, and how
    many problems the hourly audit of the books found (None: it has not run yet)."""

    places: Callable[[], Mapping[str, int]]
    down: Callable[[], Sequence[str]]
    book_problems: Callable[[], int | None]


class Admin:
    """`cents_per_credit` is what a credit is sold for at least: what margins are counted by."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        catalog: Catalog,
        pages: Pages,
        welcome: Welcome,
        public_url: str,
        cents_per_credit: float,
        operations: Operations,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._catalog = catalog
        self._pages = pages
        self._welcome = welcome
        self._public_url = public_url
        self._cents_per_credit = cents_per_credit
        self._operations = operations

    def routes(self, door: PageDoor) -> list[Route]:
        return [
            door.admin("/admin", self._overview),
            door.admin("/admin/accounts", self._accounts),
            door.admin("/admin/accounts", self._create, "POST"),
            door.admin("/admin/accounts/{id}", self._account),
            door.admin("/admin/accounts/{id}/grant", self._grant, "POST"),
            door.admin("/admin/accounts/{id}/suspend", self._suspend, "POST"),
            door.admin("/admin/accounts/{id}/act", self._act, "POST"),
            door.admin("/admin/stop-acting", self._stop_acting, "POST"),
            door.admin("/admin/models", self._models),
            door.admin("/admin/generations", self._generations),
            door.admin("/admin/ledger", self._ledger),
            door.admin("/admin/ledger", self._prove, "POST"),
            door.admin("/admin/audit", self._audit),
        ]

    async def _overview(self, request: Request, visitor: Visitor) -> Response:
        return see_other("/admin/accounts")

    # --- accounts -----------------------------------------------------------------------------

    async def _accounts(self, request: Request, visitor: Visitor) -> Response:
        text, before = request.query_params.get("q", "")[:200].strip(), request.query_params.get("before")
        found = await self._database.read(lambda tx: administration.search(tx, text, limit=PER_PAGE, before_id=before))
        older = found[-1].id if len(found) == PER_PAGE else None
        return self._pages.render("admin_accounts.html", visitor, found=found, q=text, older=older, link=None)

    async def _create(self, request: Request, visitor: Visitor) -> Response:
        """A new account, and the link that lets its owner in."""
        email, now = forms.needed(await request.form(), "email", most=320), self._pages.now()
        actor = visitor.signed_in.email

        def create(tx: Transaction) -> tuple[str, str]:
            account_id, user_id = accounts.create(tx, email, now, verified=True)
            self._welcome(tx, account_id)
            audit_log.note(tx, actor, "create account", now, account_id=account_id, target_id=user_id)
            return account_id, sign_in.sign_in_link(tx, email, now)

        account_id, path = await self._database.write(create)
        return await self._show_account(visitor, account_id, link=f"{self._public_url}{path}")

    async def _account(self, request: Request, visitor: Visitor) -> Response:
        return await self._show_account(visitor, request.path_params["id"])

    async def _grant(self, request: Request, visitor: Visitor) -> Response:
        """Credits given or (negative) taken; the form's own key makes a double click one line."""
        form, account_id, now = await request.form(), request.path_params["id"], self._pages.now()
        amount = forms.whole(form, "credits", least=-MOST_GRANTED, most=MOST_GRANTED)
        why, key, actor = forms.text(form, "why", most=200), forms.needed(form, "key", most=80), visitor.signed_in.email
        if not amount:
            raise forms.wrong("credits", "must not be 0")

        def grant(tx: Transaction) -> None:
            administration.overview(tx, account_id)
            entry = Entry(why or "Granted by the operator", unique_key=f"grant:{key}")
            if ledger.add(tx, account_id, amount, "grant" if amount > 0 else "adjustment", entry, now):
                detail = {"credits": amount, "why": why}
                audit_log.note(tx, actor, "grant credits", now, account_id=account_id, detail=detail)

        await self._database.write(grant)
        return see_other(f"/admin/accounts/{account_id}")

    async def _suspend(self, request: Request, visitor: Visitor) -> Response:
        form, account_id, now = await request.form(), request.path_params["id"], self._pages.now()
        ends = forms.text(form, "do") == "resume"
        reason = None if ends else forms.text(form, "reason", most=200) or "suspended by the operator"
        actor = visitor.signed_in.email

        def suspend(tx: Transaction) -> None:
            administration.suspend(tx, account_id, reason)
            what = "resume account" if ends else "suspend account"
            audit_log.note(tx, actor, what, now, account_id=account_id, detail={"reason": reason} if reason else None)

        await self._database.write(suspend)
        return see_other(f"/admin/accounts/{account_id}")

    async def _act(self, request: Request, visitor: Visitor) -> Response:
        account_id, session, now = request.path_params["id"], visitor.signed_in, self._pages.now()

        def act(tx: Transaction) -> None:
            administration.overview(tx, account_id)
            sessions.act_for(tx, session.id, account_id)
            audit_log.note(tx, session.email, "act for account", now, account_id=account_id)

        await self._database.write(act)
        return see_other("/dashboard")

    async def _stop_acting(self, request: Request, visitor: Visitor) -> Response:
        session, now = visitor.signed_in, self._pages.now()

        def stop(tx: Transaction) -> None:
            sessions.act_for(tx, session.id, None)
            audit_log.note(tx, session.email, "stop acting", now, account_id=session.account_id)

        await self._database.write(stop)
        return see_other("/admin/accounts")

    async def _show_account(self, visitor: Visitor, account_id: str, *, link: str | None = None) -> Response:
        def read(tx: Transaction) -> dict[str, Any]:
            return {
                "account": administration.overview(tx, account_id),
                "members": users.members(tx, account_id),
                "lines": ledger.transactions(tx, account_id, limit=20),
            }

        found = await self._database.read(read)
        return self._pages.render("admin_account.html", visitor, link=link, key=str(uuid4()), **found)

    # --- models and work ----------------------------------------------------------------------

    async def _models(self, request: Request, visitor: Visitor) -> Response:
        now = self._pages.now()
        seen = await self._database.read_slowly(lambda tx: health.models(tx, now))
        lines = [
            ModelLine(model, self._catalog.reason(model), seen.get(model.id), self._margin(model))
            for model in self._catalog.models()
        ]
        return self._pages.render("admin_models.html", visitor, lines=lines, providers=self._providers(seen))

    def _providers(self, seen: Mapping[str, ModelHealth]) -> list[ProviderLine]:
        down = self._operations.down()
        lately: dict[str, list[ModelHealth]] = {}
        for model in self._catalog.models():
            if model.id in seen:
                lately.setdefault(model.provider, []).append(seen[model.id])
        return [
            ProviderLine(
                name,
                places,
                name in down,
                made=sum(each.made for each in lately.get(name, ())),
                failed=sum(each.failed for each in lately.get(name, ())),
                credits=sum(each.credits for each in lately.get(name, ())),
                cost_usd=sum(each.cost_usd for each in lately.get(name, ())),
            )
            for name, places in self._operations.places().items()
        ]

    async def _generations(self, request: Request, visitor: Visitor) -> Response:
        now = self._pages.now()
        running = await self._database.read_slowly(lambda tx: health.under_way(tx, limit=PER_PAGE))
        failed = await self._database.read_slowly(lambda tx: health.failures(tx, now, limit=PER_PAGE))
        return self._pages.render("admin_generations.html", visitor, running=running, failed=failed)

    def _margin(self, model: Model) -> float | None:
        """Of what a picture is sold for, the percentage its supplier does not get."""
        price = model.credits.base * self._cents_per_credit
        return None if model.cost_usd is None or not price else round((1 - model.cost_usd * 100 / price) * 100)

    # --- proof and log ------------------------------------------------------------------------

    async def _ledger(self, request: Request, visitor: Visitor) -> Response:
        return self._proof(visitor)

    async def _prove(self, request: Request, visitor: Visitor) -> Response:
        """The same audit as the command line's; it may read every row."""
        counts, problems = await audit.run(self._database, self._blobs)
        return self._proof(visitor, counts=counts, problems=problems)

    def _proof(self, visitor: Visitor, *, counts: Counts | None = None, problems: Sequence[Problem] = ()) -> Response:
        hourly = self._operations.book_problems()
        return self._pages.render("admin_ledger.html", visitor, counts=counts, problems=problems, hourly=hourly)

    async def _audit(self, request: Request, visitor: Visitor) -> Response:
        before = request.query_params.get("before")
        acts = await self._database.read(lambda tx: audit_log.page(tx, limit=PER_PAGE, before_id=before))
        older = acts[-1].id if len(acts) == PER_PAGE else None
        return self._pages.render("admin_audit.html", visitor, acts=acts, older=older)
