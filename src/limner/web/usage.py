"""Usage and the overview: what was spent on what, the ledger line by line, and how long the rest lasts."""

import csv
import io
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from limner.accounts import connections, keys
from limner.credits import ledger, spending
from limner.credits.ledger import CreditTransaction
from limner.credits.spending import Spent
from limner.db.base import Database, Transaction
from limner.images.lists import Filter
from limner.images.service import Images
from limner.schemas import iso
from limner.web import charts
from limner.web.charts import Chart
from limner.web.door import PageDoor
from limner.web.frames import Frames
from limner.web.pages import Pages
from limner.web.visitors import Visitor

RANGES = (7, 30, 90)
SPLITS = ("model", "key")
LINES = 50
CSV_LINES = 1000
UNKNOWN_CALLER = "A connection"
COLUMNS = ("createdAt", "type", "amount", "balanceAfter", "description", "modelId", "keyId", "generationId", "id")


@dataclass(frozen=True, slots=True)
class Share:
    """A key or connection, what it spent, and that as a percentage of the largest."""

    name: str
    credits: int
    percent: float


@dataclass(frozen=True, slots=True)
class Use:
    chart: Chart
    pictures: int
    shares: list[Share]


class UsagePages:
    def __init__(self, database: Database, images: Images, frames: Frames, pages: Pages) -> None:
        self._database = database
        self._images = images
        self._frames = frames
        self._pages = pages

    def routes(self, door: PageDoor) -> list[Route]:
        return [
            door.dashboard("/dashboard", self._overview),
            door.dashboard("/dashboard/usage", self._usage),
            door.dashboard("/dashboard/usage.csv", self._csv),
        ]

    async def _overview(self, request: Request, visitor: Visitor) -> Response:
        page = await self._images.page(visitor.principal, Filter(), limit=12)
        return self._pages.render(
            "overview.html",
            visitor,
            use=await self._use(visitor, 30),
            frames=[self._frames.of(row) for row in page.generations],
            total=page.total or 0,
        )

    async def _usage(self, request: Request, visitor: Visitor) -> Response:
        asked = request.query_params.get("days", "30")
        days = next((each for each in RANGES if str(each) == asked), 30)
        by = "key" if request.query_params.get("by") == "key" else "model"
        before = request.query_params.get("before")
        account_id = visitor.signed_in.account_id
        lines = await self._database.read(
            lambda tx: ledger.transactions(tx, account_id, ledger.Filter(before_id=before), limit=LINES)
        )
        return self._pages.render(
            "usage.html",
            visitor,
            use=await self._use(visitor, days, by=by),
            days=days,
            ranges=RANGES,
            by=by,
            splits=SPLITS,
            lines=lines,
            older=lines[-1].id if len(lines) == LINES else None,
            names=await self._names(visitor),
            models=self._model_names(),
        )

    async def _csv(self, request: Request, visitor: Visitor) -> Response:
        headers = {"Content-Disposition": 'attachment; filename="limner-usage.csv"', "Cache-Control": "no-store"}
        return StreamingResponse(self._rows(visitor.signed_in.account_id), headers=headers, media_type="text/csv")

    async def _rows(self, account_id: str) -> AsyncIterator[str]:
        """The whole ledger, a page at a time."""
        yield _csv_line(COLUMNS)
        before: str | None = None
        while lines := await self._page(account_id, before):
            yield "".join(_csv_line(_cells(line)) for line in lines)
            before = lines[-1].id

    async def _page(self, account_id: str, before: str | None) -> list[CreditTransaction]:
        return await self._database.read(
            lambda tx: ledger.transactions(tx, account_id, ledger.Filter(before_id=before), limit=CSV_LINES)
        )

    async def _use(self, visitor: Visitor, days: int, *, by: str = "model") -> Use:
        now, zone, account_id = self._pages.now(), visitor.zone, visitor.signed_in.account_id
        shown = charts.last_days(days, zone, now)

        def read(tx: Transaction) -> tuple[Sequence[Spent], Mapping[str | None, int], int]:
            spent = spending.per_day(tx, account_id, shown, by="caller_id" if by == "key" else "model_id")
            since = shown[0]
            return spent, spending.by_caller(tx, account_id, since), spending.pictures(tx, account_id, since)

        spent, shares, pictures = await self._database.read_slowly(read)
        callers, models = await self._names(visitor), self._model_names()

        def named(each: Spent) -> str:
            if by == "key":
                return callers.get(each.id, UNKNOWN_CALLER)
            return models.get(each.id or "", each.id or charts.OTHERS)

        return Use(charts.per_day(spent, named, days=days, zone=zone, now=now), pictures, _shares(shares, callers))

    async def _names(self, visitor: Visitor) -> Mapping[str | None, str]:
        account_id, now = visitor.signed_in.account_id, self._pages.now()

        def read(tx: Transaction) -> dict[str | None, str]:
            signed_in = {each.id: each.client_name for each in connections.of_account(tx, account_id, now)}
            return {None: "Dashboard", **signed_in, **{key.id: key.name for key in keys.of_account(tx, account_id)}}

        return await self._database.read(read)

    def _model_names(self) -> Mapping[str, str]:
        return {model.id: model.name for model in self._images.models()}


def _shares(spent: Mapping[str | None, int], names: Mapping[str | None, str]) -> list[Share]:
    sums: dict[str, int] = defaultdict(int)
    for caller_id, credits in spent.items():
        sums[names.get(caller_id, UNKNOWN_CALLER)] += credits
    most = max(sums.values(), default=0)
    ranked = sorted(((name, credits) for name, credits in sums.items() if credits), key=lambda pair: -pair[1])
    return [Share(name, credits, round(credits / most * 100, 1) if most else 0) for name, credits in ranked[:12]]


def _cells(line: CreditTransaction) -> Sequence[str]:
    picture = line.reference_id if line.type in ("charge", "refund") else None
    named = (line.description, line.model_id or "", line.api_key_id or line.connection_id or "", picture or "", line.id)
    return (iso(line.created_at), line.type, str(line.amount), str(line.balance_after), *map(_harmless, named))


def _harmless(cell: str) -> str:
    """A spreadsheet runs what begins like a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()
