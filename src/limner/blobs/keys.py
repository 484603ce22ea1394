"""Which keys a blob may have: plain segments, so that a key can never leave its store."""

import re

MAX_KEY_LENGTH = 512
MAX_SEGMENT_LENGTH = 200

_SEGMENT = re.compile(r"[A-Za-z0-9._-]+")


def checked(key: str) -> str:
    """The key itself; ValueError for one that no store may see."""
    if not is_key(key):
        raise ValueError(f"not a blob key: {key[:80]!r}")
    return key


def checked_prefix(prefix: str) -> str:
    """A prefix is a key without its last segments: `images` or `images/` or empty, never half a segment."""
    whole = prefix.removesuffix("/")
    return checked(whole) if whole else ""


def is_key(text: str) -> bool:
    return len(text) <= MAX_KEY_LENGTH and all(map(is_segment, text.split("/")))


def is_segment(text: str) -> bool:
    return len(text) <= MAX_SEGMENT_LENGTH and text not in {".", ".."} and _SEGMENT.fullmatch(text) is not None
