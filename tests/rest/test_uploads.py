"""Sending a reference picture over REST and making something of it, through the front door."""

import asyncio
import shlex
import shutil
from pathlib import Path

import httpx2
import pytest
from tests.images.samples import encoded, photo
from tests.service import Service
from tests.tools import missing

from limner.images.pictures import sha256

PNG = encoded(photo(96, 64))


async def opened(service: Service, media_type: str = "image/png") -> dict[str, str]:
    answer = await service.http.post("/api/v1/uploads", json={"mediaType": media_type})
    assert answer.status_code == 201
    return answer.json()


async def test_a_picture_is_sent_without_a_key_and_edited_by_its_id(any_service: Service) -> None:
    upload = await opened(any_service)
    async with any_service.client() as stranger:
        sent = await stranger.put(upload["uploadUrl"], content=PNG)
    assert sent.status_code == 200
    facts = sent.json()
    assert facts.pop("expiresAt") > upload["expiresAt"]
    assert facts == {
        "id": upload["id"],
        "mediaType": "image/png",
        "width": 96,
        "height": 64,
        "sizeBytes": len(PNG),
        "sha256": sha256(PNG),
    }
    edit = {"instruction": "at night", "images": [upload["id"]], "includeBytes": False}
    answer = await any_service.http.post("/api/v1/images/edit", json=edit)
    assert answer.json()["image"]["status"] == "succeeded"
    assert [image.data for image in any_service.stage.seen[-1].images] == [PNG]


async def test_the_answer_says_how_to_send(service: Service, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        missing("curl")
    upload = await opened(service, "image/jpeg")
    assert set(upload) == {"id", "uploadUrl", "expiresAt", "maxBytes", "command"}
    assert upload["maxBytes"] == 20_000_000
    assert upload["uploadUrl"].startswith(f"{service.services.config.public_url}/u/")
    (tmp_path / "picture.png").write_bytes(PNG)
    command = [str(tmp_path / "picture.png") if word == "FILE" else word for word in shlex.split(upload["command"])]
    curl = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    told, _ = await curl.communicate()
    assert curl.returncode == 0
    assert upload["id"].encode() in told


async def test_a_link_is_good_for_one_picture(service: Service) -> None:
    url = (await opened(service))["uploadUrl"]
    assert (await service.http.put(url, content=PNG)).status_code == 200
    again = await service.http.put(url, content=PNG)
    assert (again.status_code, again.json()["error"]["code"]) == (409, "upload_used")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"GIF89a", 415, "unsupported_media"),
        (b"", 415, "unsupported_media"),
        (PNG[:500], 415, "unsupported_media"),
        (bytes(20_000_001), 413, "payload_too_large"),
    ],
    ids=["gif", "empty", "broken", "large"],
)
async def test_what_is_refused_can_be_sent_again(service: Service, content: bytes, status: int, code: str) -> None:
    url = (await opened(service))["uploadUrl"]
    refused = await service.http.put(url, content=content)
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert (await service.http.put(url, content=PNG)).status_code == 200


async def test_a_body_without_a_length_is_cut_at_the_limit(service: Service) -> None:
    async def endless():
        for _ in range(25):
            yield bytes(1_000_000)

    url = (await opened(service))["uploadUrl"]
    try:
        refused = await service.http.put(url, content=endless())
    except httpx2.NetworkError:
        return  # it hung up while we were still sending, as it may
    assert refused.status_code == 413


async def test_a_link_that_was_altered_is_unknown(service: Service) -> None:
    url = (await opened(service))["uploadUrl"]
    for altered in (
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url + "/",
        f"{service.url}/u/",
        f"{service.url}/u/x/y",
    ):
        refused = await service.http.put(altered, content=PNG)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")
    assert (await service.http.get(url)).status_code == 405


async def test_only_a_key_that_may_make_pictures_gets_a_link(service: Service) -> None:
    reader = await service.make_key(scopes=frozenset({"images:read"}))
    async with service.client(reader) as reading, service.client() as stranger:
        refused = await reading.post("/api/v1/uploads", json={"mediaType": "image/png"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "insufficient_scope")
        assert (await stranger.post("/api/v1/uploads", json={"mediaType": "image/png"})).status_code == 401
    for wrong in ({"mediaType": "image/gif"}, {}, {"mediaType": "image/png", "name": "x"}):
        refused = await service.http.post("/api/v1/uploads", json=wrong)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_request")


async def test_what_one_account_sent_is_unknown_to_another(service: Service) -> None:
    upload = await opened(service)
    await service.http.put(upload["uploadUrl"], content=PNG)
    _, key = await service.account("bob@example.org")
    async with service.client(key) as bob:
        refused = await bob.post("/api/v1/images/edit", json={"instruction": "mine now", "images": [upload["id"]]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "not_found")


async def test_a_link_to_an_own_picture_is_a_reference_to_it(service: Service) -> None:
    image = (await service.generate()).json()["image"]
    edit = {"instruction": "at night", "images": [image["imageUrl"]], "includeBytes": False}
    answer = await service.http.post("/api/v1/images/edit", json=edit)
    assert answer.json()["image"]["status"] == "succeeded"
    assert sha256(service.stage.seen[-1].images[0].data) == image["sha256"]


async def test_a_reference_into_our_own_house_is_refused_and_nothing_is_held(service: Service) -> None:
    for url in ("https://127.0.0.1/x.png", "https://169.254.169.254/latest/meta-data/", f"{service.url}/healthz"):
        refused = await service.http.post("/api/v1/images/edit", json={"instruction": "x", "images": [url]})
        error = refused.json()["error"]
        assert (refused.status_code, error["code"]) == (400, "invalid_request")
        assert [(detail["path"], detail["code"]) for detail in error["details"]] == [("images.0", "url_not_allowed")]
    assert await service.transaction_types() == ["grant"]
    assert (await service.balance()).held == 0
