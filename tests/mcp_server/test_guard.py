"""What stands before the protocol: methods, hosts, origins, keys, limits and sizes, and what clients probe for."""

from pathlib import Path

import httpx2
import pytest
from tests.mcp_server.rawcalls import ACCEPT, answer, call, post, request
from tests.service import Service, serving

PATHS = ["/api/mcp", "/getimages/api/mcp", "/image-mcp/api/mcp"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD", "PUT"])
async def test_only_post_is_served(service: Service, path: str, method: str) -> None:
    refused = await service.http.request(method, path)
    assert refused.status_code == 405
    assert refused.headers["allow"] == "POST, OPTIONS"


@pytest.mark.parametrize("path", PATHS)
async def test_a_browser_may_ask_what_is_allowed_without_a_key(service: Service, path: str) -> None:
    async with service.client() as stranger:
        allowed = await stranger.options(path, headers={"Access-Control-Request-Method": "POST"})
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-methods"] == "POST, OPTIONS"
    assert "Authorization" in allowed.headers["access-control-allow-headers"]


async def test_another_origin_or_host_is_refused(service: Service) -> None:
    tools = request("tools/list", {})
    evil = await post(service, tools, headers={"Origin": "https://evil.example"})
    elsewhere = await post(service, tools, headers={"Host": "evil.example"})
    own = await post(service, tools, headers={"Origin": service.url})
    assert (evil.status_code, elsewhere.status_code, own.status_code) == (403, 421, 200)


@pytest.mark.parametrize("key", ["", "Bearer sk_wrong", "Basic eDp5"])
async def test_without_a_good_key_the_answer_says_what_to_send(service: Service, key: str) -> None:
    async with service.client() as stranger:
        refused = await stranger.post("/api/mcp", headers=ACCEPT | {"Authorization": key}, content=b"{}")
    error = refused.json()["error"]
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert (error["code"], "sk_" in error["nextStep"]) == ("unauthorized", True)


async def test_a_body_over_the_limit_is_refused(tmp_path: Path, sqlite_url: str) -> None:
    async with serving(tmp_path, sqlite_url, env={"LIMNER_MAX_BODY_BYTES": "2048"}) as service:
        announced = await post(service, call("generate_image", {"prompt": "x" * 3000}))
        unannounced = await service.http.post("/api/mcp", headers=ACCEPT, content=_pieces(3000))
    assert (announced.status_code, unannounced.status_code) == (413, 413)
    assert announced.json()["error"]["code"] == "payload_too_large"


async def _pieces(total: int):
    for _ in range(total // 100):
        yield b"x" * 100


async def test_calls_are_limited_by_429_and_lists_are_not(tmp_path: Path, sqlite_url: str) -> None:
    async with serving(tmp_path, sqlite_url, env={"LIMNER_RATE_LIMIT": "3"}) as service:
        listed = [await post(service, request("tools/list", {})) for _ in range(10)]
        called = [await post(service, call("get_account", {})) for _ in range(3)]
        refused = await post(service, call("get_account", {}, id_="abc"))
        odd = await service.http.post("/api/mcp", headers=ACCEPT, content=_not_a_number())
    assert {each.status_code for each in (*listed, *called)} == {200}
    assert called[0].headers["ratelimit-policy"]
    assert refused.status_code == odd.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 2
    error = refused.json()["error"]
    assert (refused.json()["id"], error["code"], error["data"]["code"]) == ("abc", 429, "rate_limited")
    assert error["data"]["retryAfterSeconds"] == int(refused.headers["retry-after"])


def _not_a_number() -> bytes:
    """JSON of a kind that only some parsers read counts like any other."""
    return b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_account","arguments":{},"x":NaN}}'


@pytest.mark.parametrize(
    "path",
    [
        f"{before}/.well-known/{name}{after}"
        for name in ("oauth-protected-resource", "oauth-authorization-server", "openid-configuration")
        for before, after in (("", ""), ("", "/api/mcp"), ("/api/mcp", ""))
    ],
)
async def test_probes_for_oauth_get_a_cheap_404_where_it_is_off(tmp_path: Path, sqlite_url: str, path: str) -> None:
    async with serving(tmp_path, sqlite_url, env={"LIMNER_OAUTH": "off"}) as service, service.client() as stranger:
        probed = await stranger.get(path)
        registered = await stranger.post("/register", json={"client_name": "x"})
    for answered in (probed, registered):
        assert answered.status_code == 404
        assert answered.json()["error"]["code"] == "not_found"


async def test_a_legacy_client_needs_neither_initialize_nor_session(service: Service) -> None:
    without = answer(await post(service, request("tools/list", {})))
    with_odd_session = answer(await post(service, request("tools/list", {}), headers={"Mcp-Session-Id": "made-up"}))
    opened = await post(service, _initialize("2025-06-18"))
    again = await post(service, _initialize("2025-06-18"))
    assert without["result"]["tools"] == with_odd_session["result"]["tools"]
    assert answer(opened)["result"]["protocolVersion"] == "2025-06-18"
    assert opened.headers["mcp-session-id"] != again.headers["mcp-session-id"]


@pytest.mark.parametrize("told_by", ["session", "user agent"])
async def test_a_legacy_client_is_known_by_its_session_or_its_user_agent(service: Service, told_by: str) -> None:
    """Codex shows a picture only where structuredContent is missing; so that is left out for it."""
    if told_by == "session":
        opened = await post(service, _initialize("2025-06-18", "codex-mcp-client"))
        known = {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
    else:
        known = {"User-Agent": "codex-mcp-client/0.169"}
    lake = call("generate_image", {"prompt": "a lake"})
    theirs, others = await post(service, lake, headers=known), await post(service, lake)
    assert "structuredContent" not in answer(theirs)["result"]
    assert "structuredContent" in answer(others)["result"]


def _initialize(version: str, name: str = "tests") -> dict[str, object]:
    client = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": name, "version": "1"}}
    return request("initialize", client)


async def test_head_without_a_body_and_broken_json_are_answered(service: Service) -> None:
    broken = [await service.http.post("/api/mcp", headers=ACCEPT, content=body) for body in (b"", b"{", b"[]", b"7")]
    assert all(400 <= each.status_code < 500 for each in broken)
    assert isinstance(broken[0], httpx2.Response)
