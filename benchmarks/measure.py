"""What a server costs: CPU and memory of its whole process tree, in rounds that alternate with its floor's."""

import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Goal = Literal["most", "least"]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: a value, the floor it stands beside, and what was aimed at.

    With a floor, `target` is about the ratio of the two; without one, about the value itself.
    """

    name: str
    value: float
    unit: str
    floor: float | None = None
    floor_name: str = ""
    target: float | None = None
    goal: Goal = "most"

    @property
    def measured(self) -> float:
        return self.value if self.floor is None else self.value / self.floor

    @property
    def reached(self) -> bool | None:
        """None where nothing was aimed at."""
        if self.target is None:
            return None
        return self.measured <= self.target if self.goal == "most" else self.measured >= self.target

    def data(self) -> dict[str, Any]:
        return asdict(self) | {"measured": self.measured, "reached": self.reached}


def tree(pid: int) -> list[int]:
    """A process and all that it started."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            found += [int(child) for child in _text(task).split()]
    return found


def cpu_seconds(pid: int) -> float:
    """What the living threads of a process tree have used of the processors so far, to the nanosecond."""
    used = 0
    for each in tree(pid):
        for thread in Path(f"/proc/{each}/task").glob("*/schedstat"):
            used += int((_text(thread) or "0").split()[0])
    return used / 1e9


def memory_bytes(pid: int, what: str = "VmRSS") -> int:
    """Of the tree: `VmRSS` now, `VmHWM` at its highest (since `forget_peak`)."""
    total = 0
    for each in tree(pid):
        for line in _text(Path(f"/proc/{each}/status")).splitlines():
            if line.startswith(f"{what}:"):
                total += int(line.split()[1]) * 1024
    return total


def forget_peak(pid: int) -> None:
    for each in tree(pid):
        Path(f"/proc/{each}/clear_refs").write_text("5")


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians over the rounds."""

    cpu_us: float
    wall_us: float
    per_second: float


@dataclass(frozen=True, slots=True)
class Subject:
    """A running server and one round of work for it: `work(n)` is n requests."""

    pid: int
    work: Callable[[int], object]


def alternating(subjects: Mapping[str, Subject], *, count: int, rounds: int) -> dict[str, Cost]:
    """Each subject in turn, round after round, so that what else the machine does falls on all of them alike."""
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in subjects}
    for subject in subjects.values():
        subject.work(count)  # nobody pays for what only a first time costs
    for _ in range(rounds):
        for name, subject in subjects.items():
            cpu, began = cpu_seconds(subject.pid), time.perf_counter()
            subject.work(count)
            wall = time.perf_counter() - began
            costs[name].append(((cpu_seconds(subject.pid) - cpu) / count, wall / count))
    return {name: _median(each) for name, each in costs.items()}


def _median(rounds: Iterable[tuple[float, float]]) -> Cost:
    cpu, wall = (statistics.median(column) for column in zip(*rounds, strict=True))
    return Cost(cpu * 1e6, wall * 1e6, 1 / wall)


def percentile(values: Iterable[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(len(ordered) * percent / 100))]
