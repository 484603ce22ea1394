"""The prompt library without scripts: from the playground to a template, filled, made, taken elsewhere, forgotten."""

import io
import re
import zipfile

import httpx2
import orjson
import pytest
from tests.rest.test_prompts import INK, SHOT, keep
from tests.service import SKETCH, Service
from tests.web.browser import signed_in

SHEET = {"kind": "template", "title": "Sheet", "name": "sheet", "text": "{{subject}} on {{paper=laid|wove}}"}


async def playground(browser: httpx2.AsyncClient, query: str = "") -> tuple[str, str]:
    page = (await browser.get(f"/dashboard/playground{query}")).text
    prompt = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert prompt is not None
    return prompt[1], page


async def test_what_the_playground_holds_is_kept_and_gets_blanks(any_service: Service) -> None:
    async with signed_in(any_service) as browser:
        form = {"key": "k", "prompt": "A teapot, in the rain", "model": SKETCH, "aspectRatio": "3:2", "save": "1"}
        kept = await browser.post("/dashboard/playground", data=form)
        assert kept.url.path.startswith("/dashboard/prompts/")
        assert 'value="a-teapot-in-the-rain"' in kept.text
        again = await browser.post("/dashboard/playground", data=form)
        assert 'value="a-teapot-in-the-rain-2"' in again.text
        changed = await browser.post(kept.url.path, data={**SHEET, "aspectRatio": "3:2"})
        assert (changed.url.path, "Sheet" in changed.text) == ("/dashboard/prompts", True)
    prompts = (await any_service.http.get("/api/v1/prompts")).json()["prompts"]
    assert [(each["name"], each["settings"].get("aspectRatio")) for each in prompts] == [
        ("a-teapot-in-the-rain-2", "3:2"),
        ("sheet", "3:2"),
    ]
    assert any_service.stage.seen == []


async def test_a_template_is_picked_and_filled_and_a_style_chosen(service: Service) -> None:
    await keep(service.http, **SHOT)
    await keep(service.http, **INK)
    async with signed_in(service) as browser:
        begun, page = await playground(browser, "?template=product-shot")
        assert begun == "A photograph of {{subject}} on white marble"
        assert re.search(r'name="v.subject"[^>]* required', page)
        filled, page = await playground(browser, "?template=product-shot&v.subject=a+%3Ckettle%3E&v.surface=raw+oak")
        assert filled == "A photograph of a &lt;kettle&gt; on raw oak"
        assert 'value="4:3" data-extra="0" checked' in page
        assert 'value="soft light"' in page
        _, page = await playground(browser, "?style=ink")
        assert re.search(rf'id="style" [^>]*list="styles"[^>]* value="{INK["text"]}"', page)
        assert (await browser.get("/dashboard/playground?template=nope")).status_code == 404


async def test_an_export_file_comes_in_and_nonsense_does_not(service: Service) -> None:
    await keep(service.http, **INK)
    async with signed_in(service) as browser:
        export = await browser.get("/dashboard/prompts/export")
        assert "attachment" in export.headers["content-disposition"]
        await browser.post("/dashboard/prompts/ink/delete")
        assert "Nothing is kept yet" in (await browser.get("/dashboard/prompts")).text
        came = await browser.post("/dashboard/prompts/import", files={"file": ("p.json", export.content)})
        assert "loose ink drawing" in came.text
        refused = await browser.post("/dashboard/prompts/import", files={"file": ("p.json", b"<html>")})
        assert refused.status_code == 400


@pytest.mark.parametrize("path", ["/dashboard/prompts", "/dashboard/prompts/new", "/dashboard/prompts/new?kind=style"])
async def test_every_page_answers_safely(service: Service, path: str) -> None:
    script = "<script>alert(1)</script>"
    await keep(service.http, **{**INK, "title": script, "text": script})
    async with signed_in(service) as browser:
        page = await browser.get(path)
        one = await browser.get("/dashboard/prompts/ink")
    assert (page.status_code, one.status_code) == (200, 200)
    assert script not in page.text + one.text


async def test_they_are_exported_with_the_account_and_forgotten_with_it(any_service: Service) -> None:
    await keep(any_service.http, **INK)
    async with signed_in(any_service) as browser:
        packed = await browser.get("/dashboard/settings/export.zip")
        with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
            assert [each["name"] for each in orjson.loads(archive.read("prompts.json"))["prompts"]] == ["ink"]
        await browser.post("/dashboard/settings/delete", data={"email": "owner@example.org"})
    left = await any_service.services.database.read(lambda tx: tx.scalar("SELECT count(*) FROM saved_prompts"))
    assert left == 0


async def test_another_accounts_are_not_there(service: Service) -> None:
    await keep(service.http, **INK)
    await service.account("other@example.org")
    async with signed_in(service, "other@example.org") as browser:
        assert (await browser.get("/dashboard/prompts/ink")).status_code == 404
        assert (await browser.post("/dashboard/prompts/ink/delete")).status_code == 404
