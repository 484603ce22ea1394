"""What is mailed: links to sign in, of which strangers learn nothing, and the notice of a low balance."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from tests.peers.smtp import MailServer, mail_server
from tests.service import Service, serving
from tests.web.browser import PASSWORD, follow, stranger

from limner.accounts import low_balance
from limner.accounts.low_balance import TRIED_AGAIN_AFTER, LowBalanceMail, Notice
from limner.credits import ledger
from limner.db.base import Transaction
from limner.db.types import now
from limner.mail.smtp import Smtp


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


@pytest.mark.parametrize("way", ["/sign-in", "/sign-up"])
async def test_a_link_by_mail_leads_on_to_where_its_reader_wanted_to_go(
    mailing: Service, post: MailServer, way: str
) -> None:
    """A client's question waits at the address one is sent to sign in from; the letter must not lose it."""
    async with stranger(mailing) as browser:
        asked = await browser.get("/dashboard/usage?by=key")
        assert 'name="next" value="/dashboard/usage?by=key"' in asked.text
        assert 'href="/sign-up?next=/dashboard/usage%3Fby%3Dkey"' in asked.text
        email = "owner@example.org" if way == "/sign-in" else "new@example.org"
        await browser.post(way, data={"email": email, "way": "link", "next": "/dashboard/usage?by=key"})
        page = await follow(browser, _path(await post.letter(), mailing), password=PASSWORD)
    assert (page.url.path, page.url.query) == ("/dashboard/usage", b"by=key")


async def test_a_letter_leads_to_no_other_site(mailing: Service, post: MailServer) -> None:
    async with stranger(mailing) as browser:
        fields = {"email": "owner@example.org", "way": "link", "next": "//evil.example/"}
        await browser.post("/sign-in", data=fields)
        path = _path(await post.letter(), mailing)
        page = await follow(browser, f"{path}?next=//evil.example/")
    assert "evil" not in path
    assert str(page.url) == f"{mailing.url}/dashboard"


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


async def test_a_low_balance_is_mailed_once_for_each_fall_below_the_line(mailing: Service, post: MailServer) -> None:
    await low_line(mailing, 99)
    await mailing.generate(prompt="to 99")
    await mailing.generate(prompt="to 98: below")
    letter = await post.letter()
    assert (letter["to"], letter["subject"]) == ("owner@example.org", "Your Limner credits run low")
    assert "below 99 credits: 98 left" in letter.get_content()
    await mailing.generate(prompt="to 97: still below")
    await grant(mailing, 2)
    await mailing.generate(prompt="from 99 to 98: below again")
    assert "98 left" in (await post.letter()).get_content()
    assert post.is_empty


async def test_no_letter_is_sent_where_it_is_not_wanted_or_no_longer_true(mailing: Service, post: MailServer) -> None:
    letters = await low_balance_mail(mailing)
    await low_line(mailing, 100, by_mail=False)
    await mailing.generate(prompt="to 99: below, and nobody wants to be told")
    await letters.send_due()
    await low_line(mailing, 99)
    await mailing.services.database.write(lambda tx: fall_and_rise(tx, mailing.account_id))
    await letters.send_due()
    assert post.is_empty


async def test_a_letter_the_mail_server_refused_is_sent_later(service: Service, post: MailServer) -> None:
    clock = Clock()
    letters = LowBalanceMail(
        database=service.services.database,
        mailer=Smtp("smtp://127.0.0.1:9", public_host="h"),
        public_url="",
        clock=clock,
    )
    await low_line(service, 100)
    await service.generate(prompt="to 99: below")
    await letters.send_due()
    letters = LowBalanceMail(
        database=service.services.database, mailer=Smtp(post.url, public_host="h"), public_url="", clock=clock
    )
    await letters.send_due()
    assert post.is_empty
    clock.moment += TRIED_AGAIN_AFTER
    await letters.send_due()
    assert "99 left" in (await post.letter()).get_content()
    await letters.send_due()
    assert post.is_empty


class Clock:
    def __init__(self) -> None:
        self.moment = now() + timedelta(minutes=1)

    def __call__(self) -> datetime:
        return self.moment


async def low_line(service: Service, credits: int, *, by_mail: bool = True) -> None:
    notice = Notice(credits, by_mail)
    await service.services.database.write(lambda tx: low_balance.change(tx, service.account_id, notice))


async def grant(service: Service, credits: int) -> None:
    entry = ledger.Entry("More")
    await service.services.database.write(lambda tx: ledger.add(tx, service.account_id, credits, "grant", entry, now()))


async def low_balance_mail(service: Service) -> LowBalanceMail:
    mailer = service.services.mailer
    assert mailer is not None
    return LowBalanceMail(
        database=service.services.database, mailer=mailer, public_url=service.url, clock=service.services.clock
    )


def fall_and_rise(tx: Transaction, account_id: str) -> None:
    """Below the line and above it again before anybody was told."""
    ledger.add(tx, account_id, -5, "adjustment", ledger.Entry("A mistake"), now())
    assert low_balance.fell(tx, account_id, by_credits=5, now=now()) is not None
    ledger.add(tx, account_id, 5, "adjustment", ledger.Entry("Mended"), now())
