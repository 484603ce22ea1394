"""Signing in and out: links, passwords, sessions, forged forms, strangers who try."""

import asyncio
from pathlib import Path

import pytest
from tests.service import Service, serving
from tests.web.browser import PASSWORD, follow, give_password, link_for, signed_in, stranger

from limner.accounts import sessions, sign_in, users
from limner.db.types import now


async def test_a_one_time_link_signs_in_once_and_looking_does_not_use_it(any_service: Service) -> None:
    path = await link_for(any_service, "owner@example.org")
    async with stranger(any_service) as browser:
        looked = [await browser.get(path) for _ in range(3)]
        first = await follow(browser, path)
        second = await follow(browser, path)
    assert {page.status_code for page in looked} == {200}
    assert (first.status_code, first.url.path) == (200, "/dashboard")
    assert second.status_code == 404


async def test_of_many_who_follow_a_link_at_once_one_gets_in(any_service: Service) -> None:
    path = await link_for(any_service, "owner@example.org")
    async with stranger(any_service) as browser:
        browser.follow_redirects = False
        answers = await asyncio.gather(*(follow(browser, path) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [303, *[404] * 9]


async def test_the_first_start_makes_an_administrator_and_only_the_first(any_service: Service) -> None:
    database = any_service.services.database
    secret = await database.write(lambda tx: sign_in.make(tx, "first-start", now()))
    path = sign_in.path_of(secret)
    async with stranger(any_service) as browser:
        page = await follow(browser, path, email="me@example.org", password=PASSWORD)
    assert page.status_code == 404  # there is a user already
    assert await database.write(lambda tx: sign_in.first_start_link(tx, now())) is None


async def test_a_password_signs_in_and_its_change_signs_others_out(service: Service) -> None:
    await give_password(service)
    async with stranger(service) as browser:
        page = await browser.post("/sign-in", data={"email": "Owner@Example.org", "password": PASSWORD})
        assert page.url.path == "/dashboard"
        await give_password(service, password="another good password")
        page = await browser.get("/dashboard")
    assert page.url.path == "/sign-in"


async def test_a_wrong_password_and_an_unknown_address_read_the_same(service: Service) -> None:
    await give_password(service)
    async with stranger(service) as browser:
        wrong = await browser.post("/sign-in", data={"email": "owner@example.org", "password": "no"})
        unknown = await browser.post("/sign-in", data={"email": "nobody@example.org", "password": "no"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("owner@example.org", "X") == unknown.text.replace("nobody@example.org", "X")


async def test_guessing_is_slowed_down(service: Service) -> None:
    async with stranger(service) as browser:
        answers = [await browser.post("/sign-in", data={"email": "a@b.example", "password": "x"}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_a_form_from_another_site_is_refused(service: Service) -> None:
    async with signed_in(service) as browser:
        forged = [
            await browser.post("/sign-out", headers={"Origin": "https://evil.example"}),
            await browser.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"}),
            await browser.post("/sign-out", headers={"Origin": "null"}),
        ]
        still = await browser.get("/dashboard")
    assert [answer.status_code for answer in forged] == [403, 403, 403]
    assert still.url.path == "/dashboard"


async def test_signing_out_ends_the_session_on_the_server(service: Service) -> None:
    async with signed_in(service) as browser, signed_in(service) as other:
        cookies = dict(browser.cookies)
        await browser.post("/sign-out")
        browser.cookies.update(cookies)
        assert (await browser.get("/dashboard")).url.path == "/sign-in"
        assert (await other.get("/dashboard")).url.path == "/dashboard"
        await other.post("/sign-out/everywhere")
        assert (await other.get("/dashboard")).url.path == "/sign-in"


@pytest.mark.parametrize(
    "change", ["UPDATE users SET disabled_at = 1", "DELETE FROM memberships", "UPDATE accounts SET status = 'deleted'"]
)
async def test_the_session_of_a_removed_user_is_over_at_once(service: Service, change: str) -> None:
    async with signed_in(service) as browser:
        await service.services.database.write(lambda tx: tx.execute(change))
        assert (await browser.get("/dashboard")).url.path == "/sign-in"


async def test_somebody_who_belongs_to_no_account_hears_so_however_they_come(service: Service) -> None:
    await give_password(service)
    path = await link_for(service, "owner@example.org")
    await service.services.database.write(lambda tx: tx.execute("DELETE FROM memberships"))
    async with stranger(service) as browser:
        by_password = await browser.post("/sign-in", data={"email": "owner@example.org", "password": PASSWORD})
        by_link = await follow(browser, path)
    for page in (by_password, by_link):
        assert (page.status_code, "belong to no account" in page.text) == (400, True)


@pytest.mark.parametrize("onward", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_signing_in_leads_to_our_own_pages_only(service: Service, onward: str) -> None:
    await give_password(service)
    async with stranger(service) as browser:
        browser.follow_redirects = False
        fields = {"email": "owner@example.org", "password": PASSWORD, "next": onward}
        answer = await browser.post("/sign-in", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dashboard")


async def test_the_cookie_is_kept_from_scripts_and_other_sites(tmp_path: Path, sqlite_url: str) -> None:
    async with (
        serving(tmp_path, sqlite_url, env={"LIMNER_PUBLIC_URL": "https://images.example.org"}) as service,
        stranger(service, Origin="https://images.example.org") as browser,
    ):
        browser.follow_redirects = False
        answer = await follow(browser, await link_for(service, "owner@example.org"))
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-limner=")
    assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))


async def test_sign_up_is_closed_unless_opened(tmp_path: Path, sqlite_url: str, service: Service) -> None:
    async with stranger(service) as browser:
        closed = await browser.post("/sign-up", data={"email": "new@example.org", "password": PASSWORD})
    assert closed.status_code == 403


async def test_open_sign_up_gives_credits_only_for_a_proved_address(tmp_path: Path, sqlite_url: str) -> None:
    async with serving(tmp_path, sqlite_url, env={"LIMNER_SIGNUP": "open"}) as service, stranger(service) as browser:
        fields = {"email": "new@example.org", "password": PASSWORD}
        new = await browser.post("/sign-up", data=fields)
        known = await browser.post("/sign-up", data=fields | {"email": "owner@example.org"})
        page = await browser.post("/sign-in", data=fields)
        assert new.text == known.text
        assert page.url.path == "/dashboard"
        assert '<b class="num">0</b> credits' in page.text
        database = service.services.database
        user = await database.read(lambda tx: users.find(tx, "new@example.org"))
        assert user is not None
        secret = await database.write(lambda tx: sign_in.make(tx, "verify", now(), email=user.email, user_id=user.id))
        page = await follow(browser, sign_in.path_of(secret))
    assert '<b class="num">100</b> credits' in page.text


async def test_sessions_are_found_by_their_secret_alone(service: Service) -> None:
    database = service.services.database
    user = await database.read(lambda tx: users.find(tx, "owner@example.org"))
    assert user is not None
    secret = await database.write(lambda tx: sessions.begin(tx, user.id, now()))
    assert await database.read(lambda tx: sessions.find(tx, secret, now())) is not None
    assert await database.read(lambda tx: sessions.find(tx, secret[:-1], now())) is None
    assert await database.read(lambda tx: sessions.find(tx, secret, now() + sessions.LIFETIME)) is None
