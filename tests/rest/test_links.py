"""Signed links over HTTP: true files for those who have one, and one and the same 404 for everybody else."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import httpx2
import pytest
from PIL import Image
from tests.service import Service, serving

from limner.db.engine import open_database
from limner.db.types import now


@pytest.fixture
async def image(service: Service) -> dict[str, object]:
    return (await service.generate(prompt='<b>"ridges" at dawn', resolution="1K")).json()["image"]


async def get(service: Service, url: str, **headers: str) -> httpx2.Response:
    async with service.client() as stranger:
        return await stranger.get(url, headers=headers)


async def test_a_link_serves_the_untouched_bytes_and_says_what_they_are(
    service: Service, image: dict[str, str]
) -> None:
    answer = await get(service, image["imageUrl"])
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(len(answer.content)) == str(image["sizeBytes"])
    assert answer.headers["etag"] == f'"{image["sha256"]}"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith('inline; filename="b-ridges-at-dawn-')


async def test_ranges_and_unchanged_files_cost_only_their_part(service: Service, image: dict[str, str]) -> None:
    url, size = image["imageUrl"], int(image["sizeBytes"])
    whole = (await get(service, url)).content
    first = await get(service, url, Range="bytes=0-99")
    last = await get(service, url, Range="bytes=-50")
    rest = await get(service, url, Range=f"bytes={size - 10}-")
    assert (first.status_code, first.content, first.headers["content-range"]) == (
        206,
        whole[:100],
        f"bytes 0-99/{size}",
    )
    assert (last.content, rest.content) == (whole[-50:], whole[-10:])
    assert (await get(service, url, Range=f"bytes={size}-")).status_code == 416
    assert (await get(service, url, **{"If-None-Match": f'"{image["sha256"]}"'})).status_code == 304
    async with service.client() as stranger:
        head = await stranger.head(url)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(size))


@pytest.mark.parametrize(
    ("query", "form", "width"), [("width=256&format=webp", "WEBP", 256), ("format=jpeg", "JPEG", 1024)]
)
async def test_other_forms_come_under_the_same_signature(
    service: Service, image: dict[str, str], query: str, form: str, width: int
) -> None:
    answers = [await get(service, f"{image['imageUrl']}?{query}") for _ in range(2)]
    assert answers[0].content == answers[1].content
    with Image.open(BytesIO(answers[0].content)) as picture:
        assert (picture.format, picture.width) == (form, width)
    own = await service.http.get(f"/api/v1/images/{image['id']}/content?{query}")
    assert own.content == answers[0].content


async def test_a_width_that_is_not_offered_is_refused_with_those_that_are(
    service: Service, image: dict[str, str]
) -> None:
    answer = await get(service, f"{image['imageUrl']}?width=257")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")
    assert "256, 512, 768, 1024, 1536" in answer.json()["error"]["message"]


async def test_every_altered_character_is_the_same_404(service: Service, image: dict[str, str]) -> None:
    url = image["imageUrl"]
    start = url.index("/i/") + 3
    bodies = set()
    for position in range(start, len(url), 3):
        swapped = "A" if url[position] != "A" else "B"
        answer = await get(service, url[:position] + swapped + url[position + 1 :])
        assert answer.status_code == 404
        bodies.add(answer.json()["error"]["message"])
    for other in (f"{url}/", f"{url}x", url.replace("/i/", "/i//"), url[:start] + "%41" + url[start + 1 :]):
        assert (await get(service, other)).status_code == 404
    assert len(bodies) == 1


async def test_deleting_takes_every_form_away_at_once(service: Service, image: dict[str, str]) -> None:
    await get(service, f"{image['imageUrl']}?width=512")
    await service.http.delete(f"/api/v1/images/{image['id']}")
    assert (await get(service, image["imageUrl"])).status_code == 404
    assert (await get(service, f"{image['imageUrl']}?width=512")).status_code == 404
    assert [blob async for blob in service.services.blobs.keys(f"images/{image['id']}/")] == []


@pytest.mark.parametrize("known", ["W/{}", '"other", {}', '"other",W/{}', "*"])
async def test_what_the_caller_has_already_is_not_sent_again(
    service: Service, image: dict[str, str], known: str
) -> None:
    etag = f'"{image["sha256"]}"'
    answer = await get(service, image["imageUrl"], **{"If-None-Match": known.format(etag)})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)


async def test_a_part_is_sent_only_of_the_picture_the_caller_began_with(
    service: Service, image: dict[str, str]
) -> None:
    began = {"Range": "bytes=0-9", "If-Range": f'"{image["sha256"]}"'}
    assert (await get(service, image["imageUrl"], **began)).status_code == 206
    whole = await get(service, image["imageUrl"], **began | {"If-Range": '"another"'})
    assert (whole.status_code, len(whole.content)) == (200, image["sizeBytes"])


async def test_a_range_that_makes_no_sense_is_as_none(service: Service, image: dict[str, str]) -> None:
    answers = [await get(service, image["imageUrl"], Range=each) for each in ("bytes=9-2", "bytes=a-b", "lines=1-2")]
    assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_what_was_just_shown_is_gone_when_another_process_deletes_it(any_service: Service) -> None:
    image = (await any_service.generate()).json()["image"]
    thumbnail = f"{image['imageUrl']}?width=256"
    assert [(await get(any_service, thumbnail)).status_code for _ in range(2)] == [200, 200]
    other = await open_database(any_service.services.config.database_url)
    await other.write(
        lambda tx: tx.execute("UPDATE generations SET deleted_at = :now WHERE id = :id", id=image["id"], now=now())
    )
    await other.close()
    assert (await get(any_service, thumbnail)).status_code == 404


async def test_what_was_just_shown_whole_is_still_had_in_part_or_not_again(
    service: Service, image: dict[str, str]
) -> None:
    url = f"{image['imageUrl']}?width=256&format=jpeg"
    shown = [await get(service, url) for _ in range(2)]
    part = await get(service, url, Range="bytes=0-9")
    unchanged = await get(service, url, **{"If-None-Match": shown[0].headers["etag"]})
    async with service.client() as stranger:
        head = await stranger.head(url)
    assert shown[0].content == shown[1].content
    assert (part.status_code, part.content) == (206, shown[0].content[:10])
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(shown[0].content))


async def test_a_link_ends_at_its_moment_though_it_was_just_shown(tmp_path: Path, database_url: str) -> None:
    moment = datetime.now(UTC).replace(microsecond=0)
    async with serving(tmp_path, database_url, clock=lambda: moment) as service:
        image = (await service.generate(ttlSeconds=60)).json()["image"]
        began = moment
        moment = began + timedelta(seconds=59, milliseconds=900)
        assert (await get(service, image["imageUrl"])).status_code == 200
        moment = began + timedelta(seconds=60)
        assert (await get(service, image["imageUrl"])).status_code == 404
