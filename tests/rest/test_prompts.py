"""The prompt library over REST: kept, filled, generated from, taken elsewhere, gone with the account."""

import httpx2
from tests.service import SKETCH, Service

from limner.prompts import saved

SHOT = {
    "kind": "template",
    "name": "product-shot",
    "title": "Product shot",
    "text": "A photograph of {{subject}} on {{surface=white marble|raw oak}}",
    "settings": {"modelId": SKETCH, "aspectRatio": "4:3", "style": "soft light"},
}
INK = {"kind": "style", "name": "ink", "title": "Ink", "text": "loose ink drawing, one line"}


async def keep(http: httpx2.AsyncClient, **body: object) -> dict[str, object]:
    answer = await http.post("/api/v1/prompts", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["prompt"]


async def test_a_template_is_kept_filled_and_generated_from(any_service: Service) -> None:
    http = any_service.http
    made = await keep(http, **SHOT)
    assert made["placeholders"] == [
        {"name": "subject", "values": [], "required": True},
        {"name": "surface", "values": ["white marble", "raw oak"], "required": False},
    ]
    filled = await http.post("/api/v1/prompts/product-shot/fill", json={"values": {"subject": "a red kettle"}})
    arguments = filled.json()["arguments"]
    assert arguments == {"prompt": "A photograph of a red kettle on white marble", **SHOT["settings"]}  # type: ignore[dict-item]
    image = (await any_service.generate(**arguments)).json()["image"]
    assert (image["prompt"], image["style"], image["aspectRatio"]) == (arguments["prompt"], "soft light", "4:3")
    missing = await http.post("/api/v1/prompts/product-shot/fill", json={"values": {}})
    assert missing.json()["error"]["details"][0]["path"] == "values.subject"


async def test_listed_changed_and_deleted_by_id_or_name(any_service: Service) -> None:
    http = any_service.http
    shot, ink = await keep(http, **SHOT), await keep(http, **INK)
    assert (await http.get("/api/v1/prompts")).json() == {"prompts": [ink, shot]}
    assert (await http.get("/api/v1/prompts?kind=style")).json() == {"prompts": [ink]}
    changed = await http.put(f"/api/v1/prompts/{ink['id']}", json={**INK, "name": "pen", "text": "fine pen"})
    assert (changed.json()["prompt"]["id"], changed.json()["prompt"]["text"]) == (ink["id"], "fine pen")
    assert (await http.get("/api/v1/prompts/ink")).status_code == 404
    assert (await http.get("/api/v1/prompts/pen")).json() == changed.json()
    assert (await http.delete("/api/v1/prompts/pen")).status_code == 204
    assert (await http.get("/api/v1/prompts")).json() == {"prompts": [shot]}


async def test_what_cannot_be_kept_is_refused_with_its_field(any_service: Service) -> None:
    await keep(any_service.http, **SHOT)
    refused = [
        ({**SHOT}, "name"),
        ({**SHOT, "name": "generate-image"}, "name"),
        ({**SHOT, "name": "Product Shot"}, "name"),
        ({**SHOT, "name": "other", "text": "a {{b c}}"}, "text"),
        ({**INK, "text": "x" * 501}, "text"),
        ({**INK, "settings": {"quality": "high"}}, "settings"),
        ({**SHOT, "name": "other", "settings": {"quality": "best"}}, "settings.quality"),
    ]
    for body, path in refused:
        answer = await any_service.http.post("/api/v1/prompts", json=body)
        assert (answer.status_code, answer.json()["error"]["details"][0]["path"]) == (400, path), body
    await keep(any_service.http, **INK)
    renamed = await any_service.http.put("/api/v1/prompts/ink", json={**INK, "name": "product-shot"})
    assert renamed.json()["error"]["details"][0]["code"] == "taken"


async def test_an_export_is_taken_in_by_another_account_and_again_replaces(any_service: Service) -> None:
    await keep(any_service.http, **SHOT)
    await keep(any_service.http, **INK)
    export = (await any_service.http.get("/api/v1/prompts/export")).json()
    _, key = await any_service.account("other@example.org")
    async with any_service.client(key) as other:
        assert (await other.get("/api/v1/prompts/product-shot")).status_code == 404
        assert (await other.post("/api/v1/prompts/import", json=export)).json() == {"created": 2, "updated": 0}
        assert (await other.post("/api/v1/prompts/import", json=export)).json() == {"created": 0, "updated": 2}
        assert (await other.get("/api/v1/prompts/export")).json() == export
        bad = {"version": 1, "prompts": [{**INK, "name": "good"}, {**INK, "name": "bad", "text": "x" * 501}]}
        assert (await other.post("/api/v1/prompts/import", json=bad)).status_code == 400
        assert (await other.get("/api/v1/prompts/good")).status_code == 404


async def test_reading_and_keeping_need_their_scopes(service: Service) -> None:
    await keep(service.http, **INK)
    async with service.client(await service.make_key(scopes=frozenset({"images:read"}))) as reader:
        assert (await reader.get("/api/v1/prompts/ink")).status_code == 200
        for method, path in (("POST", ""), ("PUT", "/ink"), ("DELETE", "/ink"), ("POST", "/import")):
            answer = await reader.request(method, f"/api/v1/prompts{path}", json=INK)
            assert (answer.status_code, answer.json()["error"]["scope"]) == (403, "images:generate")
    async with service.client(await service.make_key(scopes=frozenset({"account:read"}))) as stranger:
        assert (await stranger.get("/api/v1/prompts")).json()["error"]["scope"] == "images:read"


async def test_no_more_than_an_account_may_keep(service: Service) -> None:
    many = [{**INK, "name": f"ink-{number}"} for number in range(saved.MOST_PER_ACCOUNT)]
    await service.http.post("/api/v1/prompts/import", json={"version": 1, "prompts": many})
    answer = await service.http.post("/api/v1/prompts", json=INK)
    assert (answer.status_code, "200" in answer.json()["error"]["message"]) == (400, True)
