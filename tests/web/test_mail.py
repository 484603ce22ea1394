"""Links by mail: sign-in, sign-up, forgotten passwords; strangers learn nothing from any of them."""

import re
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from tests.peers.smtp import MailServer, mail_server
from tests.service import Service, serving
from tests.web.browser import PASSWORD, follow, stranger


@pytest.fixture
async def post() -> AsyncIterator[MailServer]:
    async with mail_server() as peer:
        yield peer


@pytest.fixture
async def mailing(tmp_path: Path, sqlite_url: str, post: MailServer) -> AsyncIterator[Service]:
    env = {"LIMNER_SMTP_URL": post.url, "LIMNER_SIGNUP": "open"}
    async with serving(tmp_path, sqlite_url, env=env) as service:
        yield service


async def test_a_link_by_mail_signs_in_and_strangers_get_the_same_page(mailing: Service, post: MailServer) -> None:
    async with stranger(mailing) as browser:
        fields = {"email": "nobody@example.org", "way": "link"}
        unknown = await browser.post("/sign-in", data=fields)
        known = await browser.post("/sign-in", data=fields | {"email": "owner@example.org"})
        letter = await post.letter()
        page = await follow(browser, _path(letter, mailing))
    assert unknown.text.replace("nobody@", "owner@") == known.text
    assert letter["to"] == "owner@example.org"
    assert post.is_empty
    assert page.url.path == "/dashboard"


async def test_a_new_address_is_proved_before_there_is_an_account_or_a_credit(
    mailing: Service, post: MailServer
) -> None:
    async with stranger(mailing) as browser:
        new = await browser.post("/sign-up", data={"email": "new@example.org"})
        path = _path(await post.letter(), mailing)
        known = await browser.post("/sign-up", data={"email": "owner@example.org"})
        await post.letter()
        count = await mailing.services.database.read(lambda tx: tx.scalar("SELECT count(*) FROM users"))
        page = await follow(browser, path, password=PASSWORD)
    assert new.text == known.text
    assert count == 1
    assert '<b class="num">100</b> credits' in page.text


async def test_a_forgotten_password_is_chosen_anew_by_mail(mailing: Service, post: MailServer) -> None:
    async with stranger(mailing) as browser:
        await browser.post("/sign-in/reset", data={"email": "owner@example.org"})
        await follow(browser, _path(await post.letter(), mailing), password=PASSWORD)
        await browser.post("/sign-out")
        page = await browser.post("/sign-in", data={"email": "owner@example.org", "password": PASSWORD})
    assert page.url.path == "/dashboard"


def _path(letter: EmailMessage, service: Service) -> str:
    found = re.search(re.escape(service.url) + r"(/sign-in/\S+)", letter.get_content())
    assert found is not None
    return found[1]
