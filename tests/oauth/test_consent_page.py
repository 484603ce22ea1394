"""Consent and connections in a real browser: keyboard, the way back to the client, framing, and axe in every look."""

from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, expect
from tests.node_tools import Node
from tests.oauth.client import register, whoami
from tests.service import Service
from tests.web.axe import LOOKS, source, violations
from tests.web.browser import link_for, signed_in
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
    await page.locator("summary", has_text="2 tokens").click()
    await expect(page.locator("table.tokens")).to_contain_text("Refresh")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.locator("summary", has_text="Revoke").click()
    await page.get_by_role("button", name="Revoke connection").click()
    await expect(page.locator("main")).to_contain_text("1 connection ended")
    assert (await whoami(service, tokens["access_token"])).status_code == 401
    assert problems == []


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_axe_finds_nothing_on_consent_and_connections(service: Service, chromium: Browser, node: Node) -> None:  # noqa: F811
    axe, found = source(), list[str]()
    asks = await register(service, client_name="A client with a rather long name that nobody shortened")
    async with signed_in(service) as browser:
        for redirect_uri, cap in (("http://localhost/cb", "50"), ("https://claude.ai/cb", ""), ("cursor://x/cb", "0")):
            client = await register(service, redirect_uri)
            tokens = (await client.redeem(await client.code(browser, answer={"cap": cap}))).json()
        await client.revoke(tokens["refresh_token"])
        cookies = [{"name": name, "value": value, "url": service.url} for name, value in browser.cookies.items()]
        for scheme, width in LOOKS:
            context = await chromium.new_context(
                color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
            )
            await context.add_cookies(cookies)
            page = await context.new_page()
            await page.goto(f"{service.url}/oauth/authorize?{urlencode(asks.question())}")
            await expect(page.get_by_role("button", name="Allow")).to_be_visible()
            found += [f"consent {scheme} {width}: {each}" for each in await violations(page, axe)]
            await page.goto(f"{service.url}/dashboard/connections")
            for closed in ("Set a cap", "2 tokens", "1 connection ended"):
                await page.locator("summary", has_text=closed).first.click()
                found += [f"{closed} {scheme} {width}: {each}" for each in await violations(page, axe)]
            await context.close()
    assert found == []


@pytest.mark.slow
@pytest.mark.timeout(60)
async def test_the_question_cannot_be_put_into_a_frame(service: Service, chromium: Browser) -> None:  # noqa: F811
    client = await register(service)
    page = await (await chromium.new_context()).new_page()
    question = f"{service.url}/oauth/authorize?{urlencode(client.question())}"
    await page.route(
        "http://evil.example/",
        lambda route: route.fulfill(body=f"<iframe src='{question}'></iframe>", content_type="text/html"),
    )
    await page.goto("http://evil.example/")
    assert page.frames[1].url.startswith("chrome-error:")
