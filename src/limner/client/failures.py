"""What can go wrong between a program and its Limner server."""

from collections.abc import Mapping
from typing import Any


class ServerUnreachable(Exception):
    """Nothing answers at the address, or not as a Limner server does. A picture that was asked for may still be made."""


class LimnerError(Exception):
    """The server's answer was an error: `code` is stable (docs/rest.md), `next_step` says what to do about it."""

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        self.status = status
        self.code: str = error.get("code") or "internal"
        self.message: str = error.get("message") or f"The server answered {status}."
        self.next_step: str = error.get("nextStep") or ""
        self.retryable: bool = bool(error.get("retryable"))
        self.retry_after_seconds: float | None = error.get("retryAfterSeconds")
        self.request_id: str | None = error.get("requestId")
        self.generation_id: str | None = error.get("generationId")
        self.details: list[dict[str, Any]] = list(error.get("details") or [])
        super().__init__(f"{self.code}: {self.message}")
