"""The fault table: what each supplier's failure is called, whether it may be sent again, and that it was sent once."""

from dataclasses import dataclass
from typing import Any

import pytest
from tests.providers.conftest import PeerOf, ProviderOf
from tests.providers.suppliers import SUPPLIERS
from tests.providers.watching import Listening

from limner.errors import ModerationBlocked, ServiceError
from limner.providers.base import Unbilled


@dataclass(frozen=True, slots=True)
class Row:
    """A fault and the failure it must become. `orders` counts what may cost money upstream."""

    supplier: str
    fault: str
    code: str
    unbilled: bool = False
    orders: int = 1
    delay: float | None = None
    extra: tuple[tuple[str, Any], ...] = ()
    asks: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return f"{self.supplier}-{self.fault}{'-streamed' if self.asks else ''}"


def operator(reason: str) -> tuple[tuple[str, Any], ...]:
    return (("operator", True), ("reason", reason))


def stage(name: str) -> tuple[tuple[str, Any], ...]:
    return (("stage", name),)


STREAMED = (("partial_images", 1),)
EVERYWHERE = ("openai", "google", "openrouter", "bfl", "compatible", "comfyui")
KEYED = ("openai", "google", "openrouter", "bfl", "compatible")
OPENAI_SHAPED = ("openai", "compatible")

TABLE = [
    *(Row(name, "html", "upstream_unavailable") for name in EVERYWHERE),
    *(Row(name, "html_ok", "no_image") for name in EVERYWHERE),
    *(Row(name, "garbage", "no_image") for name in EVERYWHERE),
    *(Row(name, "truncated", "upstream_unavailable") for name in EVERYWHERE),
    *(Row(name, "server_error", "upstream_unavailable") for name in EVERYWHERE),
    *(Row(name, "overloaded", "upstream_unavailable", True) for name in EVERYWHERE if name not in OPENAI_SHAPED),
    *(Row(name, "overloaded", "upstream_unavailable", True, delay=3) for name in OPENAI_SHAPED),
    *(Row(name, "rate_limited", "upstream_rate_limited", True) for name in KEYED),
    *(Row(name, "rate_limited_with_delay", "upstream_rate_limited", True, delay=7) for name in KEYED),
    *(Row(name, "gateway_timeout", "upstream_timeout") for name in ("openai", "google", "openrouter", "compatible")),
    *(Row(name, "empty", "no_image") for name in EVERYWHERE),
    *(Row(name, "not_base64", "no_image") for name in ("openai", "google", "openrouter", "compatible")),
    *(Row(name, "no_data", "no_image") for name in ("openai", "google", "openrouter", "compatible")),
    *(Row(name, "invalid", "invalid_request") for name in KEYED),
    Row("comfyui", "invalid", "upstream_unavailable", extra=operator("misconfigured")),
    # the model is gone; OpenRouter is asked on both of its wires, neither of which bills it
    *(Row(name, "retired", "model_unavailable") for name in ("openai", "google", "bfl", "compatible")),
    Row("openrouter", "retired", "model_unavailable", orders=2, asks=(("model", "gone/model"),)),
    # the operator's own account
    *(Row(name, "bad_key", "upstream_unavailable", extra=operator("bad_key")) for name in KEYED if name != "bfl"),
    Row("bfl", "bad_key", "upstream_unavailable", extra=operator("not_permitted")),
    *(
        Row(name, "not_permitted", "upstream_unavailable", extra=operator("not_permitted"))
        for name in KEYED
        if name != "bfl"
    ),
    *(Row(name, "quota", "upstream_unavailable", extra=operator("quota_exhausted")) for name in OPENAI_SHAPED),
    Row("google", "quota", "upstream_unavailable", extra=operator("quota_exhausted")),
    *(Row(name, "quota", "upstream_unavailable", extra=operator("payment_required")) for name in ("openrouter", "bfl")),
    # refusals
    *(Row(name, "refusal", "moderation_blocked", extra=stage("input")) for name in KEYED),
    *(
        Row(name, "output_refusal", "moderation_blocked", extra=stage("output"))
        for name in KEYED
        if name != "openrouter"
    ),
    *(
        Row("google", finish, "moderation_blocked", extra=stage("output"))
        for finish in (
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION",
            "PROHIBITED_CONTENT",
            "SAFETY",
            "SPII",
            "BLOCKLIST",
        )
    ),
    *(Row("google", finish, "no_image") for finish in ("NO_IMAGE", "IMAGE_OTHER", "OTHER", "MAX_TOKENS")),
    Row("google", "text_only", "no_image"),
    Row("google", "only_thoughts", "no_image"),
    Row("openrouter", "upstream_refusal", "moderation_blocked", extra=stage("input")),
    Row("openrouter", "error_in_200", "upstream_unavailable"),
    # after the first byte of a stream an order is never sent again
    *(Row(name, "endless", "no_image", asks=STREAMED) for name in ("openai", "openrouter")),
    *(Row(name, "stream_error", "upstream_unavailable", asks=STREAMED) for name in ("openai", "openrouter")),
    Row("openai", "stream_refusal", "moderation_blocked", extra=stage("output"), asks=STREAMED),
    # orders that were placed and came to nothing
    Row("bfl", "failed", "upstream_unavailable"),
    Row("bfl", "lost", "upstream_unavailable"),
    Row("bfl", "link_gone", "no_image"),
    Row("bfl", "polls_elsewhere", "upstream_unavailable"),
    Row("bfl", "delivers_elsewhere", "upstream_unavailable"),
    Row("comfyui", "failed", "upstream_unavailable"),
    Row("comfyui", "lost", "upstream_unavailable"),
    Row("comfyui", "picture_gone", "no_image"),
    # pictures by address
    Row("compatible", "url_gone", "no_image"),
    Row("compatible", "url_elsewhere", "no_image"),
]


@pytest.mark.parametrize("row", TABLE, ids=str)
async def test_a_fault_has_its_name_and_is_ordered_once(
    row: Row, provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    peer = peer_of(row.supplier)
    peer.fail(row.fault)
    with pytest.raises((ServiceError, Unbilled)) as failure:
        await provider_of(row.supplier).generate(SUPPLIERS[row.supplier].request(**dict(row.asks)), watch)
    raised = failure.value
    error = raised.error if isinstance(raised, Unbilled) else raised
    delay = raised.delay_seconds if isinstance(raised, Unbilled) else None
    assert (getattr(error, "code", error), isinstance(raised, Unbilled), delay) == (row.code, row.unbilled, row.delay)
    assert dict(row.extra).items() <= error.extra.items()
    assert len(peer.orders) == row.orders


@pytest.mark.parametrize("row", [row for row in TABLE if row.code == "moderation_blocked"], ids=str)
async def test_a_refusal_carries_the_suppliers_words(
    row: Row, provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    peer_of(row.supplier).fail(row.fault)
    with pytest.raises(ModerationBlocked) as refusal:
        await provider_of(row.supplier).generate(SUPPLIERS[row.supplier].request(**dict(row.asks)), watch)
    assert refusal.value.extra["reason"] in refusal.value.message
