"""`/v1/images/generations`, `/v1/images/edits`, `/v1/models`: OpenAI's paths over our core."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import orjson
import pybase64
from starlette.background import BackgroundTask
from starlette.datastructures import FormData, UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Scope

from limner.accounts.principal import Principal
from limner.errors import Detail, InvalidRequest, NotFound, ServiceError, UpstreamTimeout, from_data
from limner.http.auth import Bearer
from limner.http.connections import has_left, is_taken
from limner.http.disconnects import while_connected
from limner.http.errors import headers_of, request_id
from limner.http.json import Base64, Json, StreamedJson, body_of
from limner.http.ratelimit import RateLimit
from limner.images import renditions
from limner.images.beginning import Started
from limner.images.content_credentials import Signer
from limner.images.generations import Generation
from limner.images.links import ImageLinks
from limner.images.provenance import source_of
from limner.images.requests import Reference
from limner.images.service import Images
from limner.openai_api.shapes import (
    EditRequest,
    ImagesRequest,
    decided,
    error_body,
    error_status,
    model_data,
    now_seconds,
    picture_facts,
)
from limner.queue.base import Event
from limner.schemas import WAIT_SECONDS, parse

Handler = Callable[[Request, Principal], Awaitable[Response]]


def error_answer(error: ServiceError, scope: Scope) -> Response:
    """A failure as OpenAI's clients read it; they are told not to retry what cannot help."""
    headers = headers_of(error, scope)
    if not error.retryable:
        headers["x-should-retry"] = "false"
    return Json(error_body(error, request_id(scope)), error_status(error), headers=headers)


class OpenAiRoutes:
    def __init__(
        self,
        images: Images,
        links: ImageLinks,
        bearer: Bearer,
        rate_limit: RateLimit,
        signer: Signer | None = None,
    ) -> None:
        self._images = images
        self._signer = signer
        self._links = links
        self._bearer = bearer
        self._rate_limit = rate_limit

    def routes(self) -> list[Route]:
        return [
            self._route("/v1/images/generations", self._generations, "POST"),
            self._route("/v1/images/edits", self._edits, "POST"),
            self._route("/v1/models", self._models, "GET"),
            self._route("/v1/models/{id:path}", self._model, "GET"),
        ]

    def _route(self, path: str, handler: Handler, method: str) -> Route:
        """Authentication and limit as everywhere; errors in OpenAI's shape."""

        async def endpoint(request: Request) -> Response:
            headers: dict[str, str] = {}
            try:
                principal = await self._bearer.principal(request.scope)
                headers = request.scope["limner.limits"] = await self._rate_limit.check(principal)
                response = await handler(request, principal)
            except ServiceError as error:
                response = error_answer(error, request.scope)
            except ClientDisconnect:
                response = Response(status_code=499)  # nobody is there to read it
            response.headers.update(headers)
            return response

        return Route(path, endpoint, methods=[method])

    async def _generations(self, request: Request, principal: Principal) -> Response:
        body = parse(ImagesRequest, await body_of(request))
        return await self._make(request, principal, body, (), None)

    async def _edits(self, request: Request, principal: Principal) -> Response:
        if not is_form(request):
            edit = parse(EditRequest, await body_of(request))
            return await self._make(request, principal, edit, edit.pictures(), edit.mask_picture())
        async with request.form(max_files=17, max_fields=50) as form:
            files = [await _file(value, "image") for name in ("image", "image[]") for value in form.getlist(name)]
            mask = form.get("mask")
            mask_data = await _file(mask, "mask") if mask is not None else None
            fields = _fields(form)
        if not files:
            raise InvalidRequest("image: a picture is needed.", details=[Detail("image", "missing")])
        return await self._make(request, principal, parse(ImagesRequest, fields), tuple(files), mask_data)

    async def _make(
        self,
        request: Request,
        principal: Principal,
        body: ImagesRequest,
        images: tuple[Reference, ...],
        mask: Reference | None,
    ) -> Response:
        body.check()
        new = body.new_images(images=images, mask=mask, idempotency_key=_idempotency_key(request))
        started = await self._images.start(principal, new, has_left=partial(has_left, request.scope))
        if body.stream:
            kind = "image_edit" if images else "image_generation"
            events = self._events(request, body, started, kind, request_id(request.scope))
            return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
        rows = await while_connected(request, self._images.wait(started, WAIT_SECONDS, delivers=False))
        try:
            response = StreamedJson(await self._answer(body, rows))
        except BaseException:
            self._images.lost(started)
            raise
        response.background = BackgroundTask(self._hand_over, started, request)
        return response

    async def _hand_over(self, started: Started, request: Request) -> None:
        self._images.handed_over(started, is_taken(request.scope))

    async def _answer(self, body: ImagesRequest, rows: list[Generation]) -> dict[str, Any]:
        done = [row for row in rows if row.status == "succeeded"]
        if not done:
            raise _failure(rows)
        data = [await self._picture(body, row) for row in done]
        return {"created": now_seconds(), "data": data, **decided(picture_facts(done[0], body))}

    async def _picture(self, body: ImagesRequest, row: Generation) -> dict[str, Any]:
        if body.response_format == "url":
            return {"url": self._links.sign(row).url}
        if body.output_compression is None and row.size_bytes is not None:
            return {"b64_json": Base64(await self._images.stream(row), row.size_bytes)}
        return {"b64_json": pybase64.b64encode_as_string(await self._bytes(body, row))}

    async def _bytes(self, body: ImagesRequest, row: Generation) -> bytes:
        """The original, or, where the caller asked for a compression, a copy made with it."""
        data = await self._images.content(row)
        if body.output_compression is None or row.media_type is None:
            return data
        compress = partial(
            renditions.compressed, data, source_of(row.provider_id), row.media_type, quality=body.output_compression
        )
        small = (await asyncio.to_thread(compress)).data
        if self._signer is None:
            return small
        return await asyncio.to_thread(self._signer.changed, small, row.media_type, data, row.media_type)

    async def _events(
        self, request: Request, body: ImagesRequest, started: Started, kind: str, asked_as: str
    ) -> AsyncIterator[bytes]:
        """OpenAI's streaming events: the partial pictures, then the whole one, or an error."""
        news: asyncio.Queue[Event] = asyncio.Queue()

        async def hear(event: Event | None) -> None:
            if event is not None and event.kind == "partial":
                news.put_nowait(event)

        waiting = asyncio.create_task(self._images.wait(started, WAIT_SECONDS, hear, delivers=False))
        written = False
        try:
            index = 0
            async for event in _until_done(news, waiting):
                if event is None:
                    yield b": still working\n\n"
                elif event.partial is not None and index < (body.partial_images or 0):
                    yield _partial(kind, event, index, body)
                    index += 1
            rows = await waiting
            yield await self._last_event(body, kind, rows, asked_as)
            written = all(row.has_ended for row in rows)
        finally:
            waiting.cancel()
            if written:
                await self._hand_over(started, request)
            else:
                self._images.lost(started)

    async def _last_event(self, body: ImagesRequest, kind: str, rows: list[Generation], asked_as: str) -> bytes:
        if rows and rows[0].status == "succeeded":
            b64 = pybase64.b64encode_as_string(await self._bytes(body, rows[0]))
            return _sse(
                f"{kind}.completed",
                {"b64_json": b64, "created_at": now_seconds(), **picture_facts(rows[0], body), "usage": NO_TOKENS},
            )
        return _sse("error", error_body(_failure(rows), asked_as))

    async def _models(self, request: Request, principal: Principal) -> Response:
        catalog = self._images.catalog
        usable = [model for model in catalog.models() if catalog.reason(model) is None]
        return Json({"object": "list", "data": [model_data(model.id, model.provider) for model in usable]})

    async def _model(self, request: Request, principal: Principal) -> Response:
        model = self._images.catalog.find(request.path_params["id"])
        return Json(model_data(model.id, model.provider))


NO_TOKENS = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "total_tokens": 0,
}
"""We count credits, not tokens; OpenAI's event has to say something here."""


def _failure(rows: list[Generation]) -> ServiceError:
    if not rows:
        return NotFound("The picture was deleted.")
    if (error := next((from_data(row.error) for row in rows if row.error is not None), None)) is not None:
        return error
    if rows[0].status == "cancelled":
        return InvalidRequest("The generation was cancelled; nothing was charged.", generation_id=rows[0].id)
    return UpstreamTimeout(
        "The picture is still being made.",
        next_step="Send the same request again: it waits for the same picture and does not pay twice.",
        generation_id=rows[0].id,
    )


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= 255:
        raise InvalidRequest(
            "Idempotency-Key must have 1 to 255 characters.", details=[Detail("Idempotency-Key", "length")]
        )
    return key


def is_form(request: Request) -> bool:
    """OpenAI's clients send edits as forms; its API takes JSON with addresses too."""
    return "json" not in request.headers.get("content-type", "").lower()


async def _file(value: UploadFile | str, name: str) -> bytes:
    if isinstance(value, str):
        raise InvalidRequest(f"{name}: must be a file.", details=[Detail(name, "must be a file")])
    return await value.read()


def _fields(form: FormData) -> dict[str, Any]:
    return {name: value for name, value in form.items() if name not in ("image", "image[]", "mask")}


async def _until_done(news: asyncio.Queue[Event], done: "asyncio.Task[Any]") -> AsyncIterator[Event | None]:
    """The news until `done` is, and None when there was none for a while."""
    while not (done.done() and news.empty()):
        hearing = asyncio.ensure_future(news.get())
        await asyncio.wait([hearing, done], timeout=15, return_when=asyncio.FIRST_COMPLETED)
        if hearing.done():
            yield hearing.result()
        else:
            hearing.cancel()
            if not done.done():
                yield None


def _partial(kind: str, event: Event, index: int, body: ImagesRequest) -> bytes:
    return _sse(
        f"{kind}.partial_image",
        {
            "b64_json": pybase64.b64encode_as_string(event.partial or b""),
            "partial_image_index": index,
            "created_at": now_seconds(),
            "background": body.background or "auto",
            "output_format": (event.partial_media_type or "image/png").removeprefix("image/"),
            "quality": body.quality or "auto",
            "size": body.size or "auto",
        },
    )


def _sse(event: str, data: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event.encode(), orjson.dumps({"type": event, **data}))
