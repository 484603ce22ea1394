"""Signing in by an issuer's word: who comes in, who does not, and every answer that is not to be believed."""

from pathlib import Path
from typing import Any

import pytest
from tests.oauth.client import register, said
from tests.peers import openid
from tests.peers.openid import OpenIdPeer
from tests.service import Service
from tests.web.browser import PASSWORD, give_password, signed_in, stranger
from tests.web.issuers import balance_of, come, go_on, open_service, user

from limner.accounts import identities, sign_in, users
from limner.db.base import Transaction
from limner.db.types import now

Changes = dict[str, Any]


async def test_a_new_person_gets_an_account_with_credits_and_comes_back_to_it(
    service_with: Service, issuer: OpenIdPeer
) -> None:
    async with stranger(service_with) as browser:
        assert 'href="/sign-in/with/oidc?next=/dashboard"' in (await browser.get("/sign-in")).text
        assert 'href="/sign-in/with/oidc?next=/dashboard"' in (await browser.get("/sign-up")).text
        first = await come(browser)
    async with stranger(service_with) as browser:
        issuer.person["email"] = "moved@example.org"  # the subject stays, whatever the address becomes
        second = await come(browser, "/sign-in/with/oidc?next=/dashboard/keys")
    assert first.url.path == "/dashboard"
    assert '<b class="num">100</b> credits' in first.text
    assert second.url.path == "/dashboard/keys"
    ada = await user(service_with, "ada@example.org")
    assert ada is not None
    assert (ada.name, ada.is_verified, ada.is_admin) == ("Ada Lovelace", True, False)
    assert await user(service_with, "moved@example.org") is None


async def test_a_client_is_let_in_by_somebody_who_came_by_an_issuer(service_with: Service) -> None:
    client = await register(service_with)
    async with stranger(service_with) as browser:
        sent = await client.ask(browser)
        page = await browser.get(sent.headers["location"])
        way = page.text.split('href="/sign-in/with/oidc?next=')[1].split('"')[0]
        consent = await come(browser, f"/sign-in/with/oidc?next={way.replace('&amp;', '&')}")
        assert "Connect Test client?" in consent.text.replace('<span class="brk">', "").replace("</span>", "")
        answer = said(await client.answer(browser, consent))
    assert (await client.redeem(answer["code"])).status_code == 200


async def test_the_address_may_stand_in_the_user_info_alone(service_with: Service, issuer: OpenIdPeer) -> None:
    issuer.person_apart = True
    async with stranger(service_with) as browser:
        assert (await come(browser)).url.path == "/dashboard"
    assert await user(service_with, "ada@example.org") is not None


async def test_an_issuer_that_takes_secrets_in_the_form_gets_them_there(tmp_path: Path, sqlite_url: str) -> None:
    with OpenIdPeer(answers_post_alone=True, names_itself=True) as peer:
        async with open_service(tmp_path, sqlite_url, peer) as service, stranger(service) as browser:
            assert (await come(browser)).url.path == "/dashboard"


# --- who does not come in ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "words"), [("closed", "by whoever runs it"), ("invite", "by invitation")])
async def test_strangers_make_accounts_only_where_sign_up_is_open(
    tmp_path: Path, sqlite_url: str, issuer: OpenIdPeer, mode: str, words: str
) -> None:
    async with open_service(tmp_path, sqlite_url, issuer, LIMNER_SIGNUP=mode) as service:
        async with stranger(service) as browser:
            page = await come(browser)
            assert "/sign-in/with/" not in (await browser.get("/sign-up")).text
        assert (page.status_code, words in page.text) == (403, True)
        assert await user(service, "ada@example.org") is None


async def test_whoever_was_invited_joins_the_account_they_were_invited_to(
    tmp_path: Path, database_url: str, issuer: OpenIdPeer
) -> None:
    async with open_service(tmp_path, database_url, issuer, LIMNER_SIGNUP="closed") as service:
        async with signed_in(service) as owner:
            await owner.post("/dashboard/settings/invite", data={"email": "Ada@example.org", "role": "billing"})
        async with stranger(service) as browser:
            assert (await come(browser)).url.path == "/dashboard"
        ada = await user(service, "ada@example.org")
        assert ada is not None
        belongs = await service.services.database.read(lambda tx: users.memberships(tx, ada.id))
        assert [(each.account_id, each.role) for each in belongs] == [(service.account_id, "billing")]


async def test_an_address_alone_takes_over_nobody(service_with: Service, issuer: OpenIdPeer) -> None:
    for verified in (True, False, None, "yes", 1):
        issuer.person = {**openid.PERSON, "email": "owner@example.org", "email_verified": verified}
        async with stranger(service_with) as browser:
            page = await come(browser)
            assert page.status_code == 403
            assert ("There is an account" in page.text) is (verified is True)
            assert (await browser.get("/dashboard")).url.path == "/sign-in"
    owner = await user(service_with, "owner@example.org")
    assert owner is not None
    assert await service_with.services.database.read(lambda tx: identities.of_user(tx, owner.id)) == []


async def test_an_unconfirmed_address_learns_nothing_about_who_is_here(
    service_with: Service, issuer: OpenIdPeer
) -> None:
    pages = []
    for email in ("owner@example.org", "nobody@example.org"):
        issuer.person = {**openid.PERSON, "email": email, "email_verified": False}
        async with stranger(service_with) as browser:
            pages.append(await come(browser))
    assert pages[0].status_code == pages[1].status_code == 403
    assert pages[0].text == pages[1].text


async def test_a_removed_user_is_not_let_in_again(service_with: Service) -> None:
    async with stranger(service_with) as browser:
        await come(browser)
    await service_with.services.database.write(lambda tx: tx.execute("UPDATE users SET disabled_at = 1"))
    async with stranger(service_with) as browser:
        assert (await come(browser)).status_code == 403


async def test_a_signed_in_user_connects_an_issuer_and_signs_in_with_it_from_then_on(
    service_with: Service, issuer: OpenIdPeer
) -> None:
    issuer.person = {"sub": "person-9", "email": "work@corp.example", "email_verified": False}
    async with signed_in(service_with) as browser:
        settings = await go_on(browser, await browser.post("/dashboard/settings/identities/oidc/connect"))
        assert settings.url.path == "/dashboard/settings"
        assert "work@corp.example" in settings.text
    async with stranger(service_with) as browser:
        assert (await come(browser)).url.path == "/dashboard"
        assert "owner@example.org" in (await browser.get("/dashboard/settings")).text
        fields = {"issuer": issuer.issuer, "subject": "person-9"}
        refused = await browser.post("/dashboard/settings/identities/disconnect", data=fields)
        assert (refused.status_code, "only way to sign in" in refused.text) == (400, True)
        await give_password(service_with)
    async with stranger(service_with) as browser:
        await browser.post("/sign-in", data={"email": "owner@example.org", "password": PASSWORD})
        settings = await browser.post("/dashboard/settings/identities/disconnect", data=fields)
        assert "work@corp.example" not in settings.text
        assert (await browser.post("/dashboard/settings/identities/disconnect", data=fields)).status_code == 404
    async with stranger(service_with) as browser:
        assert (await come(browser)).status_code == 403


async def test_connecting_cannot_be_forced_nor_finished_by_somebody_else(service_with: Service) -> None:
    connect = "/dashboard/settings/identities/oidc/connect"
    async with signed_in(service_with) as browser, stranger(service_with) as other:
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await browser.post(connect, headers=headers)).status_code == 403
        assert (await other.post(connect)).url.path == "/sign-in"
        going = await browser.post(connect)
        answered = await other.get(going.headers["refresh"].partition("url=")[2], follow_redirects=False)
        back = answered.headers["location"]
        assert (await other.get(back)).status_code == 400
        await browser.post("/sign-out")
        assert (await browser.get(back)).status_code == 403


async def test_an_identity_belongs_to_one_user(service_with: Service) -> None:
    async with stranger(service_with) as browser:
        await come(browser)
    async with signed_in(service_with) as browser:
        taken = await go_on(browser, await browser.post("/dashboard/settings/identities/oidc/connect"))
    assert (taken.status_code, "connected to another user" in taken.text) == (400, True)


async def test_connecting_proves_an_address_that_nobody_had_confirmed_and_nothing_else_does(
    service_with: Service, issuer: OpenIdPeer
) -> None:
    """Somebody may have made an account for an address that is not theirs, and wait for its owner."""
    connect = "/dashboard/settings/identities/oidc/connect"
    async with stranger(service_with) as browser:
        fields = {"email": "ada@example.org", "password": PASSWORD}
        await browser.post("/sign-up", data=fields)
        await browser.post("/sign-in", data=fields)
        issuer.person = {"sub": "squatter", "email": "eve@example.org", "email_verified": True}
        refused = await go_on(browser, await browser.post(connect))
        assert refused.status_code == 400
        issuer.person = dict(openid.PERSON)
        assert (await go_on(browser, await browser.post(connect))).url.path == "/dashboard/settings"
    assert await balance_of(service_with, "ada@example.org") == 100


async def test_an_invitation_can_be_followed_by_an_issuer(service_with: Service) -> None:
    def make(tx: Transaction) -> str:
        return sign_in.make(
            tx, "invite", now(), email="ada@example.org", account_id=service_with.account_id, role="member"
        )

    path = sign_in.path_of(await service_with.services.database.write(make))
    async with stranger(service_with) as browser:
        assert "Continue with" in (await browser.get(path)).text
        await come(browser)
        assert (await browser.get(path)).status_code == 404
