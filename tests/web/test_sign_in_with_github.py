"""GitHub vouches in its own way: by its API, with numbers for people."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.peers import github
from tests.peers.github import GitHubPeer
from tests.service import serving
from tests.web.browser import stranger
from tests.web.issuers import come, user


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
    tmp_path: Path, sqlite_url: str, octocat: GitHubPeer, person: dict[str, Any]
) -> None:
    octocat.user |= person
    env = github.settings_of(octocat) | {"LIMNER_SIGNUP": "open"}
    async with serving(tmp_path, sqlite_url, env=env) as service, stranger(service) as browser:
        assert (await come(browser, "/sign-in/with/github")).status_code == 401
