"""Signing in by an issuer in a real browser, under our own content policy; and axe on every page before the dashboard."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from tests.node_tools import Node
from tests.peers import github
from tests.peers.github import GitHubPeer
from tests.peers.openid import OpenIdPeer, settings_of
from tests.service import Service, serving
from tests.web.axe import LOOKS, source, violations
from tests.web.browser import link_for
from tests.web.chromium import chromium  # noqa: F401

from limner.accounts import sign_in
from limner.db.types import now

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def issuer() -> Iterator[OpenIdPeer]:
    with OpenIdPeer() as peer:
        yield peer


@pytest.fixture
async def service_with(tmp_path: Path, sqlite_url: str, issuer: OpenIdPeer) -> AsyncIterator[Service]:
    with GitHubPeer() as octocat:
        env = settings_of(issuer, "GOOGLE") | github.settings_of(octocat) | {"LIMNER_SIGNUP": "open"}
        async with serving(tmp_path, sqlite_url, env=env) as service:
            yield service


async def test_a_person_signs_in_by_one_issuer_and_connects_another(service_with: Service, chromium: Browser) -> None:  # noqa: F811
    page = await (await chromium.new_context(viewport={"width": 390, "height": 844})).new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    await page.goto(f"{service_with.url}/dashboard/usage")
    await page.get_by_role("link", name="Continue with Google").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Usage")
    await page.goto(f"{service_with.url}/dashboard/settings")
    await page.get_by_role("button", name="Connect GitHub").click()
    await expect(page.get_by_text("@octocat")).to_be_visible()
    await page.get_by_role("button", name="Sign out everywhere").click()
    await page.get_by_role("link", name="Continue with GitHub").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    await page.goto(f"{service_with.url}/dashboard/settings")
    await expect(page.locator("main")).to_contain_text("ada@example.org")
    await page.get_by_role("button", name="Disconnect Google").click()
    await expect(page.get_by_role("button", name="Disconnect Google")).to_have_count(0)
    assert problems == []


async def test_axe_finds_nothing_before_the_dashboard(
    service_with: Service,
    issuer: OpenIdPeer,
    chromium: Browser,  # noqa: F811
    node: Node,
) -> None:
    axe, found = source(), list[str]()
    issuer.person["email_verified"] = False
    database = service_with.services.database
    account = service_with.account_id
    invite = await database.write(
        lambda tx: sign_in.make(tx, "invite", now(), email="new@example.org", account_id=account, role="member")
    )
    link = await link_for(service_with, "owner@example.org")
    refused = "/sign-in/with/google"
    for scheme, width in LOOKS:
        context = await chromium.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
        )
        page = await context.new_page()
        for path in ("/sign-in", "/sign-up", "/sign-in/reset", link, sign_in.path_of(invite), "/sign-in/gone", refused):
            await page.goto(service_with.url + path)
            found += [f"{path} {scheme} {width}: {each}" for each in await violations(page, axe)]
        issuer.person["email_verified"] = True
        await page.goto(service_with.url + refused)
        await page.goto(f"{service_with.url}/dashboard/settings")
        found += [f"settings {scheme} {width}: {each}" for each in await violations(page, axe)]
        await page.route("**/login/oauth/authorize**", lambda route: route.fulfill(status=204))
        await page.get_by_role("button", name="Connect GitHub").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("On to GitHub")
        found += [f"on to the issuer {scheme} {width}: {each}" for each in await violations(page, axe)]
        issuer.person["email_verified"] = False
        await context.close()
    assert found == []
