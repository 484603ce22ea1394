"""The secrets that links and cookies of this process are signed with."""

from collections.abc import Sequence

from limner.db.base import Database
from limner.db.types import Clock
from limner.images import secrets
from limner.images.secrets import Secret


class Keyring:
    """The signing secrets, read again every few seconds so that a rotation reaches every process."""

    def __init__(self, database: Database, clock: Clock, own: Sequence[Secret]) -> None:
        self._database = database
        self._clock = clock
        self._own = list(own)
        self._secrets: list[Secret] = list(own)

    def __call__(self) -> Sequence[Secret]:
        return self._secrets

    async def refresh(self) -> None:
        if not self._own:
            self._secrets = await self._database.write(lambda tx: secrets.current(tx, "links", self._clock()))
