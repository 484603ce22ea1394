"""Which keys a blob may have: plain segments, so that a key can never leave its store."""

import re

MAX_KEY_LENGTH = 200
"""A key is a file name in a directory, which ends at 255 bytes; ours are about 100."""

_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")


def checked(key: str) -> str:
    """The key itself; ValueError for one that no store may see."""
    if not is_key(key):
        raise ValueError(f"not a blob key: {key[:80]!r}")
    return key


def split_prefix(prefix: str) -> tuple[str, str]:
    """The whole segments of a prefix, and the beginning of the next one: `images/1/or` is `images/1` and `or`."""
    directory, slash, start = prefix.rpartition("/")
    if (slash and not is_key(directory)) or (start and not _SEGMENT.fullmatch(start)):
        raise ValueError(f"not a blob key: {prefix[:80]!r}")
    return directory, start


def is_key(text: str) -> bool:
    return len(text) <= MAX_KEY_LENGTH and all(map(is_segment, text.split("/")))


def is_segment(text: str) -> bool:
    return text not in {".", ".."} and _SEGMENT.fullmatch(text) is not None
