"""REST for what was spent: the account's credit transactions as pages of JSON, or all of them as CSV."""

import csv
import io
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from limner.accounts.principal import Principal
from limner.credits.ledger import CreditTransaction, Filter
from limner.http.json import Json
from limner.images.service import Images
from limner.rest import reading
from limner.rest.door import Door
from limner.schemas import UsageLine

BATCH = 1000
COLUMNS = (
    "id",
    "createdAt",
    "type",
    "amount",
    "balanceAfter",
    "description",
    "modelId",
    "keyId",
    "connectionId",
    "referenceId",
)


class UsageRoutes:
    def __init__(self, images: Images) -> None:
        self._images = images

    def routes(self, door: Door) -> list[Route]:
        return [door.route("/api/v1/usage", self._usage)]

    async def _usage(self, request: Request, principal: Principal) -> Response:
        which = _filter(request)
        if reading.choice(request, "format", ("json", "csv")) == "csv" or _prefers_csv(request):
            return await self._as_csv(request, principal, which)
        limit, offset = reading.page_of(request)
        lines, total = await self._images.usage(principal, which, limit=limit, offset=offset)
        cursor = lines[-1].id if len(lines) == limit else None
        shown = [UsageLine.of(line).data() for line in lines]
        return Json({"transactions": shown, "total": total, "limit": limit, "offset": offset, "nextCursor": cursor})

    async def _as_csv(self, request: Request, principal: Principal, which: Filter) -> Response:
        """Everything that fits the filter; with `limit` or `offset`, that page."""
        if "limit" in request.query_params or "offset" in request.query_params:
            limit, offset = reading.page_of(request)
            lines, _ = await self._images.usage(principal, which, limit=limit, offset=offset)
            return _csv_response(_one_page(lines))
        first, _ = await self._images.usage(principal, which, limit=BATCH)
        return _csv_response(self._all(principal, which, first))

    async def _all(self, principal: Principal, which: Filter, lines: list[CreditTransaction]) -> AsyncGenerator[str]:
        yield _heading()
        while lines:
            yield _rows(lines)
            if len(lines) < BATCH:
                return
            lines, _ = await self._images.usage(principal, replace(which, before_id=lines[-1].id), limit=BATCH)


def _filter(request: Request) -> Filter:
    return Filter(
        api_key_id=reading.text(request, "keyId"),
        model_id=reading.text(request, "modelId"),
        since=_moment(request, "from"),
        until=_moment(request, "to"),
        before_id=reading.cursor(request),
    )


def _moment(request: Request, name: str) -> datetime | None:
    """A day or a time, UTC unless it says otherwise; `to` names the first moment that is left out."""
    text = reading.text(request, name, most=40)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # a bare + in a query string reads as a space
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise reading.wrong(name, "must be a date or time in ISO 8601, such as 2026-01-31") from None
    return moment


def _prefers_csv(request: Request) -> bool:
    accepted = [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")]
    return "text/csv" in accepted and "application/json" not in accepted


async def _one_page(lines: list[CreditTransaction]) -> AsyncGenerator[str]:
    yield _heading() + _rows(lines)


def _csv_response(pieces: AsyncGenerator[str]) -> Response:
    headers = {"Content-Disposition": 'attachment; filename="usage.csv"', "X-Content-Type-Options": "nosniff"}
    return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=headers)


def _heading() -> str:
    return ",".join(COLUMNS) + "\r\n"


def _rows(lines: list[CreditTransaction]) -> str:
    written = io.StringIO()
    writer = csv.writer(written)
    for line in lines:
        data = UsageLine.of(line).data()
        writer.writerow([_cell(data[name]) for name in COLUMNS])
    return written.getvalue()


def _cell(value: object) -> object:
    """A spreadsheet must not take a text for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
