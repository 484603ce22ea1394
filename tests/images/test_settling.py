"""What a supplier sent, before anybody pays for it."""

import pytest
from tests.images.samples import encoded, noise, photo

from limner.images.content_credentials import CredentialsReader
from limner.images.pictures import NotAPicture, sha256
from limner.images.settling import describe
from limner.providers.base import ProviderImage


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_picture_that_breaks_off_is_no_picture(form: str) -> None:
    data = encoded(noise(64, 64), form)
    with pytest.raises(NotAPicture):
        describe("id", "lease", ProviderImage(data[: len(data) // 2], "model"), CredentialsReader())


def test_a_picture_is_described_from_its_bytes() -> None:
    data = encoded(photo(40, 30), "WEBP")
    outcome = describe("id", "lease", ProviderImage(data, "model"), CredentialsReader())
    assert (outcome.media_type, outcome.width, outcome.height) == ("image/webp", 40, 30)
    assert (outcome.size_bytes, outcome.sha256) == (len(data), sha256(data))
    assert outcome.blob_key.endswith(".webp")
