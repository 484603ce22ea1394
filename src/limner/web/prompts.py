"""The prompt library: templates and styles to keep, change, take elsewhere, and use in the playground."""

from typing import Any

import orjson
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts.principal import Scope
from limner.catalog.catalog import Catalog
from limner.db.base import Database
from limner.errors import InvalidRequest
from limner.images.requests import scope_missing
from limner.prompts import saved
from limner.prompts.saved import TEXT_CHARACTERS, Kind, NewPrompt
from limner.schemas import parse
from limner.schemas.prompts import PromptLibrary, SavePrompt, exported
from limner.web import forms
from limner.web.door import PageDoor, see_other
from limner.web.pages import Pages
from limner.web.visitors import Visitor

PAGE = "/dashboard/prompts"
SETTINGS = {
    "resolution": ("1K", "2K", "4K"),
    "quality": ("draft", "standard", "high"),
    "thinkingLevel": ("default", "deep"),
    "background": ("auto", "opaque", "transparent"),
    "outputFormat": ("png", "jpeg", "webp"),
}
"""Those with a fixed list of values; model, shape and style have fields of their own."""

BLANK = {kind: NewPrompt(kind=kind, name="", title="", text="") for kind in saved.KINDS}


class PromptPages:
    def __init__(self, database: Database, catalog: Catalog, pages: Pages) -> None:
        self._database = database
        self._catalog = catalog
        self._pages = pages

    def routes(self, door: PageDoor) -> list[Route]:
        return [
            door.dashboard(PAGE, self._list),
            door.dashboard(PAGE, self._make, "POST"),
            door.dashboard(f"{PAGE}/new", self._new),
            door.dashboard(f"{PAGE}/export", self._export),
            door.dashboard(f"{PAGE}/import", self._import, "POST"),
            door.dashboard(f"{PAGE}/{{id}}", self._one),
            door.dashboard(f"{PAGE}/{{id}}", self._change, "POST"),
            door.dashboard(f"{PAGE}/{{id}}/delete", self._delete, "POST"),
        ]

    async def _list(self, request: Request, visitor: Visitor) -> Response:
        account_id = _allowed(visitor, "images:read")
        found = await self._database.read(lambda tx: saved.of_account(tx, account_id))
        return self._pages.render("prompts.html", visitor, prompts=found, most=saved.MOST_PER_ACCOUNT)

    async def _new(self, request: Request, visitor: Visitor) -> Response:
        _allowed(visitor, "images:generate")
        return self._form(visitor, BLANK[saved.KIND_OF.get(request.query_params.get("kind", ""), "template")])

    async def _one(self, request: Request, visitor: Visitor) -> Response:
        account_id, wanted = _allowed(visitor, "images:read"), request.path_params["id"]
        return self._form(visitor, await self._database.read(lambda tx: saved.get(tx, account_id, wanted)))

    async def _make(self, request: Request, visitor: Visitor) -> Response:
        account_id, now = _allowed(visitor, "images:generate"), self._pages.now()
        new = _read(await request.form())
        await self._database.write(lambda tx: saved.create(tx, account_id, new, now))
        return see_other(PAGE)

    async def _change(self, request: Request, visitor: Visitor) -> Response:
        account_id, now = _allowed(visitor, "images:generate"), self._pages.now()
        wanted, new = request.path_params["id"], _read(await request.form())
        await self._database.write(lambda tx: saved.replace(tx, account_id, wanted, new, now))
        return see_other(PAGE)

    async def _delete(self, request: Request, visitor: Visitor) -> Response:
        account_id, wanted = _allowed(visitor, "images:generate"), request.path_params["id"]
        await self._database.write(lambda tx: saved.delete(tx, account_id, wanted))
        return see_other(PAGE)

    async def _export(self, request: Request, visitor: Visitor) -> Response:
        account_id = _allowed(visitor, "images:read")
        found = await self._database.read(lambda tx: saved.of_account(tx, account_id))
        body = orjson.dumps({"version": 1, "prompts": [exported(each) for each in found]}, option=orjson.OPT_INDENT_2)
        headers = {"Content-Disposition": 'attachment; filename="limner-prompts.json"', "Cache-Control": "no-store"}
        return Response(body, headers=headers, media_type="application/json")

    async def _import(self, request: Request, visitor: Visitor) -> Response:
        account_id, now = _allowed(visitor, "images:generate"), self._pages.now()
        async with request.form() as form:
            library = parse(PromptLibrary, await _sent_json(form)).new_prompts()
        await self._database.write_slowly(lambda tx: saved.take_in(tx, account_id, library, now))
        return see_other(PAGE)

    def _form(self, visitor: Visitor, prompt: NewPrompt) -> Response:
        usable = [model for model in self._catalog.models() if self._catalog.reason(model) is None]
        return self._pages.render(
            "prompt.html",
            visitor,
            prompt=prompt,
            models=usable,
            settings=SETTINGS,
            most_characters=TEXT_CHARACTERS[prompt.kind],
            name_pattern=saved.NAME,
        )


def _allowed(visitor: Visitor, scope: Scope) -> str:
    """The visitor's account, if they may."""
    if not visitor.principal.has(scope):
        raise scope_missing(scope)
    return visitor.principal.account_id


def _read(form: FormData) -> NewPrompt:
    kind: Kind = saved.KIND_OF.get(forms.text(form, "kind"), "template")
    settings = {name: forms.text(form, name, most=500) for name in ("modelId", "aspectRatio", "style", *SETTINGS)}
    body: dict[str, Any] = {
        "kind": kind,
        "name": forms.needed(form, "name", most=64),
        "title": forms.needed(form, "title", most=120),
        "text": forms.needed(form, "text", most=TEXT_CHARACTERS[kind]).replace("\r\n", "\n"),
        "description": forms.text(form, "description", most=500),
        "settings": {name: value for name, value in settings.items() if value},
    }
    return parse(SavePrompt, body).new_prompt()


async def _sent_json(form: FormData) -> Any:
    file = form.get("file")
    try:
        return orjson.loads(await file.read() if isinstance(file, UploadFile) else b"")
    except orjson.JSONDecodeError:
        raise InvalidRequest(
            "That file is not an export of prompts.", next_step="Choose a limner-prompts.json."
        ) from None
