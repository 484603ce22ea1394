"""An issuer's answers that are not to be believed, and issuers that fail."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from joserfc.jwk import RSAKey
from tests.peers import openid
from tests.peers.openid import OpenIdPeer, settings_of
from tests.service import Service, serving
from tests.web.browser import stranger
from tests.web.issuers import come, open_service, user, way_back

from limner.db.types import now

Changes = dict[str, Any]


LONG_AGO, FAR_AHEAD = 1_000_000_000, 4_000_000_000
"""Seconds since 1970, fixed: test processes collect the same tests."""


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another client"},
        {"aud": None},
        {"aud": ["another client", openid.CLIENT_ID]},
        {"azp": "another client"},
        {"iss": "https://accounts.example.org"},
        {"iss": None},
        {"exp": LONG_AGO},
        {"exp": None},
        {"nbf": FAR_AHEAD},
        {"iat": FAR_AHEAD},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
    ],
    ids=str,
)
async def test_an_id_token_with_a_wrong_claim_lets_nobody_in(
    tmp_path: Path, sqlite_url: str, issuer: OpenIdPeer, changes: Changes
) -> None:
    issuer.changes = changes
    async with open_service(tmp_path, sqlite_url, issuer) as service, stranger(service) as browser:
        page = await come(browser)
        assert (page.status_code, "answer cannot be used" in page.text) == (401, True)
        assert await user(service, "ada@example.org") is None


def unsigned(peer: OpenIdPeer) -> None:
    peer.algorithm = "none"


def confused(peer: OpenIdPeer) -> None:
    peer.algorithm = "HS256"


def forged(peer: OpenIdPeer) -> None:
    peer.forger = RSAKey.generate_key(2048, {"kid": peer.key.kid or ""})


def mixed_up(peer: OpenIdPeer) -> None:
    peer.answers_as = "https://accounts.example.org"


def silent(peer: OpenIdPeer) -> None:
    peer.person["sub"] = "person-2"
    peer.person_apart, peer.changes = True, {"sub": "person-1"}


@pytest.mark.parametrize("lie", [unsigned, confused, forged, mixed_up, silent])
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_a_forged_answer_lets_nobody_in(
    tmp_path: Path, sqlite_url: str, issuer: OpenIdPeer, lie: Callable[[OpenIdPeer], None]
) -> None:
    lie(issuer)
    async with open_service(tmp_path, sqlite_url, issuer) as service, stranger(service) as browser:
        assert (await come(browser)).status_code == 401
        assert await user(service, "ada@example.org") is None


async def test_an_answer_counts_once_and_only_in_the_browser_that_asked(service_with: Service) -> None:
    async with stranger(service_with) as browser, stranger(service_with) as other:
        back = await way_back(browser)
        await way_back(other)
        assert (await other.get(back)).status_code == 400
        async with stranger(service_with) as nobody:
            assert (await nobody.get(back)).status_code == 400
        assert (await browser.get(back)).url.path == "/dashboard"
        await browser.post("/sign-out")
        assert (await browser.get(back)).status_code == 400
        assert (await browser.get(urlsplit(back).path)).status_code == 400


async def test_a_code_that_was_used_is_refused_by_the_issuer_and_here(
    service_with: Service, issuer: OpenIdPeer
) -> None:
    async with stranger(service_with) as thief, stranger(service_with) as browser:
        stolen = await way_back(browser)
        own = await way_back(thief)
        state = own.split("state=")[1].split("&")[0]
        code = stolen.split("code=")[1].split("&")[0]
        # the victim's code with the thief's own state: the verifier does not fit
        page = await thief.get(f"{urlsplit(own).path}?state={state}&code={code}")
        assert page.status_code == 401


async def test_an_answer_for_one_issuer_is_worth_nothing_to_another(tmp_path: Path, sqlite_url: str) -> None:
    with OpenIdPeer() as honest, OpenIdPeer() as evil:
        async with open_service(tmp_path, sqlite_url, honest, evil) as service, stranger(service) as browser:
            back = await way_back(browser)
            elsewhere = back.replace("/with/oidc/", "/with/second/")
            assert (await browser.get(elsewhere)).status_code == 400
            assert [request.path for request in evil.received if request.path == "/token"] == []
            # the same subject of another issuer is another person
            assert (await browser.get(back)).url.path == "/dashboard"
            evil.person["email"] = "eve@example.org"
            async with stranger(service) as other:
                assert (await come(other, "/sign-in/with/second")).url.path == "/dashboard"
                assert "eve@example.org" in (await other.get("/dashboard/settings")).text


async def test_a_question_is_over_after_a_quarter_of_an_hour(tmp_path: Path, sqlite_url: str) -> None:
    ahead = timedelta()

    def clock() -> datetime:
        return now() + ahead

    with OpenIdPeer() as peer:
        env = settings_of(peer) | {"LIMNER_SIGNUP": "open"}
        async with serving(tmp_path, sqlite_url, env=env, clock=clock) as service, stranger(service) as browser:
            back = await way_back(browser)
            ahead = timedelta(minutes=16)
            assert (await browser.get(back)).status_code == 400


async def test_clocks_may_differ_by_two_minutes(service_with: Service, issuer: OpenIdPeer) -> None:
    issuer.changes = {"iat": int(time.time()) + 90, "nbf": int(time.time()) + 90, "exp": int(time.time()) - 30}
    async with stranger(service_with) as browser:
        assert (await come(browser)).url.path == "/dashboard"


async def test_keys_that_were_rotated_are_read_again_but_not_for_every_stranger(
    tmp_path: Path, sqlite_url: str, issuer: OpenIdPeer
) -> None:
    ahead = timedelta()

    def clock() -> datetime:
        return now() + ahead

    env = settings_of(issuer) | {"LIMNER_SIGNUP": "open"}
    async with serving(tmp_path, sqlite_url, env=env, clock=clock) as service:
        async with stranger(service) as browser:
            assert (await come(browser)).url.path == "/dashboard"
        issuer.rotate()
        issuer.changes = {"exp": int(time.time()) + 600}
        ahead = timedelta(seconds=40)
        for _ in range(2):
            async with stranger(service) as browser:
                assert (await come(browser)).url.path == "/dashboard"
        forged(issuer)
        for _ in range(3):
            async with stranger(service) as browser:
                assert (await come(browser)).status_code == 401
    assert len([request for request in issuer.received if request.path == "/keys"]) == 2


@pytest.mark.parametrize("fault", ["html", "garbage", "truncated", "redirect"])
async def test_an_issuer_that_fails_costs_a_sentence_and_no_more(
    tmp_path: Path, sqlite_url: str, issuer: OpenIdPeer, fault: str
) -> None:
    async with open_service(tmp_path, sqlite_url, issuer) as service, stranger(service) as browser:
        issuer.fail(fault)
        page = await come(browser)
        assert (page.status_code, "cannot be reached just now" in page.text) == (503, True)
        assert (await come(browser)).url.path == "/dashboard"


async def test_metadata_of_another_issuer_is_not_used(tmp_path: Path, sqlite_url: str, issuer: OpenIdPeer) -> None:
    with OpenIdPeer() as other:
        env = settings_of(issuer) | {"LIMNER_OIDC_ISSUER": other.origin.replace("127.0.0.1", "localhost")}
        async with serving(tmp_path, sqlite_url, env=env) as service, stranger(service) as browser:
            assert (await come(browser)).status_code == 503


async def test_somebody_who_declines_hears_so(service_with: Service, issuer: OpenIdPeer) -> None:
    issuer.declines = "access_denied"
    async with stranger(service_with) as browser:
        page = await come(browser, "/sign-in/with/oidc?next=/dashboard/usage")
    assert (page.status_code, "You were not signed in" in page.text) == (401, True)
    assert 'name="next" value="/dashboard/usage"' in page.text


async def test_signing_in_by_an_issuer_leads_to_our_own_pages_only(service_with: Service) -> None:
    async with stranger(service_with) as browser:
        assert (await come(browser, "/sign-in/with/oidc?next=//evil.example")).url.path == "/dashboard"
    async with stranger(service_with) as browser:
        assert (await browser.get("/sign-in/with/nobody")).status_code == 404


async def test_asking_issuers_is_limited_by_address(service_with: Service) -> None:
    async with stranger(service_with) as browser:
        answers = [await browser.get("/sign-in/with/oidc", follow_redirects=False) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [303] * 20 + [429]
