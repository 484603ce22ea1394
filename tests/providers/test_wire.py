"""What all wires share: pauses that are asked for, answers past the cap, secrets that stay out of the log."""

from datetime import UTC, datetime

import pytest
import structlog
from tests.providers.conftest import PeerOf, ProviderOf
from tests.providers.suppliers import SUPPLIERS
from tests.providers.watching import Listening

from limner.errors import NoImage, ServiceError
from limner.providers import failures, wire

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Sat, 21 Nov 2026 11:00:00 GMT"}, 0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_the_pause_a_supplier_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert failures.asked_pause_seconds(headers, NOON) == seconds


async def test_an_answer_past_the_cap_is_cut_off(
    provider_of: ProviderOf, watch: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MAX_ANSWER_BYTES", 100)
    with pytest.raises(NoImage, match="larger"):
        await provider_of("openai").generate(SUPPLIERS["openai"].request(), watch)


async def test_a_stream_past_the_cap_is_cut_off(
    provider_of: ProviderOf, watch: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MAX_ANSWER_BYTES", 100)
    with pytest.raises(ServiceError):
        await provider_of("openai").generate(SUPPLIERS["openai"].request(partial_images=1), watch)


@pytest.mark.parametrize("name", ["openai", "google", "openrouter", "bfl"])
async def test_trouble_with_the_operators_account_is_logged_as_an_error_without_the_key(
    name: str, provider_of: ProviderOf, peer_of: PeerOf, watch: Listening
) -> None:
    peer_of(name).fail("bad_key")
    with structlog.testing.capture_logs() as lines, pytest.raises(ServiceError):
        await provider_of(name).generate(SUPPLIERS[name].request(), watch)
    (line,) = lines
    assert (line["log_level"], line["event"], line["provider"]) == ("error", "provider_account_trouble", name)
    assert "cret" not in str(line)


@pytest.mark.parametrize("text", ["", None, 7, "@@@", "aGk", "aGk=\n", "a" * 5])
def test_what_is_not_base64_is_no_picture(text: object) -> None:
    with pytest.raises(NoImage):
        wire.from_base64(text)
