"""The dashboard without scripts: every page answers, forms work, nothing of another account shows."""

import io
import re
import zipfile

import pytest
from tests.service import SKETCH, Service
from tests.web.browser import signed_in, stranger

PAGES = (
    "/dashboard",
    "/dashboard/gallery",
    "/dashboard/playground",
    "/dashboard/prompts",
    "/dashboard/keys",
    "/dashboard/keys/new",
    "/dashboard/usage",
    "/connect",
)
SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_answers_under_a_strict_policy(service: Service, path: str) -> None:
    await service.generate(prompt=SCRIPT)
    async with signed_in(service) as browser:
        page = await browser.get(path)
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "<script>alert" not in page.text
    assert not re.search(
        r"<style|\sstyle=|\son[a-z]+=[\"']|javascript:|<script(?! src=)", page.text.replace("onerror=alert", "")
    )


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/connect"])
async def test_strangers_are_sent_to_sign_in_and_back(service: Service, path: str) -> None:
    async with stranger(service) as browser:
        page = await browser.get(path)
    assert page.url.path == "/sign-in"
    assert f'name="next" value="{path}"' in page.text


async def test_a_picture_made_in_the_playground_is_in_the_gallery(any_service: Service) -> None:
    async with signed_in(any_service) as browser:
        form = await browser.get("/dashboard/playground")
        key = re.search(r'name="key" id="key" value="([^"]+)"', form.text)
        assert key is not None
        fields = {"prompt": "a quiet lake", "model": SKETCH, "aspectRatio": "16:9", "n": "1", "key": key[1]}
        page = await browser.post("/dashboard/playground", data=fields)
        assert page.url.path.startswith("/dashboard/images/")
        again = await browser.post("/dashboard/playground", data=fields)  # a double click pays once
        assert again.url.path == page.url.path
        image_id = page.url.path.rpartition("/")[2]
        await any_service.http.get(f"/api/v1/images/{image_id}?wait=30&format=metadata")
        gallery = await browser.get("/dashboard/gallery?q=QUIET")
        nothing = await browser.get("/dashboard/gallery?q=loud")
    assert f'id="f-{image_id}"' in gallery.text
    assert 'alt="a quiet lake"' in gallery.text
    assert "No picture fits" in nothing.text
    assert (await any_service.balance()).available == 99


async def test_making_it_again_asks_for_the_same_and_pays_for_a_new_one(service: Service) -> None:
    image = (await service.generate(prompt="twice", aspectRatio="3:2", seed=7)).json()["image"]
    async with signed_in(service) as browser:
        page = await browser.post(f"/dashboard/images/{image['id']}/again", data={"key": "one"})
        new_id = page.url.path.rpartition("/")[2]
    again = (await service.http.get(f"/api/v1/images/{new_id}?wait=30&format=metadata")).json()["image"]
    assert again["id"] != image["id"]
    assert [again[name] for name in ("prompt", "aspectRatio", "seed")] == ["twice", "3:2", 7]


async def test_picked_pictures_come_as_a_zip_or_go_for_good(service: Service) -> None:
    ids = [(await service.generate(prompt=f"boat {number}")).json()["image"]["id"] for number in range(3)]
    async with signed_in(service) as browser:
        packed = await browser.post("/dashboard/gallery/picked", data={"pick": ids, "do": "download"})
        asked = await browser.post("/dashboard/gallery/picked", data={"pick": ids[:2], "do": "delete"})
        assert "Delete 2 images?" in asked.text
        await browser.post("/dashboard/gallery/picked", data={"pick": ids[:2], "do": "delete", "sure": "yes"})
        gallery = await browser.get("/dashboard/gallery")
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 3
    assert [f"f-{each}" in gallery.text for each in ids] == [False, False, True]
    assert await service.audit() == []


async def test_a_key_is_shown_once_and_its_revocation_is_felt_at_once(service: Service) -> None:
    async with signed_in(service) as browser:
        made = await browser.post(
            "/dashboard/keys", data={"name": SCRIPT, "client": "claude-code", "cap": "5", "period": "day"}
        )
        secret = re.search(r"sk_[0-9A-Za-z]{36}", made.text)
        assert secret is not None
        listed = await browser.get("/dashboard/keys")
        assert secret[0] not in listed.text
        assert "0 of 5 credits" in listed.text
        async with service.client(secret[0]) as client:
            assert (await client.get("/api/v1/account")).status_code == 200
            key_id = re.findall(r"/dashboard/keys/([0-9a-f-]{36})/revoke", listed.text)[0]
            await browser.post(f"/dashboard/keys/{key_id}/revoke")
            assert (await client.get("/api/v1/account")).status_code == 401


async def test_a_rotated_key_has_a_new_secret_and_the_old_one_ends_as_chosen(service: Service) -> None:
    async with signed_in(service) as browser:
        listed = (await browser.get("/dashboard/keys")).text
        action = re.search(r"/dashboard/keys/[0-9a-f-]{36}/rotate", listed)
        assert action is not None
        page = await browser.post(action[0], data={"overlap": "none"})
    secret = re.search(r'id="new-key">(sk_[0-9A-Za-z]{36})<', page.text)
    assert secret is not None
    async with service.client(secret[1]) as fresh:
        assert (await fresh.get("/api/v1/account")).status_code == 200
    assert (await service.http.get("/api/v1/account")).status_code == 401


async def test_another_accounts_ids_are_unknown_in_every_page_and_form(service: Service) -> None:
    _, key = await service.account("other@example.org")
    async with service.client(key) as other:
        image = (await other.post("/api/v1/images/generate", json={"prompt": "theirs", "includeBytes": False})).json()[
            "image"
        ]
    theirs = image["id"]
    key_id = await service.services.database.read(
        lambda tx: tx.scalar("SELECT api_key_id FROM generations WHERE id = :id", id=theirs)
    )
    async with signed_in(service) as browser:
        answers = [
            await browser.get(f"/dashboard/images/{theirs}"),
            await browser.get(f"/dashboard/gallery/compare?id={theirs}"),
            await browser.get(f"/dashboard/playground?from={theirs}"),
            await browser.get(f"/dashboard/playground?edit={theirs}"),
            await browser.get(f"/dashboard/events/images?id={theirs}"),
            await browser.post(f"/dashboard/images/{theirs}/delete"),
            await browser.post(f"/dashboard/images/{theirs}/cancel"),
            await browser.post(f"/dashboard/images/{theirs}/again", data={"key": "x"}),
            await browser.post(f"/dashboard/images/{theirs}/share"),
            await browser.post(f"/dashboard/images/{theirs}/unshare"),
            await browser.post(f"/dashboard/keys/{key_id}/revoke"),
            await browser.post("/dashboard/gallery/picked", data={"pick": theirs, "do": "download"}),
            await browser.post(
                "/dashboard/playground", data={"prompt": "x", "key": "y", "references": theirs, "model": SKETCH}
            ),
        ]
        news = await browser.get(f"/dashboard/gallery/frames?after=&id={theirs}")
    assert {answer.status_code for answer in answers} == {404}
    assert theirs not in news.text


async def test_a_public_link_lasts_until_it_is_ended(service: Service) -> None:
    image = (await service.generate()).json()["image"]
    async with signed_in(service) as browser, stranger(service) as anybody:
        page = await browser.post(f"/dashboard/images/{image['id']}/share")
        link = re.search(r"http://[^<\"]+/i/s/[^<\"]+", page.text)
        assert link is not None
        assert (await anybody.get(link[0])).status_code == 200
        await browser.post(f"/dashboard/images/{image['id']}/unshare")
        assert (await anybody.get(link[0])).status_code == 404


async def test_the_ledger_comes_as_csv_that_no_spreadsheet_runs(service: Service) -> None:
    await service.generate()
    async with signed_in(service) as browser:
        table = await browser.get("/dashboard/usage.csv")
    lines = table.text.strip().split("\r\n")
    assert lines[0].startswith("createdAt,type,amount,balanceAfter")
    assert [line.split(",")[1] for line in lines[1:]] == ["charge", "grant"]


async def test_a_gallery_of_many_pages_is_walked_by_where_it_stopped(service: Service) -> None:
    for _ in range(6):
        await service.generate(n=8)
    async with signed_in(service) as browser:
        first = await browser.get("/dashboard/gallery")
        older = re.search(r'href="(/dashboard/gallery\?before=[^"]+)"', first.text)
        assert older is not None
        second = await browser.get(older[1])
    ids = [re.findall(r'id="f-([^"]+)"', page.text) for page in (first, second)]
    assert [len(each) for each in ids] == [40, 8]
    assert not set(ids[0]) & set(ids[1])


async def test_pages_and_their_files_are_small_on_the_wire(service: Service) -> None:
    async with signed_in(service) as browser:
        page = await browser.get("/dashboard/keys", headers={"Accept-Encoding": "gzip"})
        files = re.findall(r'(?:href|src)="(/static/[^"#]+)["#]', page.text)
        sizes = [int((await browser.get(each)).headers["content-length"]) for each in set(files)]
    assert len([each for each in files if ".woff2" in each]) == 2, "both fonts are counted"
    assert int(page.headers["content-length"]) + sum(sizes) <= 100_000


async def test_a_refused_form_says_why_and_leads_back_to_itself(service: Service) -> None:
    async with signed_in(service) as browser:
        sent = {"url": "https://127.0.0.1/hook", "events": "image.succeeded"}
        referer = {"Referer": f"{service.url}/dashboard/webhooks?from=here"}
        refused = await browser.post("/dashboard/webhooks", data=sent, headers=referer)
        elsewhere = await browser.post("/dashboard/webhooks", data=sent, headers={"Referer": "https://evil.example//x"})
    assert refused.status_code == 400
    assert "does not lead to a public address" in refused.text
    assert 'href="/dashboard/webhooks?from=here">Back to the form</a>' in refused.text
    assert "evil.example" not in elsewhere.text
    assert 'href="//x"' not in elsewhere.text
