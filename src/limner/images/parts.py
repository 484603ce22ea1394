"""What a run of a generation needs from the rest of the house."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from limner.blobs.base import Blobs
from limner.db.base import Database
from limner.db.types import Clock
from limner.images.content_credentials import CredentialsReader, Signer
from limner.providers.base import Provider
from limner.queue.base import Events


class Suppliers(Protocol):
    """The configured providers; `slot` waits for a free place with one."""

    def __getitem__(self, name: str) -> Provider: ...

    def slot(self, name: str) -> AbstractAsyncContextManager[Provider]: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run needs from the rest of the house."""

    database: Database
    blobs: Blobs
    events: Events
    suppliers: Suppliers
    clock: Clock
    lease_seconds: float = 15.0
    log_prompts: bool = False
    credentials: CredentialsReader = field(default_factory=CredentialsReader)
    signer: Signer | None = None
