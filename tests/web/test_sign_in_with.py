"""Signing in by an issuer's word: who comes in, who does not, and every answer that is not to be believed."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from joserfc.jwk import RSAKey
from tests.oauth.client import register, said
from tests.peers import github, openid
from tests.peers.github import GitHubPeer
from tests.peers.openid import OpenIdPeer, settings_of
from tests.service import Service, serving
from tests.web.browser import PASSWORD, give_password, signed_in, stranger

from limner.accounts import identities, sign_in, users
from limner.config import BadConfiguration, Config
from limner.credits import ledger
from limner.db.base import Transaction
from limner.db.types import now

Changes = dict[str, Any]


@pytest.fixture
def issuer() -> Iterator[OpenIdPeer]:
    with OpenIdPeer() as peer:
        yield peer


@asynccontextmanager
async def open_service(tmp_path: Path, database_url: str, *peers: OpenIdPeer, **env: str) -> AsyncIterator[Service]:
    """Whoever an issuer vouches for may make an account; the second issuer is called `second`."""
    settings = {"LIMNER_SIGNUP": "open"}
    for name, peer in zip(("", "SECOND"), peers, strict=False):
        settings |= settings_of(peer, name)
    async with serving(tmp_path, database_url, env=settings | env) as service:
        yield service


@pytest.fixture
async def service_with(tmp_path: Path, database_url: str, issuer: OpenIdPeer) -> AsyncIterator[Service]:
    async with open_service(tmp_path, database_url, issuer) as service:
        yield service


async def come(browser: httpx2.AsyncClient, path: str = "/sign-in/with/oidc") -> httpx2.Response:
    """Out to the issuer and back, to the page it ends on."""
    return await browser.get(path)


async def way_back(browser: httpx2.AsyncClient, path: str = "/sign-in/with/oidc") -> str:
    """Out to the issuer; the address it sends the browser back to, not yet opened."""
    asked = await browser.get(path, follow_redirects=False)
    answered = await browser.get(asked.headers["location"], follow_redirects=False)
    return answered.headers["location"]


async def user(service: Service, email: str) -> users.User | None:
    return await service.services.database.read(lambda tx: users.find(tx, email))


async def balance_of(service: Service, email: str) -> int:
    def read(tx: Transaction) -> int:
        found = users.find(tx, email)
        assert found is not None
        return ledger.balance(tx, users.memberships(tx, found.id)[0].account_id).available

    return await service.services.database.read(read)


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


# --- answers that are not believed ------------------------------------------------------------------------


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


# --- connecting while signed in ---------------------------------------------------------------------------


async def go_on(browser: httpx2.AsyncClient, page: httpx2.Response) -> httpx2.Response:
    """What a browser does with the page between the settings and the issuer."""
    assert page.status_code == 200
    return await browser.get(page.headers["refresh"].partition("url=")[2])


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


# --- GitHub -----------------------------------------------------------------------------------------------


@pytest.fixture
def octocat() -> Iterator[GitHubPeer]:
    with GitHubPeer() as peer:
        yield peer


async def test_github_vouches_by_its_api(tmp_path: Path, database_url: str, octocat: GitHubPeer) -> None:
    env = github.settings_of(octocat) | {"LIMNER_SIGNUP": "open"}
    async with serving(tmp_path, database_url, env=env) as service:
        async with stranger(service) as browser:
            assert "Continue with GitHub" in (await browser.get("/sign-in")).text
            assert (await come(browser, "/sign-in/with/github")).url.path == "/dashboard"
            assert "@octocat" in (await browser.get("/dashboard/settings")).text
        mona = await user(service, "mona@example.org")
        assert mona is not None
        assert mona.name == "Mona"
        octocat.user["login"] = "renamed"
        async with stranger(service) as browser:
            assert (await come(browser, "/sign-in/with/github")).url.path == "/dashboard"


@pytest.mark.parametrize(
    ("emails", "status"),
    [
        ([{"email": "mona@example.org", "primary": True, "verified": False}], 403),
        ([{"email": "mona@example.org", "primary": False, "verified": True}], 403),
        ([], 403),
        ({"message": "odd"}, 403),
        ([{"email": "owner@example.org", "primary": True, "verified": True}], 403),
        ([{"email": "not an address", "primary": True, "verified": True}], 400),
    ],
)
async def test_github_without_a_confirmed_address_makes_nobody(
    tmp_path: Path, sqlite_url: str, octocat: GitHubPeer, emails: Any, status: int
) -> None:
    octocat.emails = emails
    env = github.settings_of(octocat) | {"LIMNER_SIGNUP": "open"}
    async with serving(tmp_path, sqlite_url, env=env) as service, stranger(service) as browser:
        assert (await come(browser, "/sign-in/with/github")).status_code == status
        assert await user(service, "mona@example.org") is None


@pytest.mark.parametrize("person", [{"id": None}, {"id": "583231"}, {"id": True}, {"login": None}], ids=str)
async def test_github_has_to_say_who_it_is(
    tmp_path: Path, sqlite_url: str, octocat: GitHubPeer, person: Changes
) -> None:
    octocat.user |= person
    env = github.settings_of(octocat) | {"LIMNER_SIGNUP": "open"}
    async with serving(tmp_path, sqlite_url, env=env) as service, stranger(service) as browser:
        assert (await come(browser, "/sign-in/with/github")).status_code == 401


# --- settings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"LIMNER_OIDC_CLIENT_ID": "x"}, "LIMNER_OIDC_ISSUER is needed"),
        ({"LIMNER_OIDC_GOOGLE_CLIENT_SECRET": "x"}, "LIMNER_OIDC_GOOGLE_CLIENT_ID is needed"),
        ({"LIMNER_OIDC_GITHUB_CLIENT_ID": "x"}, "LIMNER_OIDC_GITHUB_CLIENT_SECRET is needed"),
        ({"LIMNER_OIDC_ISSUER": "http://id.example.org", "LIMNER_OIDC_CLIENT_ID": "x"}, "must be an https:// address"),
        ({"LIMNER_OIDC_ISSUER": "nonsense", "LIMNER_OIDC_CLIENT_ID": "x"}, "must be an http"),
        ({"LIMNER_OIDC_GOOGLE_CLIENTID": "x"}, "is not a setting"),
        ({"LIMNER_OIDC_GOOGLE_CLIENT_ID": "x", "LIMNER_OIDC_GOOGLE_SCOPES": "email"}, "must hold openid"),
    ],
)
def test_settings_that_cannot_work_stop_the_start_with_a_sentence(env: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadConfiguration, match=sentence):
        Config.from_env(env, port=1)


def test_issuers_are_read_from_the_environment_and_from_files(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    config = Config.from_env(
        {
            "LIMNER_OIDC_OUR_OWN_ISSUER": "https://id.example.org/realms/one",
            "LIMNER_OIDC_OUR_OWN_CLIENT_ID": "limner",
            "LIMNER_OIDC_OUR_OWN_LABEL": "Our own",
            "LIMNER_OIDC_GITHUB_CLIENT_ID": "gh",
            "LIMNER_OIDC_GITHUB_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
            "LIMNER_OIDC_GOOGLE_CLIENT_ID": "go",
        },
        port=1,
    )
    assert [(each.id, each.name, each.issuer, each.secret) for each in config.issuers] == [
        ("google", "Google", "https://accounts.google.com", None),
        ("github", "GitHub", "https://github.com", "from a file"),
        ("our-own", "Our own", "https://id.example.org/realms/one", None),
    ]
    assert "from a file" not in repr(config)


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
