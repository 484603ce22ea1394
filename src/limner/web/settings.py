"""Settings: who you are here, how long pictures stay, who else belongs, and the way out with all of it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from limner.accounts import (
    accounts,
    administration,
    audit_log,
    identities,
    low_balance,
    sessions,
    sign_in,
    users,
)
from limner.accounts.identities import Connected
from limner.accounts.low_balance import Notice
from limner.accounts.passwords import Passwords
from limner.accounts.sessions import Role
from limner.accounts.sign_in import OneTimeLink
from limner.accounts.users import Member, Membership
from limner.blobs.base import BlobMissing
from limner.credits import ledger
from limner.db.base import Database, Transaction
from limner.errors import InvalidRequest, NotCancellable
from limner.images.generations import Generation
from limner.images.links import filename
from limner.images.lists import Filter
from limner.images.service import Images
from limner.issuers.base import Issuer
from limner.prompts import saved
from limner.schemas import DescribedImage, UsageLine
from limner.schemas.prompts import exported
from limner.web import forms
from limner.web.archive import Archive
from limner.web.door import PageDoor, see_other
from limner.web.pages import Pages
from limner.web.sign_in import SignIn
from limner.web.visitors import Visitor

MOST_RETENTION_DAYS = 3650
MOST_LOW_BALANCE = 10**9
PAGE = 100
YEAR_SECONDS = 365 * 24 * 3600
ROLES: tuple[Role, ...] = ("member", "billing", "owner")


@dataclass(frozen=True, slots=True)
class Known:
    """An identity of the visitor, with what its issuer is called here."""

    identity: Connected
    issuer_name: str


@dataclass(frozen=True, slots=True)
class People:
    members: list[Member]
    invites: list[OneTimeLink]
    memberships: list[Membership]
    browsers: int
    identities: list[Known]
    notice: Notice


@cache
def time_zones() -> list[str]:
    """Those people know by a city."""
    return sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))


class Settings:
    def __init__(
        self,
        *,
        database: Database,
        images: Images,
        pages: Pages,
        passwords: Passwords,
        letters: SignIn,
        issuers: Sequence[Issuer],
        public_url: str,
    ) -> None:
        self._database = database
        self._images = images
        self._pages = pages
        self._passwords = passwords
        self._letters = letters
        self._issuers = issuers
        self._public_url = public_url

    def routes(self, door: PageDoor) -> list[Route]:
        base = "/dashboard/settings"
        return [
            door.dashboard(base, self._show),
            door.owner(f"{base}/account", self._account, "POST"),
            door.dashboard(f"{base}/you", self._you, "POST"),
            door.dashboard(f"{base}/password", self._password, "POST"),
            door.dashboard(f"{base}/switch", self._switch, "POST"),
            door.owner(f"{base}/invite", self._invite, "POST"),
            door.owner(f"{base}/invites/{{id}}/withdraw", self._withdraw, "POST"),
            door.owner(f"{base}/members/{{id}}/remove", self._remove, "POST"),
            door.owner(f"{base}/export.zip", self._export),
            door.owner(f"{base}/delete", self._delete, "POST"),
        ]

    async def _show(self, request: Request, visitor: Visitor) -> Response:
        return await self._page(visitor, saved="saved" in request.query_params)

    async def _account(self, request: Request, visitor: Visitor) -> Response:
        form = await request.form()
        name = forms.needed(form, "name", most=forms.LONGEST_NAME)
        zone = forms.needed(form, "time_zone", most=60)
        days = forms.whole(form, "retention_days", least=1, most=MOST_RETENTION_DAYS)
        line = forms.whole(form, "low_balance", least=0, most=MOST_LOW_BALANCE)
        account_id = visitor.signed_in.account_id

        def change(tx: Transaction) -> None:
            administration.change(tx, account_id, name=name, time_zone=zone, retention_days=days)
            by_mail = low_balance.notice_of(tx, account_id).by_mail
            if self._letters.mails:
                by_mail = forms.text(form, "low_balance_by_mail") == "on"
            low_balance.change(tx, account_id, Notice(line, by_mail))

        await self._database.write(change)
        return see_other("/dashboard/settings?saved")

    async def _you(self, request: Request, visitor: Visitor) -> Response:
        form = await request.form()
        name = forms.text(form, "name", most=forms.LONGEST_NAME) or None
        user_id = visitor.signed_in.user_id
        await self._database.write(lambda tx: users.set_name(tx, user_id, name))
        response = see_other("/dashboard/settings?saved")
        shortcuts = "on" if forms.text(form, "shortcuts") == "on" else "off"
        response.set_cookie("shortcuts", shortcuts, max_age=YEAR_SECONDS, samesite="lax", path="/")
        theme = forms.choice(form, "theme", ("light", "dark", "system"))
        if theme in ("light", "dark"):
            response.set_cookie("theme", theme, max_age=YEAR_SECONDS, samesite="lax", path="/")
        elif theme:
            response.delete_cookie("theme", path="/")
        return response

    async def _password(self, request: Request, visitor: Visitor) -> Response:
        form, session = await request.form(), visitor.signed_in
        user = await self._database.read(lambda tx: users.get(tx, session.user_id))
        if user.password_digest and not await self._passwords.fits(user.password_digest, forms.password(form, "old")):
            raise InvalidRequest("The old password is another one.", next_step="Type it again.")
        digest = await self._passwords.digest(forms.password(form))
        await self._database.write(lambda tx: users.set_password(tx, session.user_id, digest, keep_session=session.id))
        return see_other("/dashboard/settings?saved")

    async def _switch(self, request: Request, visitor: Visitor) -> Response:
        account_id, session = forms.needed(await request.form(), "account", most=60), visitor.signed_in
        await self._database.write(lambda tx: sessions.switch(tx, session.id, account_id))
        return see_other("/dashboard")

    # --- people -------------------------------------------------------------------------------

    async def _invite(self, request: Request, visitor: Visitor) -> Response:
        form, now, session = await request.form(), self._pages.now(), visitor.signed_in
        email = accounts.normal_email(forms.needed(form, "email", most=320))
        known: dict[str, Role] = {role: role for role in ROLES}
        role = known[forms.choice(form, "role", ROLES) or "member"]

        def make(tx: Transaction) -> str:
            audit_log.note(
                tx, session.email, "invite", now, account_id=session.account_id, detail={"email": email, "role": role}
            )
            return sign_in.make(
                tx, "invite", now, email=email, account_id=session.account_id, role=role, ttl=sign_in.INVITE_TTL
            )

        path = sign_in.path_of(await self._database.write(make))
        await self._letters.send_link("invite", email, path)
        return await self._page(visitor, invite=f"{self._public_url}{path}", invited=email)

    async def _withdraw(self, request: Request, visitor: Visitor) -> Response:
        account_id, link_id, now = visitor.signed_in.account_id, request.path_params["id"], self._pages.now()
        await self._database.write(lambda tx: sign_in.withdraw(tx, account_id, link_id, now))
        return see_other("/dashboard/settings#people")

    async def _remove(self, request: Request, visitor: Visitor) -> Response:
        account_id, user_id = visitor.signed_in.account_id, request.path_params["id"]
        await self._database.write(lambda tx: users.remove(tx, account_id, user_id))
        return see_other("/dashboard/settings#people")

    # --- the way out --------------------------------------------------------------------------

    async def _export(self, request: Request, visitor: Visitor) -> Response:
        """Everything: pictures as they are, their facts, the ledger."""
        headers = {"Content-Disposition": 'attachment; filename="limner-export.zip"', "Cache-Control": "no-store"}
        return StreamingResponse(self._exported(visitor), headers=headers, media_type="application/zip")

    async def _exported(self, visitor: Visitor) -> AsyncIterator[bytes]:
        archive, session = Archive(), visitor.signed_in
        facts: list[bytes] = []
        async for row in self._everything(visitor):
            facts.append(orjson.dumps(DescribedImage.of(row, None, 0).data()))
            if row.status == "succeeded":
                try:
                    yield archive.add(f"images/{filename(row)}", await self._images.content(row))
                except BlobMissing:
                    continue
        yield archive.add("images.jsonl", b"\n".join(facts))
        lines = await self._database.read_slowly(lambda tx: ledger.transactions(tx, session.account_id, limit=10**9))
        yield archive.add("ledger.jsonl", b"\n".join(orjson.dumps(UsageLine.of(line).data()) for line in lines))
        prompts = await self._database.read(lambda tx: saved.of_account(tx, session.account_id))
        yield archive.add("prompts.json", orjson.dumps({"version": 1, "prompts": [exported(each) for each in prompts]}))
        yield archive.end()

    async def _everything(self, visitor: Visitor) -> AsyncIterator[Generation]:
        before: str | None = None
        while True:
            page = await self._images.page(visitor.principal, Filter(before_id=before), limit=PAGE)
            if not page.generations:
                return
            for row in page.generations:
                yield row
            before = page.generations[-1].id

    async def _delete(self, request: Request, visitor: Visitor) -> Response:
        """Forget the account: pictures first, so that a failure half way leaves somebody who can try again."""
        session, now = visitor.signed_in, self._pages.now()
        if forms.text(await request.form(), "email").lower() != session.email:
            raise InvalidRequest("Type your own address to delete the account.", next_step="Nothing was deleted.")
        async for row in self._everything(visitor):
            try:
                await self._images.delete(visitor.principal, row.id)
            except NotCancellable as error:
                raise InvalidRequest(
                    "A picture is still being made.", next_step="Wait until it is there, then delete the account."
                ) from error

        def close(tx: Transaction) -> None:
            audit_log.note(tx, session.email, "delete account", now, account_id=session.account_id)
            administration.close(tx, session.account_id, now)
            saved.delete_all(tx, session.account_id)

        await self._database.write(close)
        return see_other("/")

    async def _page(
        self, visitor: Visitor, *, saved: bool = False, invite: str | None = None, invited: str | None = None
    ) -> Response:
        session, now = visitor.signed_in, self._pages.now()

        def read(tx: Transaction) -> People:
            return People(
                users.members(tx, session.account_id),
                sign_in.open_invites(tx, session.account_id, now),
                users.memberships(tx, session.user_id),
                sessions.count_of(tx, session.user_id, now),
                [Known(each, self._name_of(each)) for each in identities.of_user(tx, session.user_id)],
                low_balance.notice_of(tx, session.account_id),
            )

        people = await self._database.read(read)
        return self._pages.render(
            "settings.html",
            visitor,
            people=people,
            notice=people.notice,
            usual_line=low_balance.USUAL_CREDITS,
            roles=ROLES,
            zones=time_zones(),
            saved=saved,
            invite=invite,
            invited=invited,
            mails=self._letters.mails,
            issuers=self._issuers,
        )

    def _name_of(self, identity: Connected) -> str:
        """Also of an issuer that is not set up any more."""
        names = {issuer.issuer.rstrip("/"): issuer.name for issuer in self._issuers}
        return names.get(identity.issuer.rstrip("/")) or urlsplit(identity.issuer).hostname or identity.issuer
