"""The built-in catalogue's data: both editions' models at their prices, sizes the suppliers can make, a margin on each."""

from datetime import date
from itertools import product
from math import prod

import pytest

from limner.catalog.catalog import Catalog
from limner.catalog.entries import BadCatalog, load
from limner.catalog.models import EnumDescriptor, Model, Options
from limner.errors import UnsupportedOption

MODELS = {model.id: model for model in load(None)}
SUPPLIED = [model for model in MODELS.values() if model.provider != "limner"]
AFTER_GPT_IMAGE_1_5 = date(2026, 12, 2)
CHEAPEST_CREDIT_USD = 48 / 1200

GETIMAGES = {
    "openai:gpt-image-1.5": 3,
    "openai:gpt-image-2": 5,
    "google:gemini-2.5-flash-image": 3,
    "google:gemini-3.1-flash-image-preview": 5,
    "google:gemini-3-pro-image-preview": 12,
}
IMAGE_MCP = {
    "google/gemini-3-pro-image-preview": "Gemini 3 Pro Image Preview",
    "openai/gpt-5-image": "GPT-5 Image",
    "black-forest-labs/flux.2-flex": "FLUX.2 Flex",
    "black-forest-labs/flux.2-pro": "FLUX.2 Pro",
    "google/gemini-2.5-flash-image": "Gemini 2.5 Flash Image",
}
OWN_PROVIDER = {
    "google/gemini-3-pro-image-preview": ("google", "gemini-3-pro-image"),
    "google/gemini-2.5-flash-image": ("google", "gemini-2.5-flash-image"),
    "openai/gpt-5-image": ("openai", "gpt-image-2.5-sunburst"),
    "black-forest-labs/flux.2-flex": ("bfl", "flux-2-flex"),
    "black-forest-labs/flux.2-pro": ("bfl", "flux-2-pro"),
}


def catalog(*without: str, today: date = date(2026, 11, 21)) -> Catalog:
    """All suppliers configured but these."""
    return Catalog(MODELS.values(), unavailable=dict.fromkeys(without, "no key"), today=lambda: today)


@pytest.mark.parametrize(("model_id", "price"), GETIMAGES.items())
@pytest.mark.parametrize("ratio", ["1:1", "3:2", "2:3", "16:9", "9:16", "4:3", "3:4"])
def test_a_getimages_model_takes_every_documented_ratio_at_its_price(model_id: str, price: int, ratio: str) -> None:
    plan = catalog().plan(MODELS[model_id], Options(aspect_ratio=ratio), nearest_size=True)
    assert (plan.credits, plan.model.id) == (price, model_id)


@pytest.mark.parametrize(
    ("model_id", "price"), [("google:gemini-3.1-flash-image-preview", 7), ("google:gemini-3-pro-image-preview", 18)]
)
def test_deep_thinking_has_its_price(model_id: str, price: int) -> None:
    assert catalog().plan(MODELS[model_id], Options(thinking_level="deep")).credits == price


def test_a_ratio_without_an_exact_size_is_served_by_the_nearest_only_where_that_is_allowed() -> None:
    model = MODELS["openai:gpt-image-1.5"]
    plan = catalog().plan(model, Options(aspect_ratio="16:9"), nearest_size=True)
    assert (plan.size_px, len(plan.warnings)) == ((1536, 1024), 1)
    with pytest.raises(UnsupportedOption, match="Allowed: 1:1, 3:2, 2:3"):
        catalog().plan(model, Options(aspect_ratio="16:9"))


@pytest.mark.parametrize(("alias", "name"), IMAGE_MCP.items())
def test_an_image_mcp_model_has_its_name_and_price(alias: str, name: str) -> None:
    plan = catalog().plan(catalog().find(alias), Options())
    assert (plan.model.name, plan.credits, plan.route.provider) == (name, 10, "openrouter")


@pytest.mark.parametrize(("alias", "served_by"), OWN_PROVIDER.items())
def test_without_openrouter_the_authors_own_provider_serves_its_model(alias: str, served_by: tuple[str, str]) -> None:
    only_own = catalog("openrouter")
    plan = only_own.plan(only_own.find(alias), Options(aspect_ratio="3:2"))
    assert (plan.route.provider, plan.upstream_id, plan.credits) == (*served_by, 10)
    assert plan.size_px is not None or plan.route.provider == "google"


@pytest.mark.parametrize(
    ("model_id", "today", "upstream_id"),
    [
        ("google:gemini-3-pro-image-preview", date(2026, 11, 21), "gemini-3-pro-image"),
        ("google:gemini-3.1-flash-image-preview", date(2026, 11, 21), "gemini-3.1-flash-image"),
        ("google/gemini-3-pro-image-preview", date(2026, 11, 21), "google/gemini-3-pro-image"),
        ("openai:gpt-image-1.5", date(2026, 11, 30), "gpt-image-1.5"),
        ("openai:gpt-image-1.5", AFTER_GPT_IMAGE_1_5, "gpt-image-2.5-flare"),
    ],
)
def test_a_retired_id_stays_valid_and_its_successor_serves(model_id: str, today: date, upstream_id: str) -> None:
    then = catalog(today=today)
    assert then.plan(then.find(model_id), Options()).upstream_id == upstream_id


def test_every_alias_and_reference_leads_somewhere() -> None:
    aliases = [alias for model in MODELS.values() for alias in model.aliases]
    assert len(aliases) == len(set(aliases))
    named = [name for model in MODELS.values() for name in (*model.also_served_by, model.replaced_by) if name]
    assert set(named) <= MODELS.keys()


def test_every_supplier_has_one_recommended_model() -> None:
    recommended = [model.provider for model in MODELS.values() if model.recommended]
    assert sorted(recommended) == sorted({model.provider for model in SUPPLIED})


@pytest.mark.parametrize("model", SUPPLIED, ids=lambda model: model.id)
def test_a_credit_sold_at_the_lowest_price_still_covers_the_list_price(model: Model) -> None:
    assert model.cost_usd is not None
    assert model.credits.base * CHEAPEST_CREDIT_USD >= model.cost_usd * 1.25


@pytest.mark.parametrize("model", [model for model in SUPPLIED if model.sizes], ids=lambda model: model.id)
def test_every_ratio_and_resolution_on_offer_has_a_size_the_supplier_can_make(model: Model) -> None:
    most_pixels = 2560 * 1440 if model.provider == "openai" else 2048 * 2048
    assert set(enum(model, "aspectRatio")) == model.sizes.keys()
    for ratio, resolution in product(model.sizes, enum(model, "resolution") or ["1K"]):
        width, height = model.sizes[ratio][resolution]
        across, _, down = ratio.partition(":")
        assert width * int(down) == pytest.approx(height * int(across), rel=0.001)
        assert (width % 16, height % 16) == (0, 0)
        assert prod((width, height)) <= most_pixels


def test_a_resolution_without_a_ratio_is_of_a_square() -> None:
    plan = catalog().plan(MODELS["openai:gpt-image-2"], Options(resolution="2K"))
    assert plan.size_px == (1920, 1920)


def test_a_seed_past_the_models_bits_is_refused() -> None:
    with pytest.raises(UnsupportedOption, match="2147483647"):
        catalog().plan(MODELS["google:gemini-3-pro-image"], Options(seed=2**31))


def test_an_entry_like_nothing_is_refused() -> None:
    with pytest.raises(BadCatalog, match="is like 'gone:model'"):
        load(None, [{"id": "compatible:x", "like": "gone:model"}])


def enum(model: Model, name: str) -> tuple[str, ...]:
    descriptor = model.parameters.get(name)
    return descriptor.values if isinstance(descriptor, EnumDescriptor) else ()
