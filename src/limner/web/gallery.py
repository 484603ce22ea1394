"""The gallery and the page of one picture."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from limner.accounts import connections, keys
from limner.accounts.keys import ApiKey
from limner.blobs.base import BlobMissing
from limner.catalog.models import Model
from limner.credits import spending
from limner.db.base import Database
from limner.db.types import first_id_at
from limner.errors import NotFound
from limner.images.generations import Generation
from limner.images.links import filename
from limner.images.lists import Filter
from limner.images.service import Images
from limner.web import forms, snippets, words
from limner.web.archive import Archive
from limner.web.door import PageDoor, see_other
from limner.web.frames import Frame, Frames
from limner.web.pages import Pages
from limner.web.visitors import Visitor

PER_PAGE = 40
MOST_PICKED = 100
SPANS = {"today": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}


@dataclass(frozen=True, slots=True)
class Day:
    """`spent` is (pictures, credits) of the whole day, where the page shows whole days."""

    name: str
    long: str
    frames: list[Frame]
    spent: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Search:
    """What the visitor looks for, as the form shows it again."""

    text: str
    model_id: str
    key_id: str
    span: str
    before_id: str | None

    @property
    def is_open(self) -> bool:
        return not (self.text or self.model_id or self.key_id or self.span)

    def filter(self, now: datetime) -> Filter:
        return Filter(
            model_id=self.model_id or None,
            text=self.text or None,
            before_id=self.before_id,
            caller_id=self.key_id or None,
            since_id=first_id_at(now - SPANS[self.span]) if self.span else None,
        )


class Gallery:
    def __init__(self, database: Database, images: Images, frames: Frames, pages: Pages, public_url: str) -> None:
        self._database = database
        self._images = images
        self._frames = frames
        self._pages = pages
        self._public_url = public_url

    def routes(self, door: PageDoor) -> list[Route]:
        return [
            door.dashboard("/dashboard/gallery", self._wall),
            door.dashboard("/dashboard/gallery/frames", self._news),
            door.dashboard("/dashboard/gallery/picked", self._picked, "POST"),
            door.dashboard("/dashboard/gallery/compare", self._compare),
            door.dashboard("/dashboard/images/{id}", self._image),
            door.dashboard("/dashboard/images/{id}/delete", self._delete, "POST"),
            door.dashboard("/dashboard/images/{id}/cancel", self._cancel, "POST"),
            door.dashboard("/dashboard/images/{id}/again", self._again, "POST"),
            door.dashboard("/dashboard/images/{id}/share", self._share, "POST"),
            door.dashboard("/dashboard/images/{id}/unshare", self._unshare, "POST"),
        ]

    # --- the wall -----------------------------------------------------------------------------

    async def _wall(self, request: Request, visitor: Visitor) -> Response:
        search = _search(request.query_params)
        page = await self._images.page(visitor.principal, search.filter(self._pages.now()), limit=PER_PAGE)
        rows = page.generations
        return self._pages.render(
            "gallery.html",
            visitor,
            days=self._days(rows, visitor, await self._spent(rows, visitor) if search.is_open else None),
            search=search,
            models=self._models(),
            keys=await self._keys(visitor),
            older=_older(search, rows[-1].id) if len(rows) == PER_PAGE else None,
            total=page.total,
        )

    async def _news(self, request: Request, visitor: Visitor) -> Response:
        """The frames a page that is open lacks: newer than its newest, and those it shows as waiting."""
        principal, after = visitor.principal, request.query_params.get("after", "")
        newest = await self._images.page(principal, Filter(since_id=after or None), limit=PER_PAGE)
        rows = [row for row in newest.generations if row.id > after]
        for waiting in request.query_params.getlist("id")[:PER_PAGE]:
            try:
                rows.append(await self._images.get(principal, waiting))
            except NotFound:
                continue
        frames = [self._frames.of(row) for row in sorted(rows, key=lambda row: row.id, reverse=True)]
        return self._pages.render("partials/frames.html", visitor, frames=frames)

    async def _picked(self, request: Request, visitor: Visitor) -> Response:
        form = await request.form()
        picked = [await self._images.get(visitor.principal, each) for each in forms.many(form, "pick")[:MOST_PICKED]]
        what = forms.choice(form, "do", ("download", "delete", "compare", "reference"))
        if what == "reference":
            return see_other("/dashboard/playground?" + "&".join(f"reference={row.id}" for row in picked))
        if what == "compare":
            return see_other("/dashboard/gallery/compare?" + "&".join(f"id={row.id}" for row in picked[:4]))
        if what == "download":
            return self._zip([row for row in picked if row.status == "succeeded"])
        if forms.text(form, "sure") != "yes":
            frames = [self._frames.of(row) for row in picked]
            return self._pages.render("delete_picked.html", visitor, frames=frames)
        for row in picked:
            await self._images.delete(visitor.principal, row.id)
        return see_other("/dashboard/gallery")

    async def _compare(self, request: Request, visitor: Visitor) -> Response:
        ids = request.query_params.getlist("id")[:4]
        frames = [self._frames.of(await self._images.get(visitor.principal, each)) for each in ids]
        return self._pages.render("compare.html", visitor, frames=frames)

    # --- one picture --------------------------------------------------------------------------

    async def _image(self, request: Request, visitor: Visitor) -> Response:
        row = await self._images.get(visitor.principal, request.path_params["id"])
        older = await self._images.page(visitor.principal, Filter(statuses=("succeeded",), before_id=row.id), limit=1)
        newer = await self._images.newer(visitor.principal, row.id)
        kin = await self._images.of_call(visitor.principal, row)
        return self._pages.render(
            "image.html",
            visitor,
            frame=self._frames.of(row),
            older=older.generations[0] if older.generations else None,
            newer=newer,
            kin=[self._frames.of(each) for each in kin],
            made_by=await self._made_by(visitor, row),
            shared=await self._shared(row),
            again_key=str(uuid4()),
            calls=snippets.of(self._public_url, _arguments(row), edits=row.operation == "edit"),
        )

    async def _delete(self, request: Request, visitor: Visitor) -> Response:
        await self._images.delete(visitor.principal, request.path_params["id"])
        return see_other("/dashboard/gallery")

    async def _cancel(self, request: Request, visitor: Visitor) -> Response:
        row = await self._images.cancel(visitor.principal, request.path_params["id"])
        return see_other(f"/dashboard/images/{row.id}")

    async def _again(self, request: Request, visitor: Visitor) -> Response:
        """The same request once more; a key of its own makes it a new picture."""
        form = await request.form()
        row = await self._images.get(visitor.principal, request.path_params["id"])
        started = await self._images.again(visitor.principal, row, idempotency_key=forms.needed(form, "key", most=255))
        return see_other(f"/dashboard/images/{started.generation_ids[0]}")

    async def _share(self, request: Request, visitor: Visitor) -> Response:
        """A link that lasts, until it is taken back."""
        row = await self._images.get(visitor.principal, request.path_params["id"])
        if row.status != "succeeded":
            raise NotFound("There is no picture to share.")
        await self._images.share(row)
        return see_other(f"/dashboard/images/{row.id}#share")

    async def _unshare(self, request: Request, visitor: Visitor) -> Response:
        row = await self._images.get(visitor.principal, request.path_params["id"])
        await self._images.unshare(row)
        return see_other(f"/dashboard/images/{row.id}#share")

    # --- private ------------------------------------------------------------------------------

    def _days(
        self, rows: Sequence[Generation], visitor: Visitor, spent: Mapping[date, tuple[int, int]] | None
    ) -> list[Day]:
        zone, now = visitor.zone, self._pages.now()
        return [
            Day(
                words.day_name(group[0].created_at, zone, now),
                words.long_day(group[0].created_at, zone),
                [self._frames.of(row) for row in group],
                spent.get(day, (0, 0)) if spent is not None else None,
            )
            for day, members in groupby(rows, key=lambda row: row.created_at.astimezone(zone).date())
            for group in [list(members)]
        ]

    async def _spent(self, rows: Sequence[Generation], visitor: Visitor) -> Mapping[date, tuple[int, int]]:
        """Pictures and credits of the days these rows are of."""
        if not rows:
            return {}
        account_id, zone = visitor.signed_in.account_id, visitor.zone
        shown = sorted({_midnight(row.created_at, zone) for row in rows})
        totals = await self._database.read_slowly(lambda tx: spending.total_per_day(tx, account_id, shown))
        return {day.date(): (total.pictures, total.credits) for day, total in totals.items()}

    def _models(self) -> list[Model]:
        return [model for model in self._images.models() if self._images.catalog.reason(model) is None]

    async def _keys(self, visitor: Visitor) -> list[ApiKey]:
        account_id = visitor.signed_in.account_id
        return await self._database.read(lambda tx: keys.of_account(tx, account_id))

    async def _made_by(self, visitor: Visitor, row: Generation) -> str:
        if row.api_key_id is not None:
            return next((key.name for key in await self._keys(visitor) if key.id == row.api_key_id), "An API key")
        if row.connection_id is None:
            return "The dashboard"
        account_id, now = visitor.signed_in.account_id, self._pages.now()
        known = await self._database.read(lambda tx: connections.of_account(tx, account_id, now))
        return next((each.client_name for each in known if each.id == row.connection_id), "A connection")

    async def _shared(self, row: Generation) -> str | None:
        share = await self._images.shared(row)
        return self._frames.public(share.id, share.filename) if share else None

    def _zip(self, rows: Sequence[Generation]) -> Response:
        headers = {"Content-Disposition": 'attachment; filename="limner-pictures.zip"', "Cache-Control": "no-store"}
        return StreamingResponse(self._zipped(rows), headers=headers, media_type="application/zip")

    async def _zipped(self, rows: Sequence[Generation]) -> AsyncIterator[bytes]:
        archive = Archive()
        for row in rows:
            try:
                yield archive.add(filename(row), await self._images.content(row))
            except BlobMissing:
                continue
        yield archive.end()


def _midnight(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _search(params: QueryParams) -> Search:
    span = params.get("when", "")
    return Search(
        text=params.get("q", "").replace("\x00", "")[:200].strip(),
        model_id=params.get("model", "")[:200],
        key_id=params.get("by", "")[:100],
        span=span if span in SPANS else "",
        before_id=params.get("before") or None,
    )


def _older(search: Search, last_id: str) -> str:
    fields = {"q": search.text, "model": search.model_id, "by": search.key_id, "when": search.span, "before": last_id}
    return str(QueryParams({name: value for name, value in fields.items() if value}))


def _arguments(row: Generation) -> dict[str, Any]:
    """What an agent would send for this picture."""
    asked = {name: value for name, value in row.options.items() if value is not None}
    known = ("aspectRatio", "resolution", "quality", "thinkingLevel", "background", "outputFormat", "seed")
    base: dict[str, Any] = {"modelId": row.model_id, **{name: asked[name] for name in known if name in asked}}
    return {"prompt": row.prompt or "", **base, **({"style": row.style} if row.style else {})}
