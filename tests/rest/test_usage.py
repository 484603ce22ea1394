"""What was spent, over REST: pages, filters, CSV."""

import csv
import io
from datetime import UTC, datetime, timedelta

from tests.service import SKETCH, Service

from limner.credits import ledger


async def test_usage_lists_every_line_newest_first_and_goes_on_by_cursor(service: Service) -> None:
    ids = [(await service.generate(prompt=f"{number}")).json()["image"]["id"] for number in range(3)]
    first = (await service.http.get("/api/v1/usage?limit=2")).json()
    rest = (await service.http.get(f"/api/v1/usage?limit=2&cursor={first['nextCursor']}")).json()
    lines = first["transactions"] + rest["transactions"]
    assert [line["generationId"] for line in lines] == [*ids[::-1], None]
    assert [line["amount"] for line in lines] == [-1, -1, -1, 100]
    assert [line["balanceAfter"] for line in lines] == [97, 98, 99, 100]
    assert (first["total"], first["limit"], first["offset"], rest["nextCursor"]) == (4, 2, 0, lines[-1]["id"])


async def test_usage_is_filtered_by_key_model_and_time(any_service: Service) -> None:
    other = await any_service.make_key()
    await any_service.generate()
    async with any_service.client(other) as http:
        await http.post("/api/v1/images/generate", json={"prompt": "x", "includeBytes": False})
        key_id = (await http.get("/api/v1/keys/current")).json()["key"]["id"]

    async def count(**query: str) -> int:
        answer = (await any_service.http.get("/api/v1/usage", params=query)).json()
        assert answer["total"] is None
        return len(answer["transactions"])

    now = datetime.now(UTC)
    assert await count(keyId=key_id) == 1
    assert await count(modelId=SKETCH) == 2
    assert await count(keyId=key_id, modelId="openai:gpt-image-2") == 0
    assert await count(**{"from": (now - timedelta(hours=1)).isoformat()}) == 3
    assert await count(to=(now - timedelta(hours=1)).isoformat()) == 0
    assert await count(**{"from": (now + timedelta(days=1)).date().isoformat()}) == 0
    wrong = await any_service.http.get("/api/v1/usage?from=yesterday")
    assert wrong.json()["error"]["details"][0]["path"] == "from"


async def test_usage_as_csv_has_every_line_whichever_way_it_is_asked_for(service: Service) -> None:
    await service.generate(n=3)
    for request in (
        service.http.get("/api/v1/usage?format=csv"),
        service.http.get("/api/v1/usage", headers={"Accept": "text/csv"}),
    ):
        answer = await request
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert [row["amount"] for row in rows] == ["-1", "-1", "-1", "100"]
        assert rows[0]["modelId"] == SKETCH
    page = await service.http.get("/api/v1/usage?format=csv&limit=1")
    assert len(list(csv.DictReader(io.StringIO(page.text)))) == 1


async def test_a_description_cannot_become_a_formula(service: Service) -> None:
    entry = ledger.Entry("=HYPERLINK(1)")
    now = datetime.now(UTC)
    await service.services.database.write(lambda tx: ledger.add(tx, service.account_id, 1, "adjustment", entry, now))
    answer = await service.http.get("/api/v1/usage?format=csv")
    assert next(csv.DictReader(io.StringIO(answer.text)))["description"] == "'=HYPERLINK(1)"


async def test_a_key_without_the_scope_sees_no_usage(service: Service) -> None:
    async with service.client(await service.make_key(scopes=frozenset({"images:generate"}))) as http:
        assert (await http.get("/api/v1/usage?format=csv")).json()["error"]["scope"] == "usage:read"
