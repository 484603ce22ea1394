"""Passwords: Argon2id, off the event loop, at most two at once (each takes 64 MiB for a third of a second)."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from limner.errors import Detail, InvalidRequest

LEAST_CHARACTERS = 10
MOST_CHARACTERS = 200


class Passwords:
    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turns = asyncio.Semaphore(2)
        self._nobody: str | None = None

    async def digest(self, password: str) -> str:
        """What is stored; InvalidRequest for one that is too short or too long."""
        if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
            problem = f"A password has {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters."
            raise InvalidRequest(problem, details=[Detail("password", problem)])
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def fits(self, digest: str | None, password: str) -> bool:
        """Whether it is the one; as slow when there is nobody to have one, so that time tells nothing."""
        async with self._turns:
            return await asyncio.to_thread(self._fits, digest, password[: MOST_CHARACTERS + 1])

    def _fits(self, digest: str | None, password: str) -> bool:
        if self._nobody is None:
            self._nobody = self._hasher.hash("nobody has this password")
        try:
            self._hasher.verify(digest or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return digest is not None
