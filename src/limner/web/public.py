"""What strangers see first: the landing page with pictures drawn here, and what things cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.catalog.catalog import Catalog
from limner.catalog.models import Model
from limner.credits.packs import Pack
from limner.web import samples
from limner.web.connect import Connect
from limner.web.door import PageDoor
from limner.web.pages import Pages
from limner.web.visitors import Visitor

MODELS_ON_LANDING = 6


@dataclass(frozen=True, slots=True)
class Rate:
    """A model that can be used here, and what its options add."""

    model: Model
    extras: tuple[str, ...]


class PublicPages:
    def __init__(
        self, pages: Pages, catalog: Catalog, connect: Connect, packs: Sequence[Pack], welcome_credits: int
    ) -> None:
        self._pages = pages
        self._catalog = catalog
        self._connect = connect
        self._packs = packs
        self._welcome_credits = welcome_credits

    def routes(self, door: PageDoor) -> list[Route]:
        return [door.public("/", self._landing), door.public("/pricing", self._pricing)]

    async def _landing(self, request: Request, visitor: Visitor) -> Response:
        words = request.query_params.get("words", "")[: samples.MOST_WORDS_CHARACTERS].strip()
        return self._pages.render(
            "landing.html",
            visitor,
            samples=samples,
            words=words,
            recipe=self._connect.client("claude-code", key=None),
            clients=self._connect.names(),
            welcome_credits=self._welcome_credits,
            shown=MODELS_ON_LANDING,
            **self._prices(),
        )

    async def _pricing(self, request: Request, visitor: Visitor) -> Response:
        return self._pages.render("pricing.html", visitor, shown=None, **self._prices())

    def _prices(self) -> dict[str, Any]:
        usable = [
            model
            for model in self._catalog.models()
            if self._catalog.reason(model) is None and model.status != "retired"
        ]
        return {
            "packs": self._packs,
            "best": self._packs[len(self._packs) // 2].id if self._packs else None,
            "rates": [Rate(model, _extras(model)) for model in sorted(usable, key=_newest_first)],
            "reference": self._catalog.default,
        }


def _newest_first(model: Model) -> bool:
    """What a supplier is about to end stands last."""
    return model.status == "deprecated"


def _extras(model: Model) -> tuple[str, ...]:
    return tuple(
        f"{value} +{extra}" for values in model.credits.options.values() for value, extra in values.items() if extra
    )
