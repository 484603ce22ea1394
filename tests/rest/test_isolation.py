"""Two tenants against every route: another account's things read exactly like things that never were."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
from tests.service import Service, serving

from limner.accounts.principal import SCOPES
from limner.rest.operations import OPERATIONS
from limner.webhooks import deliveries, endpoints
from limner.webhooks.endpoints import EVENT_TYPES

NEVER = "0190a5b2-7c1e-7000-8000-00000000000a"
PROMPT = {"kind": "template", "name": "boat", "title": "A boat", "text": "a red boat at {{hour}}"}
BODIES: dict[str, dict[str, Any]] = {
    "/api/v1/keys/{id}": {"cap": {"limit": 1, "period": "day"}},
    "/api/v1/prompts/{id}": PROMPT,
}


async def belongings(service: Service) -> dict[str, dict[str, str]]:
    """One of each thing of the first account, by the path that names it."""
    image = (await service.generate()).json()["image"]["id"]
    key = (await service.http.get("/api/v1/keys/current")).json()["key"]["id"]
    prompt = (await service.http.post("/api/v1/prompts", json=PROMPT)).json()["prompt"]["id"]
    clock = service.services.clock

    def tell(tx: Any) -> tuple[str, str]:
        webhook = endpoints.create(tx, service.account_id, "https://files.test/", EVENT_TYPES, clock())
        deliveries.emit(tx, service.account_id, "image.failed", {}, clock())
        return webhook.id, tx.scalar("SELECT id FROM deliveries")

    webhook, delivery = await service.services.database.write(tell)
    return {
        "images": {"id": image},
        "keys": {"id": key},
        "prompts": {"id": prompt},
        "webhooks": {"id": webhook, "delivery_id": delivery},
    }


async def test_no_route_tells_another_accounts_things_from_things_that_never_were(
    tmp_path: Path, database_url: str
) -> None:
    async with serving(tmp_path, database_url) as service:
        theirs = await belongings(service)
        _, secret = await service.account("other@example.org", scopes=frozenset(SCOPES))
        async with service.client(secret) as other:
            tried = 0
            for operation in OPERATIONS:
                if "{id}" in operation.path:
                    ids = theirs[operation.path.split("/")[3]]
                    answers = [
                        await send(other, operation.method, operation.path, named)
                        for named in (ids, dict.fromkeys(ids, NEVER))
                    ]
                    assert [each[0] for each in answers] == [404, 404], operation
                    assert answers[0] == answers[1], operation
                    tried += 1
            assert tried == 16
            for path in ("/api/v1/images", "/api/v1/keys", "/api/v1/webhooks", "/api/v1/usage", "/api/v1/prompts"):
                listed = (await other.get(path)).text
                assert not any(each in listed for ids in theirs.values() for each in ids.values())
            for pointer in (theirs["images"]["id"], NEVER):
                answer = await other.post("/api/v1/images/edit", json={"instruction": "x", "images": [pointer]})
                assert answer.status_code == 404
        assert (await service.http.get(f"/api/v1/images/{theirs['images']['id']}")).status_code == 200


async def send(http: httpx2.AsyncClient, method: str, path: str, ids: dict[str, str]) -> tuple[int, object]:
    body = BODIES.get(path, {}) if method in ("POST", "PATCH", "PUT") else None
    answer = await http.request(method, path.format(**ids), json=body)
    error = answer.json()["error"] | {"requestId": ""}
    return answer.status_code, str(error).replace(ids["id"], "ID")


async def test_forged_expired_and_foreign_credentials_all_read_the_same(service: Service) -> None:
    good = service.key
    forged = good[:-1] + ("0" if good[-1] != "0" else "1")
    revoked = await service.make_key(scopes=frozenset(SCOPES))
    async with service.client(revoked) as http:
        await http.delete("/api/v1/keys/current")
    seen: set[str] = set()
    for credential in (forged, "sk_" + "0" * 36, revoked, "x" * 5000, "sk_", "Bearer", "é"):
        async with service.client() as http:
            answer = await http.get("/api/v1/account", headers={"Authorization": f"Bearer {credential}".encode()})
        assert answer.status_code == 401
        seen.add(str(answer.json()["error"] | {"requestId": ""}))
    assert len(seen) == 1


async def test_no_secret_is_in_the_database_the_blobs_the_log_or_an_error(
    tmp_path: Path, sqlite_url: str, capfd: Any
) -> None:
    async with serving(tmp_path, sqlite_url) as service:
        maker = await service.make_key(scopes=frozenset(SCOPES))
        async with service.client(maker) as http:
            made = (await http.post("/api/v1/keys", json={"scopes": ["images:generate"]})).json()["secret"]
            rotated = (await http.post("/api/v1/keys/current/rotate")).json()["secret"]
            answers = [
                await http.get("/api/v1/keys"),
                await http.get("/api/v1/account"),
                await http.get(f"/api/v1/images/{made}"),
                await http.post("/api/v1/images/generate", json={"prompt": 7, "modelId": made}),
                await http.post("/api/v1/images/generate", content=b"{" + made.encode()),
            ]
        await service.generate(prompt="a boat")
        secrets = [service.key, maker, made, rotated]
        for answer in answers[:2]:
            assert not any(secret in answer.text for secret in secrets)
        assert not any(secret in answers[-1].text for secret in secrets)
    kept = await asyncio.to_thread(everything_in, tmp_path)
    logged = "".join(capfd.readouterr())
    for secret in (service.key, maker, rotated):
        assert secret.encode() not in kept
        assert secret not in logged
    assert made.encode() not in kept


def everything_in(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())
