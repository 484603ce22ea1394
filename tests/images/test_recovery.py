"""What a dead or stuck process leaves behind is put right by lease: charged if and only if retrievable."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from tests.peers import comfyui
from tests.peers.comfyui import ComfyUIPeer
from tests.service import Service, Stage, free_port, one_server, serving, until_answer

from limner.app import Services
from limner.db.types import now
from limner.errors import UpstreamUnavailable
from limner.images.recovery import GRACE_SECONDS, MOST_RUNS, Recovery
from limner.providers.base import Unbilled

LONG_AGO = now() - timedelta(hours=2)


async def start_and_lose_the_lease(service: Service) -> str:
    """A generation whose provider is at work under a lease that has run out."""
    service.stage.holding = True
    before = len(service.stage.seen)
    image_id = (await service.generate(waitSeconds=0)).json()["image"]["id"]
    await service.stage.arrival(before + 1)
    await expire(service, image_id)
    return image_id


async def expire(service: Service, image_id: str) -> None:
    await service.services.database.write(
        lambda tx: tx.execute("UPDATE generations SET lease_until = :past WHERE id = :id", past=LONG_AGO, id=image_id)
    )


async def sweep(service: Service) -> int:
    return await sweep_of(service.services)


async def sweep_of(services: Services) -> int:
    return await Recovery(services.parts, services.queue, services.providers.seats).sweep()


async def image(service: Service, image_id: str, wait: int = 0) -> dict[str, object]:
    return (await service.http.get(f"/api/v1/images/{image_id}?format=metadata&wait={wait}")).json()["image"]


async def test_work_that_costs_nothing_to_repeat_runs_again_and_is_charged_once(any_service: Service) -> None:
    image_id = await start_and_lose_the_lease(any_service)
    await sweep(any_service)
    any_service.stage.let_go()
    done = await image(any_service, image_id, wait=20)
    assert done["status"] == "succeeded"
    assert await any_service.transaction_types() == ["grant", "charge"]
    await until_answer(lambda: healthy(any_service))


async def test_a_picture_its_server_dies_of_again_and_again_is_given_up(any_service: Service) -> None:
    image_id = await start_and_lose_the_lease(any_service)
    for run in range(2, MOST_RUNS + 1):
        await sweep(any_service)
        await any_service.stage.arrival(run)
        await expire(any_service, image_id)
    await sweep(any_service)
    given_up = await image(any_service, image_id)
    assert (given_up["status"], given_up["error"]["code"]) == ("failed", "internal")
    assert len(any_service.stage.seen) == MOST_RUNS
    assert (await any_service.balance()).available == 100
    any_service.stage.let_go()
    await until_answer(lambda: healthy(any_service))


async def test_work_that_was_sent_and_is_unknown_is_never_paid_twice(any_service: Service) -> None:
    any_service.services.providers["limner"].safe_to_repeat = False
    image_id = await start_and_lose_the_lease(any_service)
    await sweep(any_service)
    failed = await image(any_service, image_id)
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "upstream_timeout"
    any_service.stage.let_go()  # the late runner comes back with its picture, and finds its lease gone
    await until_answer(lambda: no_bytes_left(any_service, image_id))
    assert (await image(any_service, image_id))["status"] == "failed"
    assert len(any_service.stage.seen) == 1
    assert (await any_service.balance()).available == 100
    assert await any_service.audit() == []


class SilentOnce(ComfyUIPeer):
    """Takes the first order and never says so: whoever sent it holds no handle."""

    async def make(self, request: Request) -> Response:
        if not self.orders:
            await self.keep(request)
            self._asked.set()
            await asyncio.to_thread(self._gate.wait, 60)
        return await super().make(request)


async def test_work_is_left_to_a_process_that_has_its_supplier_and_knows_whether_it_may_be_repeated(
    tmp_path: Path, postgresql_url: str, s3_env: dict[str, str]
) -> None:
    workflow = tmp_path / "workflow.json"
    workflow.write_text(json.dumps(comfyui.WORKFLOW))
    with SilentOnce() as peer:
        env = s3_env | {"LIMNER_COMFYUI_URL": peer.base_url, "LIMNER_COMFYUI_WORKFLOW": str(workflow)}
        async with (
            serving(tmp_path / "has it", postgresql_url, env=env) as service,
            one_server(tmp_path / "has not", postgresql_url, free_port(), Stage(), s3_env) as other,
        ):
            await until_answer(lambda: knows_who_has(other, "comfyui"))
            begun = await service.generate(modelId="comfyui:workflow", waitSeconds=0)
            image_id = begun.json()["image"]["id"]
            await peer.asked()
            await expire(service, image_id)
            await sweep_of(other)
            assert (await image(service, image_id))["status"] in ("running", "queued")
            await sweep(service)
            done = await image(service, image_id, wait=60)
            assert (done["status"], len(peer.orders)) == ("succeeded", 2)
            assert await service.transaction_types() == ["grant", "charge"]
            peer.release()


async def knows_who_has(services: Services, provider_id: str) -> bool:
    return provider_id in (await services.queue.fleet()).providers


async def test_a_picture_that_is_complete_is_charged_and_succeeds_without_asking_again(any_service: Service) -> None:
    made = (await any_service.generate()).json()["image"]
    data = await any_service.services.blobs.get(await blob_key(any_service, made["id"]))
    any_service.services.providers["limner"].safe_to_repeat = False
    image_id = await start_and_lose_the_lease(any_service)
    await any_service.services.blobs.put(f"images/{image_id}/original/dead.png", data, "image/png")
    await sweep(any_service)
    found = await image(any_service, image_id)
    assert (found["status"], found["sha256"]) == ("succeeded", made["sha256"])
    any_service.stage.let_go()
    await until_answer(lambda: healthy(any_service))
    assert await any_service.transaction_types() == ["grant", "charge", "charge"]


async def test_who_waits_too_long_in_the_queue_is_told_and_not_charged(service: Service) -> None:
    service.stage.holding = True
    blocking = [(await service.generate(prompt=f"{n}", waitSeconds=0)).json()["image"]["id"] for n in range(3)]
    await service.stage.arrival()
    await service.services.database.write(
        lambda tx: tx.execute(
            "UPDATE generations SET status = 'queued', lease = NULL, deadline_at = :past WHERE id = :id",
            past=LONG_AGO,
            id=blocking[2],
        )
    )
    await sweep(service)
    late = await image(service, blocking[2])
    assert (late["status"], late["error"]["code"]) == ("failed", "server_busy")
    assert (await service.balance()).held == 2


async def test_what_waits_for_a_supplier_nobody_has_is_failed_only_when_none_came_back_in_a_while(
    tmp_path: Path, sqlite_url: str
) -> None:
    moment = now()
    async with serving(tmp_path, sqlite_url, clock=lambda: moment) as service:
        service.stage.holding = True
        image_id = (await service.generate(waitSeconds=0)).json()["image"]["id"]
        await service.stage.arrival()
        recovery = Recovery(service.services.parts, service.services.queue, service.services.providers.seats)

        async def after(seconds: int) -> tuple[object, object]:
            nonlocal moment
            moment += timedelta(seconds=seconds)
            await service.services.database.write(
                lambda tx: tx.execute(
                    "UPDATE generations SET lease = NULL, sent_at = NULL, provider_id = 'openai', status = 'queued'"
                    " WHERE id = :id AND status <> 'failed'",
                    id=image_id,
                )
            )
            await recovery.sweep()
            found = await image(service, image_id)
            return found["status"], found["error"] and found["error"]["code"]

        assert await after(0) == ("queued", None)
        assert await after(GRACE_SECONDS - 1) == ("queued", None)
        assert await after(1) == ("failed", "model_unavailable")
        assert (await service.balance()).available == 100


async def test_only_what_was_certainly_not_billed_is_sent_again(service: Service) -> None:
    service.stage.errors["refused connection"] = Unbilled(UpstreamUnavailable(), delay_seconds=0)
    service.stage.errors["lost answer"] = UpstreamUnavailable()
    retried = await service.generate(prompt="refused connection")
    not_retried = await service.generate(prompt="lost answer")
    assert retried.json()["error"]["code"] == not_retried.json()["error"]["code"] == "upstream_unavailable"
    assert [request.prompt for request in service.stage.seen].count("refused connection") == 3
    assert [request.prompt for request in service.stage.seen].count("lost answer") == 1
    assert await service.transaction_types() == ["grant"]


async def test_a_bug_in_a_supplier_is_an_internal_error_and_not_charged(service: Service) -> None:
    service.stage.errors["boom"] = RuntimeError("a secret that must not leak")
    answer = await service.generate(prompt="boom")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert (await service.balance()).available == 100


async def healthy(service: Service) -> bool:
    return await service.audit() == [] and (await service.balance()).held == 0


async def no_bytes_left(service: Service, image_id: str) -> bool:
    return [blob async for blob in service.services.blobs.keys(f"images/{image_id}/")] == []


async def blob_key(service: Service, image_id: str) -> str:
    return await service.services.database.read(
        lambda tx: tx.scalar("SELECT blob_key FROM generations WHERE id = :id", id=image_id)
    )
