"""What stands round every REST answer: limits, ids, methods, sizes."""

from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from tests.service import Service, serving

from limner.db.types import now


class Watch:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moment = now()

    def __call__(self) -> datetime:
        return self.moment


async def test_the_sixty_first_call_of_a_burst_waits_and_every_answer_says_where_it_stands(
    tmp_path: Path, database_url: str
) -> None:
    watch = Watch()
    async with serving(tmp_path, database_url, env={"LIMNER_RATE_LIMIT": "60"}, clock=watch) as service:
        answers = [await service.http.get("/api/v1/account") for _ in range(61)]
        assert [answer.status_code for answer in answers] == [200] * 60 + [429]
        assert answers[0].headers["ratelimit-policy"] == '"key";q=60;w=60'
        assert answers[0].headers["ratelimit"] == '"key";r=59;t=0'
        refused = answers[-1]
        assert (refused.headers["ratelimit"], refused.headers["retry-after"]) == ('"key";r=0;t=1', "1")
        assert refused.json()["error"]["code"] == "rate_limited"
        assert refused.json()["error"]["retryAfterSeconds"] == 1
        watch.moment += timedelta(seconds=10)
        again = [(await service.http.get("/api/v1/account")).status_code for _ in range(11)]
        assert again == [200] * 10 + [429]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/images/nonsense", 400),
        ("GET", "/api/v1/images/0190a5b2-7c1e-7000-8000-000000000000", 404),
        ("POST", "/api/v1/images/generate", 400),
        ("GET", "/api/v1/usage?limit=0", 400),
        ("GET", "/api/v1/nowhere", 404),
        ("PUT", "/api/v1/images", 405),
        ("GET", "/v1/nowhere", 404),
    ],
)
async def test_errors_of_known_callers_carry_the_limits_too(
    tmp_path: Path, sqlite_url: str, method: str, path: str, status: int
) -> None:
    async with serving(tmp_path, sqlite_url, env={"LIMNER_RATE_LIMIT": "60"}) as service:
        answer = await service.http.request(method, path, content=b"{")
        assert answer.status_code == status
        assert {"ratelimit", "ratelimit-policy", "x-request-id"} <= set(answer.headers)
        assert answer.json()["error"]["requestId"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/images/seven/events"),
        ("DELETE", "/api/v1/images/seven"),
        ("POST", "/api/v1/images/seven/cancel"),
        ("GET", "/api/v1/keys/seven"),
        ("DELETE", "/api/v1/webhooks/seven"),
    ],
)
async def test_an_id_that_none_can_have_is_invalid_and_its_path_is_named(
    service: Service, method: str, path: str
) -> None:
    key = await service.make_key(scopes=frozenset({"images:read", "images:generate", "account:read", "keys:write"}))
    async with service.client(key) as http:
        answer = await http.request(method, path)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "invalid_request")
    assert error["details"] == [{"path": "id", "message": "must be a UUID", "code": "invalid"}]


async def test_a_path_says_which_methods_it_takes(service: Service) -> None:
    for path, allowed in (
        ("/api/v1/images/x", "DELETE, GET, HEAD"),
        ("/api/v1/keys", "GET, HEAD, POST"),
        ("/api/v1/account", "GET, HEAD"),
    ):
        answer = await service.http.put(path, json={})
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
        assert answer.json()["error"]["nextStep"] == f"Use one of: {allowed}."
    nowhere = await service.http.get("/api/v1/nowhere")
    assert (nowhere.status_code, nowhere.json()["error"]["code"]) == (404, "not_found")


async def test_a_body_over_the_limit_is_refused_declared_or_not(tmp_path: Path, sqlite_url: str) -> None:
    async with serving(
        tmp_path, sqlite_url, env={"LIMNER_MAX_BODY_BYTES": "2048", "LIMNER_RATE_LIMIT": "60"}
    ) as service:

        async def pieces():  # type: ignore[no-untyped-def]
            for _ in range(10):
                yield b"x" * 1000

        for content in (b"x" * 4000, pieces()):
            answer = await service.http.post("/api/v1/images/generate", content=content)
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "payload_too_large")
            assert_says_where_the_caller_stands(answer)


def assert_says_where_the_caller_stands(answer: httpx2.Response) -> None:
    assert (answer.headers["ratelimit-policy"], answer.headers["ratelimit"][:8]) == ('"key";q=60;w=60', '"key";r=')


async def test_a_failure_nobody_foresaw_says_where_its_caller_stands(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path, sqlite_url, env={"LIMNER_RATE_LIMIT": "60"}) as service:
        monkeypatch.setattr(service.services.images, "account", None)
        answer = await service.http.get("/api/v1/account")
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
        assert_says_where_the_caller_stands(answer)


async def test_who_calls_where_nothing_is_spends_its_limit_too_and_a_stranger_is_told_nothing(
    tmp_path: Path, sqlite_url: str
) -> None:
    async with serving(tmp_path, sqlite_url, env={"LIMNER_RATE_LIMIT": "3"}, clock=Watch()) as service:
        assert [(await service.http.get("/api/v1/nowhere")).status_code for _ in range(4)] == [404, 404, 404, 429]
        async with service.client("sk_wrong") as stranger:
            answer = await stranger.get("/api/v1/nowhere")
        assert (answer.status_code, "ratelimit" in answer.headers) == (404, False)


@pytest.mark.parametrize(
    ("media", "body", "status"),
    [
        ("application/json; charset=utf-8", '{"mediaType": "image/png"}', 201),
        ("application/merge-patch+json", '{"mediaType": "image/png"}', 201),
        ("application/x-www-form-urlencoded", '{"mediaType": "image/png"}', 201),
        ("application/x-www-form-urlencoded", "mediaType=image/png", 415),
        ("text/plain;charset=UTF-8", '{"mediaType": "image/png"}', 415),
        ("multipart/form-data; boundary=x", "--x--", 415),
    ],
)
async def test_a_body_that_says_it_is_no_json_is_unsupported_media(
    service: Service, media: str, body: str, status: int
) -> None:
    answer = await service.http.post("/api/v1/uploads", content=body, headers={"Content-Type": media})
    assert answer.status_code == status
    if status == 415:
        error = answer.json()["error"]
        assert (error["code"], media.partition(";")[0] in error["message"]) == ("unsupported_media", True)
        assert error["nextStep"] == "Send JSON with the header 'Content-Type: application/json'."
