"""Connecting without a key: from the first 401 to a picture, and every way it can end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from tests.oauth.client import ALL_SCOPES, call_mcp, register, said, ticket_of, whoami
from tests.service import Service, serving
from tests.web.browser import follow, signed_in, stranger

from limner.accounts import sign_in, users
from limner.app.background import sweep_expired
from limner.db.base import Transaction
from limner.db.types import now


@pytest.fixture
async def browser(any_service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    async with signed_in(any_service) as client:
        yield client


async def test_a_client_finds_its_way_from_the_first_refusal(service: Service) -> None:
    async with service.client() as http:
        for path in ("/api/mcp", "/getimages/api/mcp", "/image-mcp/api/mcp"):
            refused = await http.post(path, json={})
            challenge = refused.headers["www-authenticate"]
            metadata_url = f"{service.url}/.well-known/oauth-protected-resource{path}"
            assert refused.status_code == 401
            assert f'resource_metadata="{metadata_url}"' in challenge
            assert f'scope="{ALL_SCOPES}"' in challenge
            assert "error=" not in challenge
            about = (await http.get(metadata_url)).json()
            assert about["resource"] == f"{service.url}{path}"
            assert about["authorization_servers"] == [service.url]
        root = (await http.get("/.well-known/oauth-protected-resource")).json()
        assert root["resource"] == service.url
        server = (await http.get("/.well-known/oauth-authorization-server")).json()
        assert server == (await http.get("/.well-known/openid-configuration")).json()
        assert server == (await http.get("/.well-known/oauth-authorization-server/api/mcp")).json()
        assert server == (await http.get("/api/mcp/.well-known/openid-configuration")).json()
    assert server["issuer"] == service.url
    assert server["code_challenge_methods_supported"] == ["S256"]
    assert server["token_endpoint_auth_methods_supported"] == ["none"]
    assert server["authorization_response_iss_parameter_supported"] is True
    assert server["client_id_metadata_document_supported"] is False
    assert "keys:write" not in server["scopes_supported"]


async def test_only_a_token_that_was_sent_is_called_invalid(service: Service) -> None:
    refused = await whoami(service, "at_wrong")
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    assert (
        f'resource_metadata="{service.url}/.well-known/oauth-protected-resource"' in refused.headers["www-authenticate"]
    )


async def test_a_user_says_yes_and_the_client_makes_a_picture(
    any_service: Service, browser: httpx2.AsyncClient
) -> None:
    client = await register(any_service)
    page = await client.ask(browser)
    assert "Test client" in page.text
    assert "127.0.0.1" in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    answer = said(await client.answer(browser, page))
    assert (answer["state"], answer["iss"]) == ("s t/ä&te", any_service.url)
    tokens = (await client.redeem(answer["code"])).json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    assert set(tokens["scope"].split()) == set(ALL_SCOPES.split())
    async with any_service.mcp(key=tokens["access_token"]) as mcp:
        result = await mcp.call_tool("generate_image", {"prompt": "a red boat", "modelId": "limner:sketch"})
    assert not result.is_error
    listed = (await browser.get("/dashboard/connections")).text
    assert "Test client" in listed
    assert "1 credit" in listed


async def test_a_stranger_signs_in_first_and_comes_back(service: Service) -> None:
    client = await register(service)
    async with stranger(service) as browser:
        sent = await client.ask(browser)
    assert sent.status_code == 303
    assert sent.headers["location"].startswith("/sign-in?next=%2Foauth%2Fauthorize%3F")


async def test_the_cap_the_user_sets_holds(any_service: Service, browser: httpx2.AsyncClient) -> None:
    client = await register(any_service)
    code = await client.code(browser, answer={"cap": "1", "period": "day"})
    token = (await client.redeem(code)).json()["access_token"]
    async with any_service.mcp(key=token) as mcp:
        first = await mcp.call_tool("generate_image", {"prompt": "a red boat", "modelId": "limner:sketch"})
        second = await mcp.call_tool("generate_image", {"prompt": "a blue boat", "modelId": "limner:sketch"})
    assert (first.is_error, second.is_error) == (False, True)
    assert second.structured_content["error"]["code"] == "spend_cap_exceeded"
    assert (await whoami(any_service, token)).json()["cap"]["remaining"] == 0


async def test_a_user_says_no(service: Service) -> None:
    client = await register(service)
    async with signed_in(service) as browser:
        answer = said(await client.answer(browser, await client.ask(browser), decision="deny"))
    assert (answer["error"], answer["iss"], answer["state"]) == ("access_denied", service.url, "s t/ä&te")


async def test_of_fifty_who_redeem_a_code_at_once_one_gets_tokens_and_they_end_at_once(
    any_service: Service, browser: httpx2.AsyncClient
) -> None:
    client = await register(any_service)
    code = await client.code(browser)
    answers = await asyncio.gather(*(client.redeem(code) for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200, *[400] * 49]
    won = next(answer for answer in answers if answer.status_code == 200).json()
    assert (await whoami(any_service, won["access_token"])).status_code == 401
    assert (await client.refresh(won["refresh_token"])).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"code_verifier": None}, "invalid_request"),
        ({"redirect_uri": "http://127.0.0.1:7777/other"}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:7778/callback"}, "invalid_grant"),
        ({"resource": "https://elsewhere.example/api/mcp"}, "invalid_target"),
        ({"client_id": "client_unknown"}, "invalid_client"),
        ({"client_id": None}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_a_redemption_that_does_not_fit_is_refused_and_the_right_one_still_works(
    service: Service, change: dict[str, str], error: str
) -> None:
    client = await register(service)
    async with signed_in(service) as browser:
        code = await client.code(browser)
    refused = await client.redeem(code, **change)
    assert refused.status_code == (401 if error == "invalid_client" else 400)
    assert refused.json()["error"] == error
    assert refused.headers["cache-control"] == "no-store"
    assert (await client.redeem(code)).status_code == 200


async def test_a_stolen_code_is_worth_nothing_to_another_client(service: Service) -> None:
    client, thief = await register(service), await register(service)
    async with signed_in(service) as browser:
        code = await client.code(browser)
    thief.verifier = client.verifier
    assert (await client.redeem("ac_unknown")).json()["error"] == "invalid_grant"
    assert (await thief.redeem(code)).json()["error"] == "invalid_grant"
    other = await client.redeem(code, resource=f"{service.url}/getimages/api/mcp")
    assert other.json()["error"] == "invalid_target"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"resource": "https://elsewhere.example"}, "invalid_target"),
        ({"scope": "keys:write"}, "invalid_scope"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"state": ["one", "two"]}, "invalid_request"),
    ],
)
async def test_a_question_that_cannot_be_put_is_answered_to_the_client(
    service: Service, change: dict[str, str], error: str
) -> None:
    client = await register(service)
    async with stranger(service) as browser:
        answer = await client.ask(browser, **change)
    assert answer.headers["location"].startswith("http://127.0.0.1:7777/callback?")
    assert (said(answer)["error"], said(answer)["iss"]) == (error, service.url)


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1:7777/callback/../evil"},
        {"redirect_uri": "http://127.0.0.1:7777@evil.example/callback"},
        {"redirect_uri": "http://localhost:7777/callback"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": ["http://127.0.0.1:7777/callback", "https://evil.example"]},
        {"client_id": "client_unknown"},
        {"client_id": "x\x00y"},
        {"client_id": None},
    ],
)
async def test_nobody_is_sent_to_an_address_that_was_not_registered(service: Service, change: dict[str, str]) -> None:
    client = await register(service)
    async with signed_in(service) as browser:
        answer = await client.ask(browser, **change)
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_program_on_the_users_machine_may_listen_on_any_port(service: Service) -> None:
    async with signed_in(service) as browser:
        for host in ("127.0.0.1", "localhost", "[::1]"):
            client = await register(service, f"http://{host}/callback")
            client.redirect_uri = f"http://{host}:50123/callback"
            assert (await client.tokens(browser))["access_token"]
        client = await register(service, "http://127.0.0.1:33418")
        client.redirect_uri = "http://127.0.0.1:50124/"
        assert (await client.tokens(browser))["access_token"]


@pytest.mark.parametrize(
    "uri",
    [
        "https://claude.ai/api/mcp/auth_callback",
        "https://claude.com/api/mcp/auth_callback",
        "https://chatgpt.com/connector_platform_oauth_redirect",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "com.example.app:/callback",
    ],
)
async def test_services_and_programs_with_a_scheme_of_their_own_connect(service: Service, uri: str) -> None:
    client = await register(service, uri)
    async with signed_in(service) as browser:
        page = await client.ask(browser)
        answer = await client.answer(browser, page)
    assert answer.headers["location"].startswith(f"{uri}?")


async def test_consent_cannot_be_forged_repeated_or_answered_elsewhere(service: Service) -> None:
    client = await register(service)
    async with signed_in(service) as browser, signed_in(service) as other:
        page = await client.ask(browser)
        forged = await browser.post(
            "/oauth/authorize",
            data={"ticket": ticket_of(page), "decision": "allow", "scope": "images:read"},
            headers={"Origin": "https://evil.example"},
        )
        assert forged.status_code == 403
        assert (await client.answer(other, page)).status_code == 404
        assert (await client.answer(browser, page)).status_code == 303
        assert (await client.answer(browser, page)).status_code == 404


async def test_a_client_gets_no_more_than_it_asked_for_and_nothing_of_another_account(service: Service) -> None:
    other_account, _ = await service.account("other@example.org")
    client = await register(service)
    async with signed_in(service) as browser:
        page = await client.ask(browser, scope="images:read keys:write")
        code = said(await client.answer(browser, page, scope=["images:read", "images:generate", "keys:write"]))["code"]
        page = await client.ask(browser)
        assert (await client.answer(browser, page, account=other_account)).status_code == 403
        nothing = await client.answer(browser, await client.ask(browser), scope=[])
    assert (await client.redeem(code)).json()["scope"] == "images:read"
    assert nothing.status_code == 400


async def test_a_user_of_several_accounts_chooses_one_and_gives_no_more_than_their_role_there(service: Service) -> None:
    second, _ = await service.account("second@example.org", credits=7)
    client = await register(service)

    def invite(tx: Transaction) -> None:
        owner = users.find(tx, "owner@example.org")
        assert owner is not None
        users.join(tx, owner.id, second, "billing", now())

    await service.services.database.write(invite)
    async with signed_in(service) as browser:
        page = await client.ask(browser)
        assert f'<option value="{second}"' in page.text
        code = said(await client.answer(browser, page, account=second))["code"]
    tokens = (await client.redeem(code)).json()
    assert tokens["scope"] == "images:read account:read usage:read"
    assert (await whoami(service, tokens["access_token"])).json()["creditBalance"] == 7


async def test_a_token_is_good_at_its_own_address_alone(service: Service) -> None:
    client = await register(service)
    good: dict[str, set[str]] = {
        "/api/mcp": {"/api/mcp", "/api/v1/account", "/v1/models"},
        "": {"/api/v1/account", "/v1/models"},
        "/getimages/api/mcp": {"/getimages/api/mcp"},
        "/image-mcp/api/mcp": {"/image-mcp/api/mcp"},
    }
    async with signed_in(service) as browser:
        for resource, paths in good.items():
            token = (await client.tokens(browser, resource=f"{service.url}{resource}"))["access_token"]
            for path in ("/api/mcp", "/getimages/api/mcp", "/image-mcp/api/mcp", "/api/v1/account", "/v1/models"):
                answer = await (call_mcp if path.endswith("mcp") else whoami)(service, token, path)
                assert (answer.status_code == 200) is (path in paths), (resource, path)
                assert answer.status_code in (200, 401)


async def test_a_token_for_another_address_is_told_where_to_get_the_right_one(service: Service) -> None:
    """A token for the bare origin is for the programs' APIs: each MCP path is a resource of its own."""
    client = await register(service)
    async with signed_in(service) as browser:
        token = (await client.tokens(browser, resource=service.url))["access_token"]
    refused = await call_mcp(service, token)
    assert refused.status_code == 401
    challenge = refused.headers["www-authenticate"]
    assert 'error="invalid_token"' in challenge
    assert f'resource_metadata="{service.url}/.well-known/oauth-protected-resource/api/mcp"' in challenge


async def test_a_resource_is_known_however_its_address_is_spelt(service: Service) -> None:
    client = await register(service)
    spelt = [
        f"{service.url}/api/mcp/".replace("http:", "HTTP:"),
        f"{service.url}/",
    ]
    elsewhere = [
        f"{service.url}/api/mcp/x",
        f"{service.url}/api/v1",
        f"{service.url}/api/mcp?x",
        f"{service.url}/api/mcp#x",
        f"{service.url}.evil.example/api/mcp",
        service.url.replace("127.0.0.1", "localhost"),
        service.url.replace("http:", "https:"),
        service.url.replace("//", "//user@"),
        "/api/mcp",
        "",
        "http://[",
    ]
    async with signed_in(service) as browser:
        for resource in spelt:
            assert (await client.tokens(browser, resource=resource))["access_token"]
        for resource in elsewhere:
            assert said(await client.ask(browser, resource=resource))["error"] == "invalid_target", resource


async def test_a_client_that_tries_a_secret_is_challenged_in_kind(service: Service) -> None:
    client = await register(service)
    async with service.client() as http:
        form = {"grant_type": "refresh_token", "refresh_token": "rt_x"}
        refused = await http.post("/oauth/token", data=form, auth=(client.id, "secret"))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert refused.headers["www-authenticate"] == 'Basic realm="limner"'


async def test_a_slash_too_many_leads_to_the_same_scheme_and_host(service: Service) -> None:
    async with service.client() as http:
        headers = {"Host": "evil.example", "X-Forwarded-Proto": "https"}
        answers = [
            await http.post("/api/mcp/", json={}, headers=headers),
            await http.get("/.well-known/oauth-protected-resource/api/mcp/?x=1", headers=headers),
            await http.get("/.//evil.example/", headers=headers),
            await http.get("/nothing/", headers=headers),
        ]
    assert [(answer.status_code, answer.headers.get("location")) for answer in answers] == [
        (307, "/api/mcp"),
        (307, "/.well-known/oauth-protected-resource/api/mcp?x=1"),
        (404, None),
        (404, None),
    ]


async def test_a_connection_that_lacks_a_scope_is_told_which_to_ask_for(service: Service) -> None:
    client = await register(service)
    async with signed_in(service) as browser:
        token = (await client.tokens(browser, scope="account:read"))["access_token"]
    making = await call_mcp(service, token, method="tools/call", name="generate_image", arguments={"prompt": "a boat"})
    async with service.client(token) as http:
        rest = await http.post("/api/v1/images/generate", json={"prompt": "a boat"})
    for answer, metadata in ((making, "/api/mcp"), (rest, "")):
        challenge = answer.headers["www-authenticate"]
        assert answer.status_code == 403
        assert 'error="insufficient_scope"' in challenge
        assert 'scope="images:generate account:read"' in challenge
        assert f'resource_metadata="{service.url}/.well-known/oauth-protected-resource{metadata}"' in challenge


async def test_a_revoked_connection_is_refused_from_the_next_call_on(
    any_service: Service, browser: httpx2.AsyncClient
) -> None:
    client = await register(any_service)
    tokens = await client.tokens(browser)
    listed = (await browser.get("/dashboard/connections")).text
    path = listed.split('action="/dashboard/connections/')[1].split("/")[0]
    await browser.post(f"/dashboard/connections/{path}/cap", data={"cap": "5", "period": "week"})
    assert "0 of 5 credits" in (await browser.get("/dashboard/connections")).text
    await browser.post(f"/dashboard/connections/{path}/revoke")
    assert (await whoami(any_service, tokens["access_token"])).status_code == 401
    assert (await client.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert "1 connection ended" in (await browser.get("/dashboard/connections")).text


async def test_a_client_gives_its_tokens_back(service: Service) -> None:
    client, other = await register(service), await register(service)
    async with signed_in(service) as browser:
        tokens = await client.tokens(browser)
    assert (await other.revoke(tokens["refresh_token"])).status_code == 200
    assert (await whoami(service, tokens["access_token"])).status_code == 200
    assert (await client.revoke("rt_unknown")).status_code == 200
    await client.revoke(tokens["access_token"])
    assert (await whoami(service, tokens["access_token"])).status_code == 401
    again = (await client.refresh(tokens["refresh_token"])).json()
    await client.revoke(again["refresh_token"])
    assert (await whoami(service, again["access_token"])).status_code == 401


@pytest.mark.parametrize(
    "change", ["UPDATE users SET disabled_at = 1", "DELETE FROM memberships", "UPDATE accounts SET status = 'deleted'"]
)
async def test_the_connections_of_a_removed_user_are_over_at_once(service: Service, change: str) -> None:
    client = await register(service)
    async with signed_in(service) as browser:
        tokens = await client.tokens(browser)
    await service.services.database.write(lambda tx: tx.execute(change))
    assert (await whoami(service, tokens["access_token"])).status_code == 401


class Clock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return now() + self.ahead


async def test_refresh_tokens_rotate_forgive_a_lost_answer_and_betray_a_thief(
    tmp_path: Path, database_url: str
) -> None:
    clock = Clock()
    async with serving(tmp_path, database_url, clock=clock) as service, signed_in(service) as browser:
        client = await register(service)
        first = await client.tokens(browser)
        race = await asyncio.gather(*(client.refresh(first["refresh_token"]) for _ in range(5)))
        assert {answer.status_code for answer in race} == {200}
        assert len({answer.json()["refresh_token"] for answer in race}) == 5
        sibling, latest = race[0].json(), race[1].json()
        assert (await client.refresh(latest["refresh_token"], scope="account:read")).json()["scope"] == "account:read"
        assert (await client.refresh(sibling["refresh_token"], scope="keys:write")).json()["error"] == "invalid_scope"
        elsewhere = await client.refresh(sibling["refresh_token"], resource=f"{service.url}/image-mcp/api/mcp")
        assert elsewhere.json()["error"] == "invalid_target"
        clock.ahead = timedelta(seconds=61)
        assert (await whoami(service, sibling["access_token"])).status_code == 200
        assert (await client.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
        assert (await whoami(service, sibling["access_token"])).status_code == 401
        assert (await client.refresh(sibling["refresh_token"])).json()["error"] == "invalid_grant"


async def test_tokens_codes_and_registrations_run_out(tmp_path: Path, sqlite_url: str) -> None:
    clock = Clock()
    async with serving(tmp_path, sqlite_url, clock=clock) as service, signed_in(service) as browser:
        client, idle = await register(service), await register(service)
        tokens, code = await client.tokens(browser), await client.code(browser)
        clock.ahead = timedelta(seconds=61)
        assert (await client.redeem(code)).json()["error"] == "invalid_grant"
        clock.ahead = timedelta(minutes=61)
        assert (await whoami(service, tokens["access_token"])).status_code == 401
        clock.ahead = timedelta(hours=25)
        assert (await idle.ask(browser)).status_code == 400
        assert (await idle.refresh("rt_x")).status_code == 401
        assert (await client.refresh(tokens["refresh_token"])).status_code == 200  # a connected client stays known
        await sweep_expired(service.services)
        kept = await service.services.database.read(lambda tx: tx.all("SELECT id FROM oauth_clients"))
        assert [row["id"] for row in kept] == [client.id]
        clock.ahead = timedelta(days=92)
        database = service.services.database
        path = await database.write(lambda tx: sign_in.sign_in_link(tx, "owner@example.org", clock()))
        async with stranger(service) as later:
            await follow(later, path)
            assert "its last token ran out" in (await later.get("/dashboard/connections")).text
            await sweep_expired(service.services)
            assert "1 connection ended" in (await later.get("/dashboard/connections")).text
        await sweep_expired(service.services)
        assert await database.read(lambda tx: tx.all("SELECT id FROM oauth_clients")) == []


async def test_a_client_that_registers_anew_for_each_login_has_a_connection_for_each(service: Service) -> None:
    """As Codex and Claude Code do, on another port each time; each can be cut off alone."""
    async with signed_in(service) as browser:
        logins = []
        for port in (33001, 33002, 33003):
            client = await register(service, f"http://localhost:{port}/callback", client_name="Codex")
            client.redirect_uri = f"http://localhost:{port + 1000}/callback"
            logins.append((await client.tokens(browser))["access_token"])
        page = (await browser.get("/dashboard/connections")).text
        newest = page.split('action="/dashboard/connections/')[1].split("/")[0]
        await browser.post(f"/dashboard/connections/{newest}/revoke")
    assert page.count("2 tokens") == 3
    assert [(await whoami(service, token)).status_code for token in logins] == [200, 200, 401]


async def test_without_oauth_every_address_is_a_cheap_404(tmp_path: Path, sqlite_url: str) -> None:
    async with serving(tmp_path, sqlite_url, env={"LIMNER_OAUTH": "off"}) as service, service.client() as http:
        paths = [
            f"/.well-known/{name}{path}"
            for name in ("oauth-protected-resource", "oauth-authorization-server", "openid-configuration")
            for path in ("", "/api/mcp")
        ]
        paths += [
            "/api/mcp/.well-known/oauth-protected-resource",
            "/api/mcp/.well-known/openid-configuration",
            "/oauth/authorize",
        ]
        answers = [await http.get(path, headers={"Accept": "text/html"}) for path in paths]
        answers += [await http.post(path, json={}) for path in ("/register", "/oauth/register", "/oauth/token")]
        refused = await http.post("/api/mcp", json={})
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["error"]["code"] for answer in answers} == {"not_found"}
    assert refused.headers["www-authenticate"] == 'Bearer realm="limner"'


async def test_registrations_are_strict_and_limited(service: Service) -> None:
    bad = [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "http://example.org/cb",
        "https://a@b.example/",
        "https://x.example/#f",
        "https://x.example\\@y",
        "/relative",
        "https://x.example/\n",
        7,
    ]
    async with service.client() as http:
        answers = [await http.post("/oauth/register", json={"redirect_uris": [uri]}) for uri in bad]
        assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [
            (400, "invalid_redirect_uri")
        ] * len(bad)
        assert (await http.post("/oauth/register", content=b"[]")).json()["error"] == "invalid_client_metadata"
        assert (await http.post("/oauth/register", content=b"x" * 70_000)).status_code == 400
        named = {
            "redirect_uris": ["https://x.example/cb"],
            "client_name": "A\u202eB\n<script>",
            "scope": "keys:write",
            "token_endpoint_auth_method": "client_secret_basic",
        }
        made = (await http.post("/oauth/register", json=named)).json()
        assert (made["client_name"], made["token_endpoint_auth_method"]) == ("AB<script>", "none")
        flood = [await http.post("/oauth/register", json=named) for _ in range(20)]
    assert flood[-1].status_code == 429
    assert int(flood[-1].headers["retry-after"]) > 0


async def test_what_a_client_calls_itself_is_text_on_the_page(service: Service) -> None:
    client = await register(service, client_name="<img src=x onerror=alert(1)>")
    async with signed_in(service) as browser:
        page = await client.ask(browser)
    assert "<img" not in page.text
