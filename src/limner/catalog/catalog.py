"""The catalogue: which models this server has, which of them can be used now, and what a request comes to."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from limner.catalog.abilities import check, exact_size, price, with_defaults, with_nearest_ratio, with_size_in_words
from limner.catalog.models import Model, Options, Plan
from limner.errors import Detail, ModelUnavailable, UnknownModel, UnsupportedOption


class Catalog:
    """The models of this server. `unavailable` says per provider why it cannot be used (absent: it can)."""

    def __init__(
        self,
        models: Iterable[Model],
        *,
        unavailable: Mapping[str, str],
        default_model: str | None = None,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self.replace(models)
        self._unavailable = unavailable
        self._today = today
        self._default = default_model
        if default_model is not None:
            self.find(default_model)

    def replace(self, models: Iterable[Model]) -> None:
        """These are the models from now on: suppliers' offers change while a server runs."""
        self._models = {model.id: model for model in models}
        self._aliases = {alias: model.id for model in self._models.values() for alias in model.aliases}

    def models(self) -> Sequence[Model]:
        return tuple(self._models.values())

    def find(self, model_id: str) -> Model:
        """The entry of an id or alias; raises UnknownModel with the ids that can be used."""
        model = self._models.get(self._aliases.get(model_id, model_id))
        if model is None:
            usable = [each.id for each in self._models.values() if self.reason(each) is None]
            raise UnknownModel(
                f"There is no model '{model_id[:100]}'. Available: {', '.join(usable)}.",
                details=[Detail("modelId", "unknown model", "unknown_model")],
                extra={"allowed": usable},
            )
        return model

    @property
    def default(self) -> Model:
        """The configured default, else the recommended model of the first usable supplier, else the built-in one."""
        if self._default is not None:
            return self.find(self._default)
        usable = [model for model in self._models.values() if self.reason(model) is None and model.provider != "limner"]
        return next((model for model in usable if model.recommended), self._models["limner:sketch"])

    def reason(self, model: Model) -> str | None:
        """Why a model cannot be used now; None when it can."""
        if any(self._own_reason(route) is None for route in self._routes(model)):
            return None
        return self._own_reason(model)

    def plan(self, model: Model, options: Options, *, nearest_size: bool = False) -> Plan:
        """Check and price one picture; raises ModelUnavailable or UnsupportedOption (with the allowed values).

        With `nearest_size` a ratio the model knows a stand-in for is served by it and a warning says so.
        """
        planned = self._plan(model, options, nearest_size=nearest_size)
        return replace(planned, fallbacks=tuple(self._fallbacks(model, options, planned.credits)))

    def _fallbacks(self, model: Model, options: Options, most_credits: int) -> Iterator[Plan]:
        """What the operator allows in the model's place: able to do the same, usable now, and no dearer."""
        for model_id in model.fallbacks:
            try:
                planned = self._plan(self.find(model_id), options, nearest_size=False)
            except (UnknownModel, ModelUnavailable, UnsupportedOption):
                continue
            if planned.credits <= most_credits:
                yield planned

    def _plan(self, model: Model, options: Options, *, nearest_size: bool) -> Plan:
        route = self._route(model)
        options, warnings = with_nearest_ratio(model, options) if nearest_size else (options, ())
        options = with_defaults(model, options if options.size_px is None else with_size_in_words(model, options))
        check(model, options)
        check(route, options)
        return Plan(
            model=model,
            route=route,
            upstream_id=self._upstream_id(route),
            options=options,
            size_px=exact_size(route, options),
            credits=price(model, options),
            warnings=warnings,
        )

    def _routes(self, model: Model) -> list[Model]:
        return [model, *(self._models[other] for other in model.also_served_by if other in self._models)]

    def _route(self, model: Model) -> Model:
        for route in self._routes(model):
            if self._own_reason(route) is None:
                return route
        raise ModelUnavailable(
            f"The model {model.id} cannot be used: {self._own_reason(model)}.", extra={"replacedBy": model.replaced_by}
        )

    def _own_reason(self, model: Model) -> str | None:
        if (reason := self._unavailable.get(model.provider)) is not None:
            return reason
        if self._is_shut_down(model) and model.successor_upstream_id is None:
            instead = f"; use {model.replaced_by}" if model.replaced_by else ""
            return f"its supplier retired it{instead}"
        return None

    def _is_shut_down(self, model: Model) -> bool:
        return model.shutdown_at is not None and model.shutdown_at <= self._today()

    def _upstream_id(self, route: Model) -> str:
        if self._is_shut_down(route) and route.successor_upstream_id is not None:
            return route.successor_upstream_id
        return route.upstream_id
