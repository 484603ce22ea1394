"""Simulates a fleet of workers on one PostgreSQL: what the line and the calls cost as it grows.

usage: python tools/fleet_simulation.py [--workers 1 2 10 50 100] [--seconds 600]

Assumptions, all of them options: every worker has two hands for a model on its own machine; a picture takes 6 s
(exponential) of a hand; pictures are asked for at 90 % of what the hands can do, by 1,000 accounts of very unequal
appetite; a claim holds the line of its provider for 3 ms (three statements and a durable commit); a call wakes every
worker that has a free hand, and each of them asks the engine's table once, 1 ms of one of the database's 8 cores. A
hand that ends looks at the line itself. One line for all workers is the worst case; several models have several lines.
"""

import argparse
import heapq
import itertools
import random
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Fleet:
    """A discrete-event simulation: times in seconds."""

    workers: int
    dice: random.Random
    hands: int
    picture_seconds: float
    load: float
    claim_seconds: float
    ask_seconds: float
    accounts: int
    free: list[int] = field(default_factory=list)
    waiting: list[tuple[int, int, float, int]] = field(default_factory=list)
    own_turn: dict[int, int] = field(default_factory=dict)
    turn: int = 0
    line_free_at: float = 0.0
    line_busy: float = 0.0
    asks: int = 0
    claims: int = 0
    waits: list[float] = field(default_factory=list)
    in_line: Counter[int] = field(default_factory=Counter)
    happenings: list[tuple[float, int, str, int]] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def run(self, seconds: float) -> None:
        self.free = [self.hands] * self.workers
        rate = self.load * self.workers * self.hands / self.picture_seconds
        self._at(self.dice.expovariate(rate), "asked", 0)
        while self.happenings:
            at, _, what, worker = heapq.heappop(self.happenings)
            if at > seconds:
                return
            if what == "asked":
                self._asked(at)
                self._at(at + self.dice.expovariate(rate), "asked", 0)
            elif what == "ended":
                self.free[worker] += 1
                self._look(at, worker)
            else:
                self._begin(at, worker)

    def _asked(self, at: float) -> None:
        account = min(int(self.dice.paretovariate(0.6)), self.accounts)  # a few ask for most
        own = self.own_turn.get(account, -1) + 1 if self.in_line[account] else 0
        self.own_turn[account] = turn = max(self.turn, own)
        self.in_line[account] += 1
        heapq.heappush(self.waiting, (turn, next(self.numbers), at, account))
        idle = [worker for worker, free in enumerate(self.free) if free > 0]
        self.asks += len(idle)
        if idle:
            self._look(at + self.ask_seconds, self.dice.choice(idle))

    def _look(self, at: float, worker: int) -> None:
        begin = max(at, self.line_free_at)
        self.line_free_at = begin + self.claim_seconds
        self.line_busy += self.claim_seconds
        self.claims += 1
        self._at(self.line_free_at, "taken", worker)

    def _begin(self, at: float, worker: int) -> None:
        if not self.waiting or self.free[worker] <= 0:
            return
        self.turn, _, asked_at, account = heapq.heappop(self.waiting)
        self.in_line[account] -= 1
        self.free[worker] -= 1
        self.waits.append(at - asked_at)
        self._at(at + self.dice.expovariate(1 / self.picture_seconds), "ended", worker)

    def _at(self, at: float, what: str, worker: int) -> None:
        heapq.heappush(self.happenings, (at, next(self.numbers), what, worker))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 10, 50, 100])
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument("--hands", type=int, default=2)
    parser.add_argument("--picture-seconds", type=float, default=6)
    parser.add_argument("--load", type=float, default=0.9)
    parser.add_argument("--claim-ms", type=float, default=3)
    parser.add_argument("--ask-ms", type=float, default=1)
    parser.add_argument("--cores", type=int, default=8)
    parser.add_argument("--accounts", type=int, default=1000)
    a = parser.parse_args()
    print("workers  images/s  wait p50 s  p95 s  longest s  line busy %  database %  asks/s")
    for workers in a.workers:
        fleet = Fleet(
            workers,
            random.Random(1),
            a.hands,
            a.picture_seconds,
            a.load,
            a.claim_ms / 1000,
            a.ask_ms / 1000,
            a.accounts,
        )
        fleet.run(a.seconds)
        waits = sorted(fleet.waits)
        line = fleet.line_busy / a.seconds
        database = (fleet.asks * a.ask_ms / 1000 + fleet.line_busy) / a.seconds / a.cores
        print(
            f"{workers:7} {len(waits) / a.seconds:9.2f} {waits[len(waits) // 2]:11.2f} {waits[len(waits) * 95 // 100]:6.2f} "
            f"{waits[-1]:10.2f} {line:12.1%} {database:11.1%} {fleet.asks / a.seconds:7.1f}"
        )


if __name__ == "__main__":
    main()
