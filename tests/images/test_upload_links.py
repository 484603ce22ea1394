"""Links to send a picture to, and links to see one: neither can be made into the other."""

from datetime import UTC, datetime, timedelta

import pytest

from limner.db.types import new_id
from limner.images.links import ImageLinks, UploadLinks
from limner.images.secrets import from_texts
from limner.images.uploads import TIME_TO_SEND, Upload

NOW = datetime(2026, 11, 21, 12, 0, 0, 345_000, tzinfo=UTC)


class Time:
    now = NOW


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def links(time: Time) -> UploadLinks:
    return UploadLinks(public_url="https://limner.test", secrets=lambda: from_texts(["a", "b"]), clock=lambda: time.now)


def upload() -> Upload:
    return Upload(new_id(), new_id(), "image/png", *[None] * 6, NOW + TIME_TO_SEND, None, NOW)


def path(url: str) -> str:
    return url.removeprefix("https://limner.test/u/")


def test_a_link_names_its_upload_until_its_time_is_over(links: UploadLinks, time: Time) -> None:
    sent = upload()
    link = links.sign(sent)
    assert link.expires_at == datetime(2026, 11, 21, 12, 15, tzinfo=UTC)
    assert links.verify(path(link.url)) == sent.id
    time.now = link.expires_at - timedelta(milliseconds=1)
    assert links.verify(path(link.url)) == sent.id
    time.now = link.expires_at
    assert links.verify(path(link.url)) is None


def test_every_character_of_a_link_counts(links: UploadLinks) -> None:
    good = path(links.sign(upload()).url)
    for at, was in enumerate(good):
        for other in ("0", "a", "-", "/", "é"):
            if other != was:
                assert links.verify(good[:at] + other + good[at + 1 :]) is None
    for wrong in ("", "/", good + "/", good + "?x", good[1:], "/" + good, good.upper()):
        assert links.verify(wrong) is None


def test_neither_kind_of_link_is_good_for_the_other(links: UploadLinks) -> None:
    images = ImageLinks(public_url="https://limner.test", secrets=lambda: from_texts(["a", "b"]), clock=lambda: NOW)
    good = path(links.sign(upload()).url)
    assert images.verify(good) is None
    assert images.verify(f"{good}/picture.png") is None
    assert images.generation_id(f"https://limner.test/i/{good}/picture.png") is None


def test_links_signed_with_an_older_secret_still_hold(links: UploadLinks) -> None:
    older = UploadLinks(public_url="https://limner.test", secrets=lambda: from_texts(["b"]), clock=lambda: NOW)
    stranger = UploadLinks(public_url="https://limner.test", secrets=lambda: from_texts(["c"]), clock=lambda: NOW)
    sent = upload()
    assert links.verify(path(older.sign(sent).url)) == sent.id
    assert links.verify(path(stranger.sign(sent).url)) is None
