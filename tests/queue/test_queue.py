"""Handing out work: every account in turn, every provider on its own."""

import asyncio

import pytest

from limner.queue.base import Event, Job, Queue
from limner.queue.embedded import EmbeddedEvents, EmbeddedQueue


@pytest.fixture
def queue() -> Queue:
    return EmbeddedQueue()


def jobs(account: str, count: int, provider: str = "limner") -> list[Job]:
    return [Job(f"{account}{number}", account, provider) for number in range(count)]


async def test_one_accounts_five_hundred_do_not_delay_anothers_first(queue: Queue) -> None:
    await queue.put(jobs("a", 500))
    await queue.put(jobs("b", 1))
    first_three = [(await queue.take("limner")).generation_id for _ in range(3)]
    assert first_three == ["a0", "b0", "a1"]


async def test_a_place_in_the_queue_comes_true(queue: Queue) -> None:
    await queue.put(jobs("a", 3))
    await queue.put(jobs("b", 2))
    await queue.put(jobs("c", 1))
    places = {
        job.generation_id: queue.place(job.generation_id) for job in [*jobs("a", 3), *jobs("b", 2), *jobs("c", 1)]
    }
    taken = [(await queue.take("limner")).generation_id for _ in range(6)]
    assert [name for name, _ in sorted(places.items(), key=lambda item: item[1] or 0)] == taken
    assert queue.place("a0") is None


async def test_a_slow_provider_does_not_hold_up_another(queue: Queue) -> None:
    await queue.put(jobs("a", 2, "openai"))
    await queue.put(jobs("b", 1, "limner"))
    assert (await queue.take("limner")).generation_id == "b0"


async def test_a_job_that_already_waits_is_not_put_twice(queue: Queue) -> None:
    await queue.put(jobs("a", 1))
    await queue.put(jobs("a", 1))
    assert queue.waiting() == 1


async def test_a_taker_who_gives_up_loses_no_job(queue: Queue) -> None:
    impatient = asyncio.create_task(queue.take("limner"))
    patient = asyncio.create_task(queue.take("limner"))
    await asyncio.sleep(0)
    await queue.put(jobs("a", 1))
    impatient.cancel()
    assert (await asyncio.wait_for(patient, 5)).generation_id == "a0"


async def test_a_watcher_sees_the_newest_progress_and_never_misses_an_end() -> None:
    events = EmbeddedEvents()
    with events.watch(["g"]) as watching:
        for percent in range(100):
            events.publish(Event("running", "g", "rendering", percent / 100))
        events.publish(Event("ended", "g"))
        seen = [await watching.next(1), await watching.next(1)]
    assert [event and (event.kind, event.fraction) for event in seen] == [("running", 0.99), ("ended", None)]


async def test_silence_is_told_apart_from_news() -> None:
    with EmbeddedEvents().watch(["g"]) as watching:
        assert await watching.next(0.01) is None
