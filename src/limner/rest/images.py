"""REST for pictures: make, get, list, cancel, delete (docs/rest.md)."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from pydantic import Field
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts.principal import Principal
from limner.blobs.base import BlobMissing
from limner.errors import InvalidRequest, NotFound, ServiceError, from_data
from limner.http.connections import has_left, is_taken
from limner.http.disconnects import while_connected
from limner.http.json import Base64, Json, StreamedJson, body_of
from limner.images.beginning import Started
from limner.images.generations import Generation, Status
from limner.images.links import ImageLinks
from limner.images.lists import Filter
from limner.images.requests import NewImages
from limner.images.service import Images, Quote
from limner.rest import reading
from limner.rest.door import Door
from limner.rest.files import PictureFiles
from limner.rest.forms import Form, is_form
from limner.schemas import WAIT_SECONDS, DescribedImage, Edit, Generate, parse

STATUSES: tuple[Status, ...] = ("queued", "running", "succeeded", "failed", "cancelled")


class RestGenerate(Generate):
    include_bytes: bool = True
    ttl_seconds: Annotated[int, Field(ge=60, le=86400)] = 900


class RestEdit(Edit):
    include_bytes: bool = True
    ttl_seconds: Annotated[int, Field(ge=60, le=86400)] = 900


class ImageRoutes:
    def __init__(self, images: Images, links: ImageLinks, files: PictureFiles) -> None:
        self._images = images
        self._links = links
        self._files = files

    def routes(self, door: Door) -> list[Route]:
        return [
            door.route("/api/v1/images/generate", self._generate, "POST"),
            door.route("/api/v1/images/edit", self._edit, "POST"),
            door.route("/api/v1/images", self._list),
            door.route("/api/v1/images/{id}", self._get),
            door.route("/api/v1/images/{id}/content", self._content),
            door.route("/api/v1/images/{id}", self._delete, "DELETE"),
            door.route("/api/v1/images/{id}/cancel", self._cancel, "POST"),
        ]

    async def _generate(self, request: Request, principal: Principal) -> Response:
        body = parse(RestGenerate, await body_of(request))
        return await self._make(request, principal, body, body.new_images(nearest_size=True))

    async def _edit(self, request: Request, principal: Principal) -> Response:
        if is_form(request):
            form = await Form.of(request)
            body = parse(RestEdit, form.fields)
            return await self._make(request, principal, body, form.with_files(body.new_images(nearest_size=True)))
        body = parse(RestEdit, await body_of(request))
        return await self._make(request, principal, body, body.new_images(nearest_size=True))

    async def _make(
        self, request: Request, principal: Principal, body: RestGenerate | RestEdit, new: NewImages
    ) -> Response:
        new = _with_headers(request, new)
        if body.dry_run:
            return Json(quote_data(await self._images.quote(principal, new)))
        started = await self._images.start(principal, new, has_left=partial(has_left, request.scope))
        seconds = 0 if not new.waits else WAIT_SECONDS if body.wait_seconds is None else body.wait_seconds
        rows = await while_connected(request, self._images.wait(started, seconds, delivers=False))
        try:
            response = await self._made(
                principal, started, rows, include_bytes=body.include_bytes, ttl_seconds=body.ttl_seconds
            )
        except BaseException:
            self._images.lost(started)
            raise
        if all(row.has_ended for row in rows):
            response.background = BackgroundTask(self._hand_over, started, request)
        return response

    async def _hand_over(self, started: Started, request: Request) -> None:
        self._images.handed_over(started, is_taken(request.scope))

    async def _made(
        self, principal: Principal, started: Started, rows: list[Generation], *, include_bytes: bool, ttl_seconds: int
    ) -> Response:
        rows = sorted(rows, key=lambda row: (row.status != "succeeded", row.position))
        rows = [row.as_told_to_its_caller() for row in rows]
        if not rows:
            raise NotFound("The picture was deleted.")
        if (failure := _failure(rows)) is not None:
            raise failure
        available = (await self._images.balance(principal)).available
        shown = [
            await self._shown(
                row, available, replayed=started.replayed, include_bytes=include_bytes, ttl_seconds=ttl_seconds
            )
            for row in rows
        ]
        data: dict[str, Any] = {
            "image": {**shown[0], "others": shown[1:]},
            "credits": {"charged": sum(row.charged for row in rows), "remaining": available},
        }
        if all(row.has_ended for row in rows):
            return StreamedJson(data)
        return StreamedJson(data, 202, headers={"Location": f"/api/v1/images/{rows[0].id}", "Retry-After": "2"})

    async def _get(self, request: Request, principal: Principal) -> Response:
        seconds = reading.whole(request, "wait", 0, least=0, most=WAIT_SECONDS)
        ttl_seconds = reading.whole(request, "ttlSeconds", 900, least=60, most=86400)
        metadata_only = reading.choice(request, "format", ("metadata",)) is not None
        row = await while_connected(request, self._images.get_when_ended(principal, reading.id_of(request), seconds))
        available = (await self._images.balance(principal)).available
        shown = await self._shown(
            row, available, replayed=False, include_bytes=not metadata_only, ttl_seconds=ttl_seconds
        )
        return StreamedJson({"image": shown})

    async def _content(self, request: Request, principal: Principal) -> Response:
        row = await self._images.get(principal, reading.id_of(request))
        if row.status != "succeeded":
            raise NotFound("There is no picture yet.", generation_id=row.id)
        return await self._files.serve(request, row, {"Cache-Control": "private, max-age=3600"})

    async def _list(self, request: Request, principal: Principal) -> Response:
        limit, offset = reading.page_of(request)
        which = _filter(request)
        page = await self._images.page(principal, which, limit=limit, offset=offset)
        available = (await self._images.balance(principal)).available
        shown = [DescribedImage.of(row, self._link(row, 900), available).data() for row in page.generations]
        cursor = page.generations[-1].id if len(page.generations) == limit else None
        return Json({"images": shown, "total": page.total, "limit": limit, "offset": offset, "nextCursor": cursor})

    async def _delete(self, request: Request, principal: Principal) -> Response:
        await self._images.delete(principal, reading.id_of(request))
        return Response(status_code=204)

    async def _cancel(self, request: Request, principal: Principal) -> Response:
        row = await self._images.cancel(principal, reading.id_of(request))
        available = (await self._images.balance(principal)).available
        return Json({"image": DescribedImage.of(row, self._link(row, 900), available).data()})

    async def _shown(
        self, row: Generation, available: int, *, replayed: bool, include_bytes: bool, ttl_seconds: int
    ) -> dict[str, Any]:
        shown = DescribedImage.of(row, self._link(row, ttl_seconds), available, replayed=replayed).data()
        if include_bytes and row.status == "succeeded":
            shown["b64_json"] = await self._content_of(row)
        return shown

    async def _content_of(self, row: Generation) -> Base64:
        assert row.size_bytes is not None
        try:
            return Base64(await self._images.stream(row), row.size_bytes)
        except BlobMissing:  # deleted this very moment
            raise NotFound("There is no picture with that id.") from None

    def _link(self, row: Generation, ttl_seconds: int) -> Any:
        return self._links.sign(row, ttl_seconds) if row.status == "succeeded" else None


def quote_data(quote: Quote) -> dict[str, Any]:
    return {
        "credits": {"wouldCharge": quote.would_charge, "wouldRemain": quote.would_remain},
        "warnings": list(quote.warnings),
    }


def _with_headers(request: Request, new: NewImages) -> NewImages:
    """`Idempotency-Key` and `Prefer: respond-async` (RFC 7240) say the same as their fields."""
    key = request.headers.get("idempotency-key")
    if key is not None:
        if not 1 <= len(key) <= 255:
            raise reading.wrong("Idempotency-Key", "must have 1 to 255 characters")
        if new.idempotency_key not in (None, key):
            raise InvalidRequest("The header Idempotency-Key and the field idempotencyKey differ.")
        new = replace(new, idempotency_key=key)
    preferences = {word.strip().lower() for word in request.headers.get("prefer", "").split(",")}
    return replace(new, waits=False) if "respond-async" in preferences else new


def _filter(request: Request) -> Filter:
    status = reading.choice(request, "status", STATUSES)
    return Filter(
        statuses=None if status is None else tuple(each for each in STATUSES if each == status),
        model_id=reading.text(request, "modelId"),
        text=reading.text(request, "q"),
        before_id=reading.cursor(request),
        sha256=reading.text(request, "sha256"),
    )


def _failure(rows: Sequence[Generation]) -> ServiceError | None:
    """The reason there is no picture at all; None where there is one, or one may still come, or the caller cancelled."""
    if not all(row.status in ("failed", "cancelled") for row in rows):
        return None
    return next((from_data(row.error) for row in rows if row.error is not None), None)
