"""The playground: every option of the chosen model, the price on the button, the picture as it comes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from starlette.datastructures import FormData, QueryParams, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.catalog.catalog import Catalog
from limner.catalog.models import ENUM_OPTIONS, EnumDescriptor, Model, Options, RangeDescriptor
from limner.db.base import Database, Transaction
from limner.errors import NotFound, ServiceError, UnknownModel
from limner.images.generations import Generation
from limner.images.lists import Filter
from limner.images.requests import NewImages, Reference, scope_missing
from limner.images.service import Images
from limner.prompts import placeholders, saved
from limner.prompts.saved import NewPrompt, SavedPrompt
from limner.schemas import PROMPT_CHARACTERS
from limner.web import forms, snippets
from limner.web.door import PageDoor, see_other
from limner.web.frames import Frame, Frames
from limner.web.pages import Pages
from limner.web.visitors import Visitor

MOST_PICTURES = 8
MOST_GIVEN = 16
LABELS = {
    "resolution": "Resolution",
    "quality": "Quality",
    "thinkingLevel": "Thinking",
    "background": "Background",
    "outputFormat": "File format",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of an option: what it adds to the price, and whether the form has it chosen."""

    value: str
    extra: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Option:
    name: str
    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Bench:
    """What the form of one model offers."""

    model: Model
    shapes: tuple[Choice, ...]
    options: tuple[Option, ...]
    takes_seed: bool
    most_references: int
    edits: bool
    masks: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the form begins with: a picture to start from, or nothing."""

    prompt: str = ""
    style: str = ""
    seed: int | None = None
    n: int = 1
    values: Mapping[str, Any] | None = None
    source: Generation | None = None
    template: SavedPrompt | None = None


class Playground:
    def __init__(self, images: Images, frames: Frames, pages: Pages, public_url: str, database: Database) -> None:
        self._database = database
        self._images = images
        self._frames = frames
        self._pages = pages
        self._public_url = public_url

    def routes(self, door: PageDoor) -> list[Route]:
        return [
            door.dashboard("/dashboard/playground", self._form),
            door.dashboard("/dashboard/playground", self._make, "POST"),
            door.dashboard("/dashboard/playground/options", self._options),
        ]

    async def _form(self, request: Request, visitor: Visitor) -> Response:
        params = request.query_params
        edits = "edit" in params
        wanted = await self._wanted(visitor, params)
        model = self._model(params.get("model") or (None if edits else _model_of(wanted)), edits=edits)
        library = await self._database.read(lambda tx: saved.of_account(tx, visitor.principal.account_id))
        recent = await self._images.page(visitor.principal, Filter(statuses=("succeeded",)), limit=8)
        return self._pages.render(
            "playground.html",
            visitor,
            bench=_bench(model, wanted.values or {}),
            models=self._usable(edits=edits),
            unusable=self._unusable(),
            wanted=wanted,
            edits=edits,
            source=self._frames.of(wanted.source) if wanted.source else None,
            references=await self._references(visitor, params),
            recent=[self._frames.of(row) for row in recent.generations],
            key=str(uuid4()),
            calls=snippets.of(self._public_url, {"prompt": wanted.prompt or "…", "modelId": model.id}, edits=edits),
            problem=None,
            prompt_characters=PROMPT_CHARACTERS,
            most_pictures=MOST_PICTURES,
            templates=[each for each in library if each.kind == "template"],
            styles=[each for each in library if each.kind == "style"],
            said={name.removeprefix("v."): value for name, value in params.items() if name.startswith("v.")},
        )

    async def _options(self, request: Request, visitor: Visitor) -> Response:
        """The part of the form that depends on the model."""
        edits = "edit" in request.query_params
        bench = _bench(self._model(request.query_params.get("model"), edits=edits), dict(request.query_params))
        return self._pages.render(
            "partials/options.html", visitor, bench=bench, edits=edits, wanted=_typed(request.query_params)
        )

    async def _make(self, request: Request, visitor: Visitor) -> Response:
        try:
            async with request.form(max_part_size=32 * 1024 * 1024) as form:
                if "save" in form:
                    return await self._save(visitor, await _new_images(form))
                new = await _new_images(form)
            started = await self._images.start(visitor.principal, new)
        except ServiceError as error:
            if not visitor.is_live:
                raise
            return self._pages.render("partials/made.html", visitor, frames=[], error=error, key=str(uuid4()))
        if not visitor.is_live:
            return see_other(f"/dashboard/images/{started.generation_ids[0]}")
        rows = [await self._images.get(visitor.principal, each) for each in started.generation_ids]
        frames = [self._frames.of(row) for row in rows]
        return self._pages.render("partials/made.html", visitor, frames=frames, error=None, key=str(uuid4()))

    async def _save(self, visitor: Visitor, new: NewImages) -> Response:
        """Keep what the form holds as a template, and go there to name it and put blanks into it."""
        if not visitor.principal.has("images:generate"):
            raise scope_missing("images:generate")
        account_id, now = visitor.principal.account_id, self._pages.now()

        def keep(tx: Transaction) -> SavedPrompt:
            name = saved.free_name(tx, account_id, new.prompt)
            title = name.replace("-", " ").capitalize()
            kept = NewPrompt(kind="template", name=name, title=title, text=new.prompt, settings=_settings(new))
            return saved.create(tx, account_id, kept, now)

        kept = await self._database.write(keep)
        target = f"/dashboard/prompts/{kept.id}"
        return Response(headers={"HX-Redirect": target}) if visitor.is_live else see_other(target)

    # --- private ------------------------------------------------------------------------------

    async def _wanted(self, visitor: Visitor, params: QueryParams) -> Wanted:
        for kind in saved.KINDS:
            if (kept := params.get(kind)) and "edit" not in params:
                return await self._from_library(visitor, kept, params)
        source_id = params.get("edit") or params.get("from")
        if not source_id:
            return Wanted(prompt=params.get("prompt", "")[:PROMPT_CHARACTERS], values=dict(params))
        row = await self._images.get(visitor.principal, source_id)
        if "edit" in params:
            if row.status != "succeeded":
                raise NotFound("There is no picture to edit.")
            return Wanted(source=row)
        return Wanted(
            prompt=row.prompt or "",
            style=row.style or "",
            seed=row.options.get("seed"),
            values=row.options,
            source=row,
        )

    async def _references(self, visitor: Visitor, params: QueryParams) -> list[Frame]:
        """Pictures of the gallery that were picked to draw on."""
        rows = [await self._images.get(visitor.principal, each) for each in params.getlist("reference")[:MOST_GIVEN]]
        return [self._frames.of(row) for row in rows if row.status == "succeeded"]

    async def _from_library(self, visitor: Visitor, kept_id: str, params: QueryParams) -> Wanted:
        kept = await self._database.read(lambda tx: saved.get(tx, visitor.principal.account_id, kept_id))
        if kept.kind == "style":
            return Wanted(prompt=params.get("prompt", "")[:PROMPT_CHARACTERS], style=kept.text, values=dict(params))
        said = {name.removeprefix("v."): value for name, value in params.items() if name.startswith("v.")}
        prompt = placeholders.begun(kept.text, said)[:PROMPT_CHARACTERS]
        return Wanted(prompt, kept.settings.get("style", ""), values=kept.settings, template=kept)

    def _model(self, model_id: str | None, *, edits: bool) -> Model:
        usable = self._usable(edits=edits)
        try:
            wanted = self._catalog.find(model_id) if model_id else self._catalog.default
        except UnknownModel:
            wanted = self._catalog.default
        return wanted if wanted in usable else usable[0]

    def _usable(self, *, edits: bool) -> Sequence[Model]:
        can = [model for model in self._images.models() if self._catalog.reason(model) is None]
        return [model for model in can if not edits or "images" in model.parameters]

    def _unusable(self) -> Sequence[tuple[Model, str]]:
        reasons = ((model, self._catalog.reason(model)) for model in self._images.models())
        return [(model, reason) for model, reason in reasons if reason is not None]

    @property
    def _catalog(self) -> Catalog:
        return self._images.catalog


def _typed(params: QueryParams) -> Wanted:
    """What stood in the fields that every model has."""
    seed, n = params.get("seed", ""), params.get("n", "")
    return Wanted(
        style=params.get("style", "")[:500],
        seed=int(seed) if seed.isdecimal() and len(seed) < 20 else None,
        n=int(n) if n.isdecimal() and len(n) < 2 else 1,
    )


def _model_of(wanted: Wanted) -> str | None:
    if wanted.template is not None:
        return wanted.template.settings.get("modelId")
    return wanted.source.model_id if wanted.source else None


def _bench(model: Model, values: Mapping[str, Any]) -> Bench:
    parameters = model.parameters
    references, images = parameters.get("references"), parameters.get("images")
    return Bench(
        model=model,
        shapes=_choices(model, "aspectRatio", values.get("aspectRatio")),
        options=tuple(
            Option(name, label, choices)
            for name, label in LABELS.items()
            if (choices := _choices(model, name, values.get(name)))
        ),
        takes_seed="seed" in parameters,
        most_references=references.max if isinstance(references, RangeDescriptor) else 0,
        edits=isinstance(images, RangeDescriptor),
        masks="mask" in parameters,
    )


def _choices(model: Model, name: str, wanted: Any) -> tuple[Choice, ...]:
    descriptor = model.parameters.get(name)
    if not isinstance(descriptor, EnumDescriptor):
        return ()
    extras = model.credits.options.get(name, {})
    chosen = wanted if wanted in descriptor.values else descriptor.default or descriptor.values[0]
    return tuple(Choice(value, extras.get(value, 0), value == chosen) for value in descriptor.values)


async def _new_images(form: FormData) -> NewImages:
    edits = forms.text(form, "operation") == "edit"
    given = {attribute: forms.text(form, name, most=40) or None for name, (attribute, _) in ENUM_OPTIONS.items()}
    return NewImages(
        prompt=forms.needed(form, "prompt", most=PROMPT_CHARACTERS),
        operation="edit" if edits else "generate",
        model_id=forms.text(form, "model", most=200) or None,
        options=replace(Options(), **given, seed=forms.whole(form, "seed", least=0, most=2**63 - 1)),
        style=forms.text(form, "style", most=500) or None,
        n=forms.whole(form, "n", least=1, most=MOST_PICTURES) or 1,
        references=await _pictures(form, "references"),
        images=await _pictures(form, "images"),
        mask=next(iter(await _pictures(form, "mask")), None),
        idempotency_key=forms.needed(form, "key", most=255),
        confirmed=True,
        waits=False,
    )


def _settings(new: NewImages) -> dict[str, str]:
    chosen = {"modelId": new.model_id, "style": new.style}
    chosen |= {name: getattr(new.options, attribute) for name, (attribute, _) in ENUM_OPTIONS.items()}
    return {name: value for name, value in chosen.items() if value}


async def _pictures(form: FormData, name: str) -> tuple[Reference, ...]:
    """Ids from the gallery, and files that were dropped; an empty file field is no picture."""
    found: list[Reference] = []
    for value in form.getlist(name):
        if isinstance(value, UploadFile):
            if data := await value.read():
                found.append(data)
        elif value.strip():
            found.append(value.strip())
    return tuple(found)
