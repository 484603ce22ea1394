"""The consent page in a real browser: framing, keyboard, and the way back to the client."""

import pytest
from playwright.async_api import Browser, expect
from tests.oauth.client import register, whoami
from tests.service import Service
from tests.web.browser import link_for
from tests.web.chromium import chromium  # noqa: F401


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_person_allows_a_client_with_a_cap_and_ends_it_again(service: Service, chromium: Browser) -> None:  # noqa: F811
    client = await register(service)
    context = await chromium.new_context(viewport={"width": 390, "height": 900})
    page = await context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    await page.route("http://127.0.0.1:7777/**", lambda route: route.fulfill(status=200, body="You can close this."))
    await page.goto(f"{service.url}{await link_for(service, 'owner@example.org')}")
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/dashboard")
    query = "&".join(f"{name}={value}" for name, value in client.question(state="x").items())
    await page.goto(f"{service.url}/oauth/authorize?{query.replace(' ', '%20')}")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Connect Test client?")
    await expect(page.locator("main")).to_contain_text("127.0.0.1")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_label("Spend cap, in credits").fill("20")
    await page.get_by_label("See what was spent").uncheck()
    await page.get_by_role("button", name="Allow").press("Enter")
    await page.wait_for_url("http://127.0.0.1:7777/callback?**")
    code = page.url.split("code=")[1].split("&")[0]
    tokens = (await client.redeem(code)).json()
    assert "usage:read" not in tokens["scope"]
    assert (await whoami(service, tokens["access_token"])).json()["cap"]["limit"] == 20
    await page.goto(f"{service.url}/dashboard/connections")
    await page.get_by_text("Revoke", exact=True).click()
    await page.get_by_role("button", name="Revoke connection").click()
    await expect(page.locator("main")).to_contain_text("1 connection ended")
    assert (await whoami(service, tokens["access_token"])).status_code == 401
    assert problems == []
