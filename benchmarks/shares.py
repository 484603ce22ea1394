"""Holds a process to a share of a core, so that a machine with few cores shows what many processes would do on many.

Linux control groups, where this user may make one (root, or a user they were handed down to).
"""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

PERIOD_US = 20_000

Hold = Callable[[int, float], None]
"""Holds the process with that id, and what it will start, to that share of a core."""

_ROOT = Path("/sys/fs/cgroup")


@contextmanager
def shares() -> Generator[Hold | None]:
    """None where no group can be made. Leave it when the processes have ended: a group that has one stays."""
    made: list[Path] = []

    def hold(pid: int, share: float) -> None:
        group = _new_group(f"limner-bench-{pid}")
        made.append(group)
        quota = round(PERIOD_US * share)
        if (group / "cpu.max").exists():
            (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        (group / "cgroup.procs").write_text(str(pid))

    try:
        yield hold if _may_hold() else None
    finally:
        for group in made:
            group.rmdir()


def children(pid: int) -> list[int]:
    return [int(child) for thread in Path(f"/proc/{pid}/task").iterdir() for child in _children(thread)]


def _children(thread: Path) -> list[str]:
    return (thread / "children").read_text().split()


def _parent() -> Path:
    """Version 1 has a hierarchy for CPU time alone, version 2 one for everything."""
    return _ROOT / "cpu" if (_ROOT / "cpu").is_dir() else _ROOT


def _may_hold() -> bool:
    if not os.access(_parent(), os.W_OK):
        return False
    group = _new_group("limner-bench")
    try:
        return (group / "cpu.max").exists() or (group / "cpu.cfs_quota_us").exists()
    finally:
        group.rmdir()


def _new_group(name: str) -> Path:
    group = _parent() / name
    group.mkdir()
    return group
