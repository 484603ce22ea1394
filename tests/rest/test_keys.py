"""API keys over REST: who may make them, what they may, and how they end."""

import httpx2
from tests.service import Service

from limner.accounts.principal import SCOPES


async def make(http: httpx2.AsyncClient, **body: object) -> tuple[dict[str, object], str]:
    answer = await http.post("/api/v1/keys", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["key"], answer.json()["secret"]


async def test_a_key_without_the_scope_cannot_touch_keys(service: Service) -> None:
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", "/0190a5b2-0000-7000-8000-000000000000")):
        answer = await service.http.request(method, f"/api/v1/keys{path}", json={})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "insufficient_scope")
        assert answer.json()["error"]["scope"] == "keys:write"


async def test_a_secret_is_shown_once_and_works_until_it_is_revoked(any_service: Service) -> None:
    async with any_service.client(await any_service.make_key(scopes=frozenset(SCOPES))) as writer:
        key, secret = await make(writer, name="agent", scopes=["images:read", "account:read"])
        assert (key["name"], key["scopes"], key["lastFour"]) == ("agent", ["account:read", "images:read"], secret[-4:])
        listed = await writer.get("/api/v1/keys")
        assert key["id"] in {each["id"] for each in listed.json()["keys"]}
        assert secret not in listed.text
        async with any_service.client(secret) as made:
            assert (await made.get("/api/v1/account")).status_code == 200
            refused = await made.post("/api/v1/images/generate", json={"prompt": "x"})
            assert (refused.status_code, refused.json()["error"]["scope"]) == (403, "images:generate")
            assert (await writer.delete(f"/api/v1/keys/{key['id']}")).status_code == 204
            ended = await made.get("/api/v1/account")
            assert (ended.status_code, "WWW-Authenticate" in ended.headers) == (401, True)
        assert (await writer.get(f"/api/v1/keys/{key['id']}")).json()["key"]["revokedAt"] is not None


async def test_a_made_key_has_no_more_than_its_maker_spends_against_its_cap_and_dies_with_it(
    any_service: Service,
) -> None:
    scopes = frozenset({"images:generate", "account:read", "keys:write"})
    async with any_service.client(await any_service.make_key(scopes=scopes, models=("limner:sketch",))) as maker:
        maker_id = (await maker.get("/api/v1/keys/current")).json()["key"]["id"]
        await maker.patch("/api/v1/keys/current", json={"cap": {"limit": 2, "period": "day"}})
        too_much = await maker.post("/api/v1/keys", json={"scopes": ["usage:read"]})
        other_model = await maker.post("/api/v1/keys", json={"scopes": ["account:read"], "models": ["openai:x"]})
        assert (too_much.json()["error"]["code"], other_model.json()["error"]["code"]) == (
            "insufficient_scope",
            "model_not_allowed",
        )
        key, secret = await make(maker, scopes=["images:generate"], cap={"limit": 5, "period": "total"})
        assert (key["madeByKeyId"], key["models"]) == (maker_id, ["limner:sketch"])
        async with any_service.client(secret) as made:
            body = {"prompt": "x", "includeBytes": False}
            assert (await made.post("/api/v1/images/generate", json=body)).status_code == 200
            assert (await maker.post("/api/v1/images/generate", json=body)).status_code == 200
            stopped = await made.post("/api/v1/images/generate", json=body)
            assert (stopped.status_code, stopped.json()["error"]["code"]) == (402, "spend_cap_exceeded")
            assert (stopped.json()["error"]["limit"], stopped.json()["error"]["remaining"]) == (2, 0)
            cap = (await maker.get("/api/v1/account")).json()["cap"]
            assert (cap["limit"], cap["period"], cap["remaining"]) == (2, "day", 0)
            assert (await maker.delete("/api/v1/keys/current")).status_code == 204
            assert (await made.get("/api/v1/images")).status_code == 401
        assert await any_service.audit() == []


async def test_an_agent_may_lower_its_cap_and_never_raise_it(service: Service) -> None:
    async def put(limit: int, period: str) -> httpx2.Response:
        return await service.http.patch("/api/v1/keys/current", json={"cap": {"limit": limit, "period": period}})

    assert (await put(10, "day")).json()["key"]["cap"]["remaining"] == 10
    await service.generate(n=4)
    for raised in ((11, "day"), (100, "month")):
        answer = await put(*raised)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "insufficient_scope")
    lowered = (await put(9, "total")).json()["key"]["cap"]
    assert (lowered["limit"], lowered["period"], lowered["remaining"]) == (9, "total", 5)
    assert (await put(9, "day")).status_code == 403


async def test_a_rotated_key_answers_to_both_secrets_for_a_while(service: Service) -> None:
    first = await service.make_key(scopes=frozenset(SCOPES))
    async with service.client(first) as old:
        rotated = (await old.post("/api/v1/keys/current/rotate", json={"overlapSeconds": 60})).json()
        async with service.client(rotated["secret"]) as new:
            mine = [(await each.get("/api/v1/keys/current")).json()["key"]["id"] for each in (old, new)]
            assert mine == [rotated["key"]["id"]] * 2
            await new.post("/api/v1/keys/current/rotate", json={"overlapSeconds": 0})
            assert [(await each.get("/api/v1/account")).status_code for each in (old, new)] == [401, 401]


async def test_a_key_cannot_get_at_a_key_it_did_not_make(service: Service) -> None:
    scopes = frozenset({"account:read", "keys:write"})
    async with service.client(await service.make_key(scopes=scopes)) as limited:
        owner_id = (await service.http.get("/api/v1/keys/current")).json()["key"]["id"]
        for act in (
            limited.post(f"/api/v1/keys/{owner_id}/rotate"),
            limited.patch(f"/api/v1/keys/{owner_id}", json={"cap": {"limit": 1, "period": "day"}}),
        ):
            assert (await act).json()["error"]["code"] == "insufficient_scope"


async def test_another_accounts_key_reads_like_one_that_never_was(service: Service) -> None:
    mine = (await service.http.get("/api/v1/keys/current")).json()["key"]["id"]
    _, secret = await service.account("other@example.org", scopes=frozenset(SCOPES))
    async with service.client(secret) as other:
        for method, suffix in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate")):
            answers = [
                await other.request(method, f"/api/v1/keys/{key_id}{suffix}", json={})
                for key_id in (mine, "0190a5b2-0000-7000-8000-000000000000")
            ]
            assert [answer.status_code for answer in answers] == [404, 404]
            errors = [answer.json()["error"] | {"requestId": ""} for answer in answers]
            assert errors[0] == errors[1]


async def test_a_test_key_draws_with_the_built_in_model_and_never_spends(service: Service) -> None:
    async with service.client(await service.make_key(scopes=frozenset(SCOPES))) as writer:
        _, secret = await make(writer, test=True, scopes=["images:generate", "keys:write"], maxCreditsPerCall=0)
    assert secret.startswith("sk_test_")
    async with service.client(secret) as test:
        _, below = await make(test, scopes=["images:generate"])
        assert below.startswith("sk_test_")
        drawn = (await test.post("/api/v1/images/generate", json={"prompt": "x", "includeBytes": False})).json()
        assert drawn["credits"] == {"charged": 0, "remaining": 100}
        other = await test.post("/api/v1/images/generate", json={"prompt": "x", "modelId": "openai:gpt-image-2"})
        assert other.json()["error"]["code"] == "model_not_allowed"
    assert await service.audit() == []


async def test_what_a_key_is_made_of_is_checked_field_by_field(service: Service) -> None:
    async with service.client(await service.make_key(scopes=frozenset(SCOPES))) as writer:
        for body, path in (
            ({"scopes": ["admin"]}, "scopes"),
            ({"scopes": []}, "scopes"),
            ({"name": ""}, "name"),
            ({"expiresAt": "tomorrow"}, "expiresAt"),
            ({"expiresAt": "2030-01-01T00:00:00"}, "expiresAt"),
            ({"cap": {"limit": -1, "period": "day"}}, "cap.limit"),
            ({"cap": {"limit": 1, "period": "year"}}, "cap.period"),
            ({"maxCreditsPerCall": 2**31}, "maxCreditsPerCall"),
            ({"secret": "x"}, "secret"),
        ):
            answer = await writer.post("/api/v1/keys", json=body)
            assert answer.status_code == 400, body
            assert answer.json()["error"]["details"][0]["path"] == path


async def test_a_key_that_would_have_ended_already_is_not_made(service: Service) -> None:
    maker = await service.make_key(scopes=frozenset(SCOPES))
    async with service.client(maker) as http:
        answer = await http.post("/api/v1/keys", json={"expiresAt": "2001-01-01T00:00:00Z"})
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["path"] == "expiresAt"


async def test_what_a_maker_leaves_open_is_what_it_has_of_the_usual(service: Service) -> None:
    maker = await service.make_key(scopes=frozenset({"keys:write", "images:generate"}))
    async with service.client(maker) as http:
        made = await http.post("/api/v1/keys", json={"name": "helper"})
    assert (made.status_code, made.json()["key"]["scopes"]) == (201, ["images:generate"])
