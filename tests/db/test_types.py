"""Ids and times as they stand in the database."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from tests.subprocesses import run_python

from limner.db.types import first_id_at, new_id, now


def test_ids_are_uuids_that_sort_in_the_order_they_were_made() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert {(uuid.UUID(each).version, uuid.UUID(each).variant) for each in ids} == {(7, uuid.RFC_4122)}


def test_ids_made_in_many_threads_are_all_different() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: [new_id() for _ in range(1000)], range(8)))
    assert all(ids == sorted(ids) for ids in made)
    assert len({each for ids in made for each in ids}) == 8000


def test_a_range_of_time_is_a_range_of_ids() -> None:
    for _ in range(100):
        assert first_id_at(now()) <= new_id() < first_id_at(now() + timedelta(milliseconds=2))


FORKED = """
import os, time
from limner.db.types import new_id
new_id()
reading, writing = os.pipe()
if os.fork() == 0:
    time.sleep(0.005)  # an id of the same millisecond builds on the one before
    os.write(writing, new_id()[-12:].encode())
    os._exit(0)
os.wait()
time.sleep(0.005)
print(new_id()[-12:] == os.read(reading, 100).decode())
"""


def test_a_forked_child_draws_random_bits_of_its_own() -> None:
    assert run_python(FORKED).stdout == "False\n"
