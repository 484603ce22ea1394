"""Bytes nobody points at go; everything somebody may still fetch or need stays."""

from datetime import timedelta

from tests.service import Service

from limner.db.types import now
from limner.images.orphans import Orphans


async def keys(service: Service) -> set[str]:
    blobs = service.services.blobs
    return {blob.key for prefix in ("images/", "inputs/") async for blob in blobs.keys(prefix)}


async def test_only_what_nobody_points_at_is_deleted(service: Service) -> None:
    image = (await service.generate()).json()["image"]
    async with service.client() as stranger:
        await stranger.get(f"{image['imageUrl']}?width=256")
    wanted = await keys(service)
    for orphan in (f"images/{image['id']}/original/lost.png", "images/unknown/original/a.png", "inputs/unknown/0"):
        await service.services.blobs.put(orphan, b"left behind", "image/png")
    later = Orphans(service.services.database, service.services.blobs, lambda: now() + timedelta(hours=2))
    young = Orphans(service.services.database, service.services.blobs, now)
    assert await young.sweep() == 0
    assert await later.sweep() == 3
    assert await keys(service) == wanted
    assert len(wanted) == 2


async def test_the_inputs_of_a_running_edit_stay(service: Service) -> None:
    image = (await service.generate()).json()["image"]
    service.stage.holding = True
    body = {"instruction": "add a sun", "images": [image["id"]], "waitSeconds": 0}
    await service.http.post("/api/v1/images/edit", json=body)
    await service.stage.arrival(2)
    later = Orphans(service.services.database, service.services.blobs, lambda: now() + timedelta(hours=2))
    assert await later.sweep() == 0
