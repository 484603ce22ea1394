"""How times and ids stand in the database: UTC milliseconds, and UUIDs that sort by time."""

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

Clock = Callable[[], datetime]


def now() -> datetime:
    return datetime.now(UTC)


def to_ms(moment: datetime) -> int:
    """Milliseconds since the epoch; a naive datetime is a mistake and raises ValueError."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return round(moment.timestamp() * 1000)


def utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def utc_or_none(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else utc(milliseconds)


_RANDOM_BITS = 74
_STEP = (1 << 60) - 1
_turn = threading.Lock()
_newest = 0
_drawn = BytesIO()
"""Random bytes nobody has had yet: each draw from the system lets go of the interpreter, so one serves many ids."""


def _forget_drawn() -> None:
    """A forked child draws its own."""
    global _drawn
    _drawn = BytesIO()


os.register_at_fork(after_in_child=_forget_drawn)


def _random() -> int:
    """128 bits; `_turn` is held."""
    global _drawn
    taken = _drawn.read(16)
    if not taken:
        _drawn = BytesIO(os.urandom(4096))
        taken = _drawn.read(16)
    return int.from_bytes(taken)


def new_id() -> str:
    """A UUID version 7 (RFC 9562, section 5.7): time first, so that new rows stand together in every index.

    Each is greater than those this process made before (section 6.2): what is written within one millisecond lists
    in the order it was written.
    """
    global _newest
    with _turn:
        random = _random()
        fresh = (time.time_ns() // 1_000_000) << _RANDOM_BITS | random >> (128 - _RANDOM_BITS)
        _newest = value = max(fresh, _newest + 1 + (random & _STEP))
    head, tail = value >> 62, value & ((1 << 62) - 1)
    text = f"{(head >> 12) << 80 | 0x7 << 76 | (head & 0xFFF) << 64 | 0x2 << 62 | tail:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def first_id_at(moment: datetime) -> str:
    """Not later than any id made from `moment` on: ids begin with their time, so a range of ids is a range of time."""
    text = f"{max(int(moment.timestamp() * 1000), 0):012x}"
    return f"{text[:8]}-{text[8:]}-7000-8000-000000000000"
