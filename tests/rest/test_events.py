"""Server-sent events of a generation, through the front door."""

from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import orjson
import pybase64
from PIL import Image
from starlette.applications import Starlette
from tests.service import Service, free_port, listening, until

from limner.errors import UpstreamTimeout
from limner.queue.base import Event
from limner.queue.embedded import EmbeddedEvents
from limner.rest.door import Door
from limner.rest.events import EventRoutes


async def told(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    kind = ""
    async for line in lines:
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield kind, orjson.loads(line.removeprefix("data: "))


async def test_a_picture_is_followed_from_running_to_done(any_service: Service) -> None:
    any_service.stage.holding = True
    image = (await any_service.generate(waitSeconds=0)).json()["image"]
    await any_service.stage.arrival()
    kinds: list[str] = []
    async with any_service.http.stream("GET", f"/api/v1/images/{image['id']}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        async for kind, data in told(stream.aiter_lines()):
            kinds.append(kind)
            if len(kinds) == 1:
                assert data["id"] == image["id"]
                any_service.stage.let_go()
            last = data
    assert kinds[0] == "running"
    assert kinds[-1] == "done"
    assert last["image"]["status"] == "succeeded"
    assert last["image"]["credits"] == {"charged": 1, "remaining": 99}
    assert last["image"]["imageUrl"]


async def test_partial_pictures_come_in_the_size_of_previews(service: Service) -> None:
    service.stage.holding = True
    image = (await service.generate(waitSeconds=0)).json()["image"]
    await service.stage.arrival()
    drawn = BytesIO()
    Image.effect_noise((1600, 1200), 90).convert("RGB").save(drawn, "PNG")
    partial: dict[str, Any] = {}
    async with service.http.stream("GET", f"/api/v1/images/{image['id']}/events") as stream:
        async for kind, data in told(stream.aiter_lines()):
            if kind == "running" and not partial:
                event = Event("partial", image["id"], partial=drawn.getvalue(), partial_media_type="image/png")
                service.services.parts.events.publish(event)
            if kind == "partial":
                partial = data
                service.stage.let_go()
    assert max(partial["width"], partial["height"]) == 512
    assert len(partial["b64_json"]) <= 100_000
    with Image.open(BytesIO(pybase64.b64decode(partial["b64_json"]))) as shown:
        assert Image.MIME[shown.format or ""] == partial["mediaType"]


async def test_what_has_ended_is_told_at_once(service: Service) -> None:
    service.stage.errors["bad"] = UpstreamTimeout()
    failed = (await service.generate(prompt="bad")).json()["error"]["generationId"]
    async with service.http.stream("GET", f"/api/v1/images/{failed}/events") as stream:
        events = [each async for each in told(stream.aiter_lines())]
    assert [kind for kind, _ in events] == ["done"]
    assert events[0][1]["image"]["error"]["code"] == "upstream_timeout"
    unknown = await service.http.get("/api/v1/images/0190a5b2-0000-7000-8000-000000000000/events")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "not_found")


async def test_a_quiet_stream_shows_that_it_lives_and_ends_when_its_reader_leaves(service: Service) -> None:
    services = service.services
    routes = EventRoutes(services.images, services.links, services.pool, heartbeat_seconds=0.01)
    port = free_port()
    app = Starlette(routes=routes.routes(Door(services.bearer, services.rate_limit)))
    service.stage.holding = True
    image = (await service.generate(waitSeconds=0)).json()["image"]
    await service.stage.arrival()
    async with listening(app, port):
        url = f"http://127.0.0.1:{port}/api/v1/images/{image['id']}/events"
        async with service.http.stream("GET", url) as stream:
            async for line in stream.aiter_lines():
                if line == ": still here":
                    break
            assert watchers(service, image["id"]) == 2  # the runner that waits to be cancelled, and we
        await until(lambda: watchers(service, image["id"]) == 1)


def watchers(service: Service, generation_id: str) -> int:
    events = service.services.parts.events
    assert isinstance(events, EmbeddedEvents)
    return len(events._watchers.get(generation_id, ()))
