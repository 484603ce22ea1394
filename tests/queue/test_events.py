"""News of generations: one suite on both kinds of events, and between processes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from limner.blobs.base import Blobs
from limner.blobs.open import open_blobs
from limner.db.postgres_connection import conninfo_of
from limner.queue.base import Event, Events
from limner.queue.embedded import TOGETHER_SECONDS, EmbeddedEvents, shared_moment
from limner.queue.engine import Engine
from limner.queue.fleet import FleetEvents


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[Blobs]:
    blobs = open_blobs(f"file://{tmp_path}")
    yield blobs
    await blobs.close()


@pytest.fixture(params=["embedded", "fleet"])
async def events(request: pytest.FixtureRequest, blobs: Blobs) -> AsyncIterator[Events]:
    if request.param == "embedded":
        yield EmbeddedEvents()
        return
    async with process(request.getfixturevalue("postgresql_url"), blobs, "here") as events:
        yield events


@asynccontextmanager
async def process(url: str, blobs: Blobs, process_id: str) -> AsyncIterator[FleetEvents]:
    engine = await Engine.open(conninfo_of(url), process_id, {})
    events = FleetEvents(engine, blobs, process_id)
    try:
        yield events
    finally:
        await events.close()
        await engine.close()


async def test_a_watcher_sees_the_newest_progress_and_never_misses_an_end(events: Events) -> None:
    with events.watch(["g"]) as watching:
        for percent in range(100):
            events.publish(Event("running", "g", "rendering", percent / 100))
        events.publish(Event("ended", "g"))
        seen = [await watching.next(1), await watching.next(1)]
    assert [event and (event.kind, event.fraction) for event in seen] == [("running", 0.99), ("ended", None)]


async def test_silence_is_told_apart_from_news(events: Events) -> None:
    with events.watch(["g"]) as watching:
        assert await watching.next(0.01) is None


def test_those_who_wait_long_end_together_and_never_late() -> None:
    began = [100 + n / 1000 for n in range(1000)]
    ends = [shared_moment(each, 10) for each in began]
    assert all(each + 9.99 - TOGETHER_SECONDS < end <= each + 10 for each, end in zip(began, ends, strict=True))
    assert len({round(end, 3) for end in ends}) <= 1 / TOGETHER_SECONDS + 1


def test_a_short_wait_ends_to_the_point() -> None:
    assert shared_moment(100.013, 0.02) == 100.013 + 0.02


async def test_a_watcher_who_is_woken_hears_that_there_is_no_news(events: Events) -> None:
    with events.watch(["g"]) as watching:
        asyncio.get_running_loop().call_soon(watching.wake)
        assert await watching.next(20) is None


async def test_the_latest_news_are_known_until_the_end(events: Events) -> None:
    events.publish(Event("running", "g", "rendering", 0.5))
    assert (latest := events.latest("g"))
    assert latest.fraction == 0.5
    events.publish(Event("ended", "g"))
    assert events.latest("g") is None


async def test_news_reach_watchers_in_every_process_in_order(postgresql_url: str, blobs: Blobs) -> None:
    async with process(postgresql_url, blobs, "one") as one, process(postgresql_url, blobs, "two") as two:
        with two.watch(["g"]) as watching:
            one.publish(Event("queued", "g", "queued", place=3))
            one.publish(Event("running", "g", "rendering ✎", 0.25))
            one.publish(Event("cancel", "g"))
            one.publish(Event("ended", "g"))
            seen = [await watching.next(20) for _ in range(4)]
    assert seen == [
        Event("queued", "g", "queued", place=3),
        Event("running", "g", "rendering ✎", 0.25),
        Event("cancel", "g"),
        Event("ended", "g"),
    ]


async def test_who_sends_hears_itself_once(postgresql_url: str, blobs: Blobs) -> None:
    async with process(postgresql_url, blobs, "one") as one, process(postgresql_url, blobs, "two") as two:
        with one.watch(["g"]) as here, two.watch(["g"]) as there:
            one.publish(Event("queued", "g", "queued"))
            assert await here.next(20) == await there.next(20)
            two.publish(Event("ended", "g"))
            assert await here.next(20) == Event("ended", "g")


async def test_an_unfinished_picture_far_larger_than_a_notification_arrives_whole(
    postgresql_url: str, blobs: Blobs
) -> None:
    picture = bytes(range(256)) * 2000
    async with process(postgresql_url, blobs, "one") as one, process(postgresql_url, blobs, "two") as two:
        with two.watch(["g"]) as watching:
            one.publish(Event("partial", "g", "rendering", 0.5, partial=picture, partial_media_type="image/webp"))
            assert await watching.next(20) == Event(
                "partial", "g", "rendering", 0.5, partial=picture, partial_media_type="image/webp"
            )


async def test_after_the_connection_was_cut_news_arrive_again(postgresql_url: str, blobs: Blobs) -> None:
    async with process(postgresql_url, blobs, "one") as one, process(postgresql_url, blobs, "two") as two:
        cut_all_connections(postgresql_url)
        with two.watch(["g"]) as watching:
            async with asyncio.timeout(30):
                while await watching.next(0.2) is None:
                    one.publish(Event("running", "g", "rendering"))


def cut_all_connections(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
