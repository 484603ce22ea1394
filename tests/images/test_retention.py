"""Pictures older than their account keeps them are forgotten; the ledger's line stays."""

from datetime import timedelta

from tests.service import Service

from limner.db.types import now
from limner.images.retention import Retention


async def test_what_is_older_than_the_account_keeps_is_forgotten(any_service: Service) -> None:
    services = any_service.services
    await any_service.generate(n=3)
    link = (await any_service.generate()).json()["image"]["imageUrl"]
    _, key = await any_service.account("keeper@example.org")
    async with any_service.client(key) as keeper:
        await keeper.post("/api/v1/images/generate", json={"prompt": "kept", "includeBytes": False})
    later = now() + timedelta(days=31)
    sweeper = Retention(database=services.database, blobs=services.blobs, clock=lambda: later)
    assert await sweeper.sweep() == 0
    await services.database.write(
        lambda tx: tx.execute("UPDATE accounts SET retention_days = 30 WHERE id = :id", id=any_service.account_id)
    )
    assert await Retention(database=services.database, blobs=services.blobs, clock=now).sweep() == 0
    assert await sweeper.sweep() == 4
    assert (await any_service.http.get("/api/v1/images")).json()["total"] == 0
    assert (await any_service.http.get(link)).status_code == 404
    prompts = await services.database.read(lambda tx: tx.all("SELECT prompt FROM generations WHERE prompt IS NOT NULL"))
    assert [row["prompt"] for row in prompts] == ["kept"]
    assert (await any_service.balance()).ledger == 96
    assert await any_service.audit() == []
