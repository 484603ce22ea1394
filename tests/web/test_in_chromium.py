"""The pages in a real browser: the way from the first start to the first picture."""

import re

import pytest
from playwright.async_api import Browser, Page, expect
from tests.service import SKETCH, Service
from tests.web.browser import PASSWORD, link_for
from tests.web.chromium import chromium  # noqa: F401

from limner.accounts import sign_in
from limner.db.types import now


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_from_the_first_start_to_a_picture_and_a_revoked_key(service: Service, chromium: Browser) -> None:  # noqa: F811
    page = await (await chromium.new_context(viewport={"width": 1440, "height": 900})).new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    await _first_start(service, page)
    secret = await _make_key(service, page)
    await page.goto(f"{service.url}/connect?client=claude-code")
    await expect(page.locator(".listen")).to_contain_text("Listening for the first call")
    gallery = await page.context.new_page()
    await gallery.goto(f"{service.url}/dashboard")
    async with service.mcp(key=secret) as client:
        result = await client.call_tool("generate_image", {"prompt": "a corgi at sunset", "modelId": SKETCH})
        assert not result.is_error
        await expect(gallery.locator("img[alt='a corgi at sunset']").first).to_be_visible(timeout=15_000)
        await expect(gallery.locator("#balance")).to_contain_text("99")
        await expect(page.locator(".listen")).to_contain_text("Connected", timeout=15_000)
    await page.goto(f"{service.url}/dashboard/usage")
    await expect(page.locator(".rows tbody tr").first).to_contain_text("Limner Sketch")
    await page.goto(f"{service.url}/dashboard/keys")
    await page.get_by_text("Revoke", exact=True).click()
    await page.get_by_role("button", name="Revoke key").click()
    async with service.client(secret) as revoked:
        assert (await revoked.get("/api/v1/account")).status_code == 401
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
        accepts = {"Accept": "application/json, text/event-stream"}
        assert (await revoked.post("/api/mcp", json=call, headers=accepts)).status_code == 401
    assert problems == []


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_the_playground_prices_makes_and_shows_without_a_reload(service: Service, chromium: Browser) -> None:  # noqa: F811
    page = await (await chromium.new_context()).new_page()
    await _sign_in(service, page)
    await page.goto(f"{service.url}/dashboard/playground")
    await page.fill("#prompt", "a fox <b>on a windowsill</b>")
    await page.fill("#n", "2")
    await expect(page.locator("#cost")).to_have_text("2 credits")
    await expect(page.locator("#after")).to_have_text("98")
    await expect(page.locator("[data-calls] pre").first).to_contain_text('"n": 2')
    await page.click("#go")
    await expect(page.locator("#canvas img")).to_have_count(2, timeout=20_000)
    await expect(page.locator("#balance")).to_contain_text("98")
    first_key = await page.input_value("#key")
    await page.click("#go")
    await expect(page.locator("#key")).not_to_have_value(first_key)
    await expect(page.locator("#balance")).to_contain_text("96", timeout=20_000)


async def _first_start(service: Service, page: Page) -> None:
    """The link of the first start, on a server whose only account is taken away."""
    for table in ("memberships", "sessions"):
        await service.services.database.write(lambda tx, name=table: tx.execute(f"DELETE FROM {name}"))
    await service.services.database.write(lambda tx: tx.execute("DELETE FROM users"))
    path = await service.services.database.write(lambda tx: sign_in.first_start_link(tx, now()))
    assert path is not None
    await page.goto(service.url + path)
    await page.fill("#email", "me@example.org")
    await page.fill("#password", PASSWORD)
    await page.get_by_role("button", name="Create administrator").click()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()


async def _make_key(service: Service, page: Page) -> str:
    await page.goto(f"{service.url}/dashboard/keys")
    await page.locator(".head, .empty").get_by_role("link", name="Create key").first.click()
    await page.fill("#kn", "Claude Code, laptop")
    await page.get_by_role("button", name="Create key").click()
    secret = await page.locator("#new-key").inner_text()
    assert re.fullmatch(r"sk_[0-9A-Za-z]{36}", secret)
    return secret


async def _sign_in(service: Service, page: Page) -> None:
    await page.goto(service.url + await link_for(service, "owner@example.org"))
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
