"""The life of an account in a real browser: sign up by mail, pictures, a friend, a new password, everything taken out, gone."""

import re
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Download, Page, expect
from tests.peers.smtp import MailServer, mail_server
from tests.service import SKETCH, Service, serving
from tests.web.browser import PASSWORD
from tests.web.chromium import chromium  # noqa: F401

NEW, FRIEND = "new@example.org", "friend@example.org"
HELD_AGAIN = f"{PASSWORD}, another"


@pytest.fixture
async def post() -> AsyncIterator[MailServer]:
    async with mail_server() as peer:
        yield peer


@pytest.fixture
async def mailing(tmp_path: Path, sqlite_url: str, post: MailServer) -> AsyncIterator[Service]:
    env = {"LIMNER_SMTP_URL": post.url, "LIMNER_SIGNUP": "open"}
    async with serving(tmp_path, sqlite_url, env=env) as service:
        yield service


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_from_signing_up_by_mail_to_a_deleted_account(
    mailing: Service,
    post: MailServer,
    chromium: Browser,  # noqa: F811
) -> None:
    page = await (await chromium.new_context(viewport={"width": 1280, "height": 860})).new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Content Security" in message.text else None)
    await _sign_up(mailing, post, page)
    secret = await _make_key_with_a_slip(mailing, page)
    await _make_pictures(mailing, secret)
    await _take_two_as_zip_and_delete_one(mailing, page)
    await _invite(mailing, post, chromium, page)
    await _forget_the_password(mailing, post, page)
    await _take_everything_and_go(mailing, page)
    async with mailing.client(secret) as client:
        assert (await client.get("/api/v1/account")).status_code == 401
    assert problems == []


async def _sign_up(service: Service, post: MailServer, page: Page) -> None:
    await page.goto(f"{service.url}/sign-up")
    await page.fill("#email", NEW)
    await page.get_by_role("button", name="Make an account").click()
    await expect(page.get_by_role("heading", name="Look into your mail")).to_be_visible()
    await page.goto(await _link(post))
    await page.fill("#password", PASSWORD)
    await page.get_by_role("button", name="Create account").click()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()


async def _make_key_with_a_slip(service: Service, page: Page) -> str:
    """What the server refuses is said in the dialog, where everything typed still stands."""
    await page.goto(f"{service.url}/dashboard/keys")
    await page.locator(".empty").get_by_role("link", name="Create key").click()
    await page.fill("#kn", "Laptop")
    await page.evaluate("document.querySelector('#kx').type = 'text'")
    await page.fill("#kx", "a lot")
    await page.get_by_role("button", name="Create key").click()
    await expect(page.get_by_role("alert")).to_contain_text("whole number")
    await expect(page.locator("#kn")).to_have_value("Laptop")
    await page.fill("#kx", "40")
    await page.get_by_role("button", name="Create key").click()
    return await page.locator("#new-key").inner_text()


async def _make_pictures(service: Service, secret: str) -> None:
    async with service.mcp(key=secret) as client:
        for prompt in ("dunes at noon", "dunes at dusk", "dunes by night"):
            result = await client.call_tool("generate_image", {"prompt": prompt, "modelId": SKETCH})
            assert not result.is_error


async def _take_two_as_zip_and_delete_one(service: Service, page: Page) -> None:
    await page.goto(f"{service.url}/dashboard/gallery")
    for number in range(2):
        await page.locator(".pick input").nth(number).check(force=True)
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download").click()
    assert len(await _names(await download.value)) == 2
    await page.get_by_role("button", name="Compare").click()
    await expect(page.locator(".compare figure")).to_have_count(2)
    await page.goto(f"{service.url}/dashboard/gallery")
    await page.locator(".pick input").first.check(force=True)
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Delete 1 image").click()
    await expect(page.locator(".frame")).to_have_count(2)


async def _invite(service: Service, post: MailServer, browser: Browser, page: Page) -> None:
    """A member sees the account's pictures, and none of what only owners may do."""
    await page.goto(f"{service.url}/dashboard/settings")
    await page.get_by_label("Invite").fill(FRIEND)
    await page.get_by_role("button", name="Make an invitation").click()
    await expect(page.locator(".secret code")).to_contain_text("/sign-in/")
    friend = await (await browser.new_context()).new_page()
    await friend.goto(await _link(post))
    await friend.fill("#password", PASSWORD)
    await friend.get_by_role("button", name="Join").click()
    await expect(friend.locator("img[alt='dunes at noon']").first).to_be_visible()
    await friend.goto(f"{service.url}/dashboard/settings")
    await expect(friend.get_by_role("heading", name="People")).to_be_visible()
    await expect(friend.get_by_text("Delete the account")).to_have_count(0)


async def _forget_the_password(service: Service, post: MailServer, page: Page) -> None:
    await page.get_by_role("button", name="Sign out", exact=True).first.click()
    await page.get_by_role("link", name="Forgot your password?").click()
    await page.fill("#email", NEW)
    await page.get_by_role("button", name="Mail the link").click()
    await page.goto(await _link(post))
    await page.fill("#password", HELD_AGAIN)
    await page.get_by_role("button", name="Save password").click()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()


async def _take_everything_and_go(service: Service, page: Page) -> None:
    await page.goto(f"{service.url}/dashboard/settings")
    async with page.expect_download() as download:
        await page.get_by_text("Export everything").click()
    names = await _names(await download.value)
    assert "ledger.jsonl" in names
    assert len([name for name in names if name.startswith("images/")]) == 2
    await page.get_by_text("Delete the account").click()
    await page.get_by_label(f"Type {NEW} to go on").fill(NEW)
    await page.get_by_role("button", name="Delete everything").click()
    await expect(page).to_have_url(f"{service.url}/")


async def _link(post: MailServer) -> str:
    letter = (await post.letter()).get_content()
    found = re.search(r"http://\S+/sign-in/\S+", letter)
    assert found is not None, letter
    return found[0]


async def _names(download: Download) -> list[str]:
    with zipfile.ZipFile(await download.path()) as archive:
        return archive.namelist()
