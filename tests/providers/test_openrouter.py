"""OpenRouter: what it reports of cost, its chat wire, and what it lists."""

from decimal import Decimal
from typing import Any

import pytest
from tests.peers.openrouter import MODELS, PRICES
from tests.providers.conftest import PeerOf, ProviderOf
from tests.providers.suppliers import SUPPLIERS
from tests.providers.watching import Listening

from limner.catalog.entries import load
from limner.errors import ModerationBlocked, NoImage, UnsupportedOption
from limner.providers import openrouter_models

OPENROUTER = SUPPLIERS["openrouter"]
ON_CHAT = "openai/gpt-5-image"


async def test_the_cost_it_reports_is_kept(provider_of: ProviderOf, watch: Listening) -> None:
    made = await provider_of("openrouter").generate(OPENROUTER.request(), watch)
    assert (made.cost_usd, made.request_id) == (Decimal("0.0672"), "gen-peer")


async def test_partial_pictures_are_passed_on(provider_of: ProviderOf, watch: Listening) -> None:
    made = await provider_of("openrouter").generate(OPENROUTER.request(partial_images=2), watch)
    assert [(data, kind) for data, kind in watch.partials] == [(made.data, "image/png")]
    assert made.cost_usd is not None


async def test_a_model_found_on_the_chat_wire_is_asked_there_from_then_on(
    provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    provider = provider_of("openrouter")
    for _ in range(2):
        await provider.generate(OPENROUTER.request(model=ON_CHAT, size_px=None), watch)
    paths = [order.path.removeprefix("/api/v1") for order in peer_of("openrouter").orders]
    assert paths == ["/images", "/chat/completions", "/chat/completions"]


async def test_an_option_the_chat_wire_has_no_word_for_is_refused_not_dropped(
    provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    with pytest.raises(UnsupportedOption, match="quality"):
        await provider_of("openrouter").generate(OPENROUTER.request(model=ON_CHAT, quality="high"), watch)
    assert len(peer_of("openrouter").orders) == 1


@pytest.mark.parametrize(
    ("fault", "failure"),
    [("content_filter", ModerationBlocked), ("empty", NoImage), ("image_elsewhere", NoImage)],
)
async def test_a_chat_without_a_picture_has_its_name(
    fault: str, failure: type[Exception], provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    peer_of("openrouter").fail(fault)
    with pytest.raises(failure):
        await provider_of("openrouter").generate(OPENROUTER.request(model=ON_CHAT, size_px=None), watch)


async def test_a_listed_model_becomes_an_entry_the_catalogue_takes(provider_of: ProviderOf) -> None:
    entries = await provider_of("openrouter").discover()
    model = {model.id: model for model in load(None, entries)}["openrouter:sourceful/riverflow-v2"]
    assert {name: getattr(each, "values", each.type) for name, each in model.parameters.items()} == {
        "aspectRatio": ("1:1", "16:9"),
        "resolution": ("1K", "2K"),
        "quality": ("draft", "standard", "high"),
        "outputFormat": ("png",),
        "seed": "boolean",
        "references": "range",
        "images": "range",
    }
    assert model.aliases == ("sourceful/riverflow-v2",)


@pytest.mark.parametrize(
    ("lines", "price"),
    [
        (PRICES["sourceful/riverflow-v2"], {"base": 5}),
        ([{"billable": "output_image", "unit": "image", "cost_usd": 0.001}], {"base": 1}),
        (
            [{"billable": "output_image", "unit": "megapixel", "cost_usd": 0.03}],
            {"base": 2, "options": {"resolution": {"2K": 2}}},
        ),
        ([{"billable": "output_image", "unit": "token", "cost_usd": 0.00003}], {"base": 6}),
        ([{"billable": "input_text", "unit": "token", "cost_usd": 0.00003}], None),
    ],
    ids=["picture", "cheap", "megapixel", "token", "unpriced"],
)
def test_a_listed_model_is_priced_with_a_margin_or_not_offered(
    lines: list[dict[str, Any]], price: dict[str, Any] | None
) -> None:
    entry = openrouter_models.entry(MODELS[0], [{"pricing": []}, {"pricing": lines}])
    assert (entry and entry["credits"]) == price
