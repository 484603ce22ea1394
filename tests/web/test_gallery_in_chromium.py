"""The gallery in a real browser: by keyboard alone, and with scripts turned off."""

import re

import pytest
from playwright.async_api import Browser, expect
from tests.service import SKETCH, Service
from tests.web.browser import link_for
from tests.web.chromium import chromium, visit  # noqa: F401

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def test_the_gallery_by_keyboard_alone(service: Service, chromium: Browser) -> None:  # noqa: F811
    for prompt in ("oldest", "middle", "newest"):
        await service.generate(prompt=prompt, modelId=SKETCH)
    page = await visit(chromium, service, "/dashboard/gallery")
    await page.keyboard.press("j")
    await expect(page.locator(":focus img")).to_have_attribute("alt", "newest")
    await page.keyboard.press("x")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("x")
    await expect(page.locator("#tray-n")).to_have_text("2 picked")
    await expect(page.locator("#live")).to_have_text("Picked")
    await page.keyboard.press("k")
    await expect(page.locator(":focus img")).to_have_attribute("alt", "newest")
    await page.keyboard.press("Escape")
    await expect(page.locator(".traybar")).to_be_hidden()
    await page.keyboard.press("/")
    await page.keyboard.type("x middle")
    await expect(page.locator(".traybar")).to_be_hidden()
    await page.fill("#q", "middle")
    await expect(page.locator("#wall .frame")).to_have_count(1)
    assert page.url.endswith("q=middle&model=&by=&when=")
    await page.keyboard.press("Escape")
    await page.locator("h1").click()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Shortcuts")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator(".stage img")).to_have_attribute("alt", "middle")
    await page.keyboard.press("k")
    await expect(page.locator(".stage img")).to_have_attribute("alt", "newest")


async def test_single_keys_can_be_turned_off(service: Service, chromium: Browser) -> None:  # noqa: F811
    await service.generate(prompt="only one", modelId=SKETCH)
    page = await visit(chromium, service, "/dashboard/settings")
    await page.get_by_role("checkbox", name="Single-key shortcuts").uncheck()
    await page.get_by_role("button", name="Save").first.click()
    await expect(page.get_by_text("Saved.")).to_be_visible()
    await page.goto(f"{service.url}/dashboard/gallery")
    await page.keyboard.press("?")
    await page.keyboard.press("j")
    await page.keyboard.press("x")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator(".pick :checked")).to_have_count(0)


async def test_the_whole_way_without_scripts(service: Service, chromium: Browser) -> None:  # noqa: F811
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(service.url + await link_for(service, "owner@example.org"))
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("link", name="Make one in the browser").click()
    await page.fill("#prompt", "a paper boat")
    await page.get_by_role("button", name="Generate").click()
    assert re.search(r"/dashboard/images/[0-9a-f-]{36}$", page.url)
    await service.stage.arrival()
    image_id = page.url.rpartition("/")[2]
    await service.http.get(f"/api/v1/images/{image_id}?format=metadata&wait=20")
    await page.reload()
    await expect(page.locator(".stage img")).to_have_attribute("alt", "a paper boat")
    await page.get_by_role("button", name="Make a public link").click()
    await expect(page.locator("#share code")).to_contain_text("/i/")
    await page.get_by_role("button", name=re.compile("Again for")).click()
    assert not page.url.endswith(image_id)
    await service.http.get(f"/api/v1/images/{page.url.rpartition('/')[2]}?format=metadata&wait=20")

    await page.goto(f"{service.url}/dashboard/keys")
    await page.get_by_role("link", name="Create key").first.click()
    await page.fill("#kn", "From a form")
    await page.get_by_role("button", name="Create key").click()
    secret = await page.locator("#new-key").inner_text()
    async with service.client(secret) as agent:
        assert (await agent.get("/api/v1/account")).status_code == 200
    await page.get_by_role("link", name="I have it").click()
    await page.get_by_text("Revoke", exact=True).last.click()
    await page.get_by_role("button", name="Revoke key").last.click()

    await page.goto(f"{service.url}/dashboard/gallery?q=boat")
    await expect(page.locator("#wall .frame")).to_have_count(2)
    for box in await page.locator(".pick input").all():
        await box.check(force=True)
    await page.get_by_role("button", name="Compare").click()
    await expect(page.locator(".compare figure")).to_have_count(2)
    await page.goto(f"{service.url}/dashboard/gallery?q=boat")
    await page.locator(".pick input").first.check(force=True)
    await page.get_by_role("button", name="Use as references").click()
    await expect(page.locator("[data-chips] input:checked")).to_have_count(1)
    await page.goto(f"{service.url}/dashboard/gallery")
    await page.locator(".pick input").first.check(force=True)
    async with page.expect_download() as zipped:
        await page.get_by_role("button", name="Download").click()
    assert (await zipped.value).suggested_filename == "limner-pictures.zip"
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name=re.compile("Delete")).click()
    await expect(page.locator("#wall .frame")).to_have_count(1)

    await page.get_by_role("button", name="Switch to dark").click()
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.get_by_role("button", name="Sign out").click()
    await page.goto(f"{service.url}/dashboard")
    assert "/sign-in" in page.url
