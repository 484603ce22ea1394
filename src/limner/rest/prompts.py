"""REST for the prompt library: keep templates and styles, fill a template, take all of it elsewhere."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts.principal import Principal, Scope
from limner.db.base import Database
from limner.db.types import Clock
from limner.http.json import Json, body_of
from limner.images.requests import scope_missing
from limner.prompts import saved
from limner.rest import reading
from limner.rest.door import Door
from limner.schemas import parse
from limner.schemas.prompts import FillPrompt, OnePrompt, PromptLibrary, SavePrompt, exported


class PromptRoutes:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def routes(self, door: Door) -> list[Route]:
        return [
            door.route("/api/v1/prompts", self._list),
            door.route("/api/v1/prompts", self._make, "POST"),
            door.route("/api/v1/prompts/export", self._export),
            door.route("/api/v1/prompts/import", self._import, "POST"),
            door.route("/api/v1/prompts/{id}", self._get),
            door.route("/api/v1/prompts/{id}", self._replace, "PUT"),
            door.route("/api/v1/prompts/{id}", self._delete, "DELETE"),
            door.route("/api/v1/prompts/{id}/fill", self._fill, "POST"),
        ]

    async def _list(self, request: Request, principal: Principal) -> Response:
        _require(principal, "images:read")
        kind = saved.KIND_OF.get(reading.choice(request, "kind", saved.KINDS) or "")
        found = await self._database.read(lambda tx: saved.of_account(tx, principal.account_id, kind))
        return Json({"prompts": [OnePrompt.of(each).data() for each in found]})

    async def _make(self, request: Request, principal: Principal) -> Response:
        _require(principal, "images:generate")
        new = parse(SavePrompt, await body_of(request)).new_prompt()
        made = await self._database.write(lambda tx: saved.create(tx, principal.account_id, new, self._clock()))
        return Json({"prompt": OnePrompt.of(made).data()}, 201)

    async def _get(self, request: Request, principal: Principal) -> Response:
        _require(principal, "images:read")
        wanted = request.path_params["id"]
        found = await self._database.read(lambda tx: saved.get(tx, principal.account_id, wanted))
        return Json({"prompt": OnePrompt.of(found).data()})

    async def _replace(self, request: Request, principal: Principal) -> Response:
        _require(principal, "images:generate")
        wanted, new = request.path_params["id"], parse(SavePrompt, await body_of(request)).new_prompt()
        changed = await self._database.write(
            lambda tx: saved.replace(tx, principal.account_id, wanted, new, self._clock())
        )
        return Json({"prompt": OnePrompt.of(changed).data()})

    async def _delete(self, request: Request, principal: Principal) -> Response:
        _require(principal, "images:generate")
        wanted = request.path_params["id"]
        await self._database.write(lambda tx: saved.delete(tx, principal.account_id, wanted))
        return Response(status_code=204)

    async def _fill(self, request: Request, principal: Principal) -> Response:
        """The template as a request for `/api/v1/images/generate`."""
        _require(principal, "images:read")
        wanted, body = request.path_params["id"], parse(FillPrompt, await body_of(request))
        found = await self._database.read(lambda tx: saved.get(tx, principal.account_id, wanted))
        return Json({"arguments": found.arguments(body.values)})

    async def _export(self, request: Request, principal: Principal) -> Response:
        _require(principal, "images:read")
        found = await self._database.read(lambda tx: saved.of_account(tx, principal.account_id))
        return Json({"version": 1, "prompts": [exported(each) for each in found]})

    async def _import(self, request: Request, principal: Principal) -> Response:
        _require(principal, "images:generate")
        library = parse(PromptLibrary, await body_of(request)).new_prompts()
        done = await self._database.write_slowly(
            lambda tx: saved.take_in(tx, principal.account_id, library, self._clock())
        )
        return Json({"created": done.created, "updated": done.updated})


def _require(principal: Principal, scope: Scope) -> None:
    """Whoever may see pictures may see how they are asked for; whoever may make them may keep how."""
    if not principal.has(scope):
        raise scope_missing(scope)
