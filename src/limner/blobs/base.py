"""What every blob store looks like to the rest of the house."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class BlobMissing(LookupError):
    """There is nothing under that key."""


@dataclass(frozen=True, slots=True)
class BlobInfo:
    key: str
    size_bytes: int
    modified_at: datetime


class Blobs(Protocol):
    """Bytes under keys such as `images/0190…/original.png`.

    Keys are `/`-separated segments of letters, digits, `.`, `-`, `_`; anything else is a ValueError.
    A store that cannot be reached or written raises OSError; nothing half-written is ever visible.
    """

    async def put(self, key: str, data: bytes, media_type: str) -> None:
        """Write all or nothing, durable when it returns; replaces what was there."""
        ...

    async def get(self, key: str) -> bytes:
        """All bytes; raises BlobMissing."""
        ...

    def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to, not including, `end`, in pieces; raises BlobMissing."""
        ...

    async def size_bytes(self, key: str) -> int | None:
        """None where there is nothing."""
        ...

    def path(self, key: str) -> str | None:
        """Where below the store's directory the bytes lie as a file that a web server can send; None where they do not."""
        ...

    async def delete(self, key: str) -> None:
        """Idempotent."""
        ...

    def keys(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """What is stored under keys that start so (`images/0190…/`; empty for everything), in no order.

        Only the whole segments narrow what a store looks through: end the prefix with `/` where you can.
        """
        ...

    async def check(self) -> None:
        """Raise OSError unless the store can be written to (for /readyz)."""
        ...

    async def close(self) -> None: ...
