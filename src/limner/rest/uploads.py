"""REST for uploads: ask for a link with a key, send one picture to it without (docs/rest.md)."""

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts.principal import Principal
from limner.errors import NotFound, PayloadTooLarge, ServiceError
from limner.http.errors import error_response
from limner.http.json import Json, body_of
from limner.images.links import UploadLinks
from limner.images.uploads import MAX_BYTES, Uploads
from limner.rest.door import Door
from limner.schemas import CreateUpload, OpenUpload, SentUpload, parse


class UploadRoutes:
    def __init__(self, uploads: Uploads, links: UploadLinks) -> None:
        self._uploads = uploads
        self._links = links

    def routes(self, door: Door) -> list[Route]:
        return [
            door.route("/api/v1/uploads", self._create, "POST"),
            Route("/u/{rest:path}", self._receive, methods=["PUT"]),
        ]

    async def _create(self, request: Request, principal: Principal) -> Response:
        body = parse(CreateUpload, await body_of(request))
        upload = await self._uploads.create(principal, body.media_type)
        return Json(OpenUpload.of(upload, self._links.sign(upload)).data(), 201)

    async def _receive(self, request: Request) -> Response:
        try:
            return await self._sent(request)
        except ServiceError as error:
            return error_response(error, request.scope)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody is there to read it

    async def _sent(self, request: Request) -> Response:
        path = request.scope.get("raw_path", b"").decode("latin-1").partition("?")[0].removeprefix("/u/")
        upload_id = self._links.verify(path)
        if upload_id is None:
            raise NotFound("There is no such upload link, or its time is over.", next_step="Create a new upload.")
        _check_announced(request)
        return Json(SentUpload.of(await self._uploads.receive(upload_id, request.stream())).data())


def _check_announced(request: Request) -> None:
    """A body that is announced too large is refused before a byte of it is asked for."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > MAX_BYTES:
        raise PayloadTooLarge(f"An upload is at most {MAX_BYTES:,} bytes.", next_step="Send a smaller picture.")
