"""10. Two serving processes on PostgreSQL beside one: reads, and pictures of the built-in model.

The load, the database and the servers share the machine. Where it has too few cores for that, one process fills it, and
only processes held to a share of a core show what a second one adds.
"""

from collections.abc import Callable, Sequence
from itertools import count

from benchmarks import load
from benchmarks.figures.image import _order
from benchmarks.measure import Row, Subject, alternating
from benchmarks.postgres import postgresql
from benchmarks.servers import Limner, limner, make_account
from benchmarks.shares import children, shares
from benchmarks.sizes import Size

TITLE = "Two processes on PostgreSQL"
SHARE = 0.2
ACCOUNTS = 16

Work = Callable[[Limner, int], None]


def measure(size: Size) -> list[Row]:
    works = [("reads", _reads(), size.requests // 3), ("pictures", _pictures(), size.images // 2)]
    with shares() as hold, postgresql() as one_url, postgresql() as two_url:
        one_env, two_env = {"LIMNER_DATABASE_URL": one_url}, {"LIMNER_DATABASE_URL": two_url}
        with limner(env=one_env) as one, limner(env=two_env, arguments=["--workers", "2"]) as two:
            rows = [_row(name, name, work, number, one, two, size) for name, work, number in works]
            if hold is not None:
                for pid in (one.pid, *children(two.pid)):
                    hold(pid, SHARE)
                for name, work, number in works:
                    rows.append(_row(f"{name}, {SHARE:.0%} of a core each", name, work, number // 3, one, two, size))
    return rows


def _row(name: str, unit: str, work: Work, number: int, one: Limner, two: Limner, size: Size) -> Row:
    subjects = {"one": _subject(one, work), "two": _subject(two, work)}
    costs = alternating(subjects, count=max(number, 2), rounds=size.rounds)
    ours, beside = costs["two"].per_second, costs["one"].per_second
    return Row(f"Two processes, {name}", ours, f"{unit}/s", beside, "one process", 1.7, "least")


def _subject(server: Limner, work: Work) -> Subject:
    return Subject(server.pid, lambda number: work(server, number))


def _reads() -> Work:
    """By many accounts in turn: one alone would have its limit counted in one row, by both processes."""
    requests: dict[int, Sequence[bytes]] = {}

    def work(server: Limner, number: int) -> None:
        if server.port not in requests:
            requests[server.port] = [_read(server, n) for n in range(ACCOUNTS)]
        load.send(server.port, requests[server.port], count=number, connections=32)

    return work


def _read(server: Limner, number: int) -> bytes:
    key = make_account(server.env, 100, f"reader{number}@example.org")
    return load.request("/api/v1/account", headers={"Authorization": f"Bearer {key}"})


def _pictures() -> Work:
    numbers = count()

    def work(server: Limner, number: int) -> None:
        calls = [_order("limner:sketch", next(numbers), server.auth) for _ in range(number)]
        load.send(server.port, calls, count=number, connections=16)

    return work
