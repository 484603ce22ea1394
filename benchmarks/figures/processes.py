"""10. Two serving processes on PostgreSQL beside one: reads, and pictures of the built-in model.

Needs a machine with more than two cores and nothing else to do: the load, the database and the servers share them.
"""

from itertools import count

from benchmarks import load
from benchmarks.figures.image import _order
from benchmarks.measure import Row, Subject, alternating
from benchmarks.postgres import postgresql
from benchmarks.servers import Limner, limner
from benchmarks.sizes import Size

TITLE = "Two processes on PostgreSQL"


def measure(size: Size) -> list[Row]:
    rows: list[Row] = []
    with postgresql() as one_url, postgresql() as two_url:
        one_env, two_env = {"LIMNER_DATABASE_URL": one_url}, {"LIMNER_DATABASE_URL": two_url}
        with limner(env=one_env) as one, limner(env=two_env, arguments=["--workers", "2"]) as two:
            for name, work, number in (
                ("reads", _reads, size.requests // 3),
                ("pictures", _pictures(), size.images // 2),
            ):
                subjects = {"one": _subject(one, work), "two": _subject(two, work)}
                costs = alternating(subjects, count=max(number, 2), rounds=size.rounds)
                rows.append(
                    Row(
                        f"Two processes, {name}",
                        costs["two"].per_second,
                        f"{name}/s",
                        costs["one"].per_second,
                        "one process",
                        1.7,
                        "least",
                    )
                )
    return rows


def _subject(server: Limner, work) -> Subject:
    return Subject(server.pid, lambda number: work(server, number))


def _reads(server: Limner, number: int) -> None:
    load.send(server.port, [load.request("/api/v1/account", headers=server.auth)], count=number, connections=32)


def _pictures():
    numbers = count()

    def work(server: Limner, number: int) -> None:
        calls = [_order("limner:sketch", next(numbers), server.auth) for _ in range(number)]
        load.send(server.port, calls, count=number, connections=16)

    return work
