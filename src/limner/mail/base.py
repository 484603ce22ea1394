"""What the house needs of mail."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Letter:
    """Plain text to one address."""

    to: str
    subject: str
    text: str


class Mailer(Protocol):
    async def send(self, letter: Letter) -> None:
        """OSError when it could not be handed over."""
        ...
