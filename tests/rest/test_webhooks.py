"""Webhooks over REST, and what happens that they are told."""

from typing import Any

import orjson
from tests.service import Service

from limner.errors import UpstreamTimeout
from limner.webhooks import endpoints
from limner.webhooks.endpoints import EVENT_TYPES


async def listen(service: Service) -> str:
    """A webhook, past the check of its address, which no loopback passes."""
    clock = service.services.clock
    webhook = await service.services.database.write(
        lambda tx: endpoints.create(tx, service.account_id, "https://files.test/", EVENT_TYPES, clock())
    )
    return webhook.id


async def told(service: Service) -> list[dict[str, Any]]:
    rows = await service.services.database.read(lambda tx: tx.all("SELECT payload FROM deliveries ORDER BY id"))
    return [orjson.loads(row["payload"]) for row in rows]


async def test_an_address_is_registered_listed_and_deleted(service: Service) -> None:
    made = await service.http.post("/api/v1/webhooks", json={"url": "https://1.1.1.1/hook", "events": ["image.failed"]})
    assert made.status_code == 201, made.text
    webhook = made.json()["webhook"]
    assert made.json()["secret"].startswith("whsec_")
    assert webhook["events"] == ["image.failed"]
    listed = await service.http.get("/api/v1/webhooks")
    assert listed.json() == {"webhooks": [webhook]}
    log = (await service.http.get(f"/api/v1/webhooks/{webhook['id']}/deliveries")).json()
    assert log == {"deliveries": [], "limit": 20, "offset": 0}
    assert (await service.http.delete(f"/api/v1/webhooks/{webhook['id']}")).status_code == 204
    assert (await service.http.get("/api/v1/webhooks")).json() == {"webhooks": []}
    assert (await service.http.delete(f"/api/v1/webhooks/{webhook['id']}")).status_code == 404


async def test_addresses_inside_our_network_are_refused(service: Service) -> None:
    for url in ("https://127.0.0.1/", "https://10.1.2.3/", "http://1.1.1.1/", "https://169.254.169.254/", "nonsense:"):
        answer = await service.http.post("/api/v1/webhooks", json={"url": url})
        assert answer.status_code == 400, url
        assert answer.json()["error"]["details"][0]["path"] == "url"


async def test_outcomes_are_told_without_prompts(any_service: Service) -> None:
    await listen(any_service)
    image = (await any_service.generate(prompt="a secret garden")).json()["image"]
    any_service.stage.errors["bad"] = UpstreamTimeout()
    await any_service.generate(prompt="bad")
    events = await told(any_service)
    assert [event["type"] for event in events] == ["image.succeeded", "image.failed"]
    succeeded, failed = events
    assert (succeeded["data"]["image"]["id"], succeeded["data"]["image"]["sha256"]) == (image["id"], image["sha256"])
    assert succeeded["data"]["image"]["credits"] == {"charged": 1}
    assert failed["data"]["image"]["error"]["code"] == "upstream_timeout"
    assert "garden" not in str(events)


async def test_a_balance_that_falls_below_the_line_is_told_once(any_service: Service) -> None:
    await listen(any_service)
    await any_service.services.database.write(lambda tx: tx.execute("UPDATE accounts SET low_balance_credits = 98"))
    await any_service.generate(n=4)
    low = [event for event in await told(any_service) if event["type"] == "credits.low"]
    assert [event["data"] for event in low] == [{"creditBalance": 97, "threshold": 98}]


async def test_a_cap_that_stops_calls_is_told_once_in_its_period(any_service: Service) -> None:
    await listen(any_service)
    key = (await any_service.http.patch("/api/v1/keys/current", json={"cap": {"limit": 1, "period": "day"}})).json()
    await any_service.generate()
    for _ in range(3):
        assert (await any_service.generate()).json()["error"]["code"] == "spend_cap_exceeded"
    reached = [event for event in await told(any_service) if event["type"] == "cap.reached"]
    assert [event["data"]["cap"]["capOf"] for event in reached] == [key["key"]["id"]]
