"""Every model of the built-in catalogue through its supplier's peer, with every option value it lists."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from PIL import Image
from tests.providers.conftest import PeerOf, ProviderOf
from tests.providers.suppliers import reference
from tests.providers.watching import Listening

from limner.catalog.catalog import Catalog
from limner.catalog.entries import load
from limner.catalog.models import ENUM_OPTIONS, EnumDescriptor, Model, Options, Plan, RangeDescriptor
from limner.providers.base import ImageRequest

MODELS = [model for model in load(None) if model.provider != "limner"]
CATALOG = Catalog(load(None), unavailable={}, today=lambda: date(2026, 11, 21))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
async def test_a_model_makes_what_its_entry_promises(
    model: Model, provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    provider = provider_of(model.provider)
    for options in every_option(model):
        plan = CATALOG.plan(model, options)
        made = await provider.generate(request_of(plan), watch)
        size = Image.open(io.BytesIO(made.data)).size
        assert size == (plan.size_px or size), options
        assert made.served_by == plan.upstream_id


def every_option(model: Model) -> Iterator[Options]:
    """Each value once, the others left open; then all inputs at once, and the largest picture."""
    yield Options()
    for name, (attribute, _) in ENUM_OPTIONS.items():
        yield from (replace(Options(), **{attribute: value}) for value in values(model, name))
    for ratio in values(model, "aspectRatio"):
        yield from (
            Options(aspect_ratio=ratio, resolution=each) for each in values(model, "resolution") if each != "4K"
        )
    if "seed" in model.parameters:
        yield Options(seed=2**31 - 1)
    if isinstance(most := model.parameters.get("images"), RangeDescriptor):
        yield Options(images=most.max, mask="mask" in model.parameters)


def values(model: Model, name: str) -> tuple[str, ...]:
    descriptor = model.parameters.get(name)
    return descriptor.values if isinstance(descriptor, EnumDescriptor) else ()


def request_of(plan: Plan) -> ImageRequest:
    asked = plan.options
    return ImageRequest(
        generation_id="gen-1",
        model=plan.upstream_id,
        prompt="a fox",
        aspect_ratio=asked.aspect_ratio,
        resolution=asked.resolution,
        size_px=plan.size_px,
        quality=asked.quality,
        thinking_level=asked.thinking_level,
        background=asked.background,
        output_format=asked.output_format,
        seed=asked.seed,
        images=(reference(),) * asked.images,
        mask=reference() if asked.mask else None,
        partial_images=2,
        timeout_seconds=30,
        options=plan.route.options,
    )
