"""What the server answers, as frozen values. `raw` is the whole answer, for fields a newer server has."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Wire = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Image:
    """One picture: `data` are its bytes, where they were fetched; `url` works without a key until it expires.

    `others` are the further pictures of a call with `n`; credits are whole numbers.
    """

    id: str
    status: str
    prompt: str | None
    model_id: str
    served_by: str | None
    media_type: str | None
    width: int | None
    height: int | None
    url: str | None
    url_expires_at: datetime | None
    credits_charged: int
    credits_remaining: int
    warnings: tuple[str, ...]
    replayed: bool
    error: Wire | None
    created_at: datetime
    data: bytes | None = field(default=None, repr=False)
    others: tuple["Image", ...] = ()
    raw: Wire = field(default_factory=dict[str, Any], repr=False)

    @property
    def has_ended(self) -> bool:
        return self.status in ("succeeded", "failed", "cancelled")

    @property
    def pictures(self) -> tuple["Image", ...]:
        """All pictures of the call, this one first."""
        return (self, *self.others)

    @property
    def extension(self) -> str:
        """Of a file with these bytes: `png`, `jpeg` or `webp`."""
        return (self.media_type or "image/png").removeprefix("image/")

    def save(self, path: "str | PathLike[str]") -> Path:
        """Write the bytes to `path`; ValueError where they were not fetched."""
        if self.data is None:
            raise ValueError("this picture's bytes were not fetched: use download(image.id)")
        Path(path).write_bytes(self.data)
        return Path(path)

    @classmethod
    def of(cls, wire: Wire) -> "Image":
        encoded: str | None = wire.get("b64_json")
        return cls(
            id=wire["id"],
            status=wire["status"],
            prompt=wire.get("prompt"),
            model_id=wire["modelId"],
            served_by=wire.get("servedBy"),
            media_type=wire.get("mediaType"),
            width=wire.get("width"),
            height=wire.get("height"),
            url=wire.get("imageUrl"),
            url_expires_at=_moment(wire.get("imageUrlExpiresAt")),
            credits_charged=wire["credits"]["charged"],
            credits_remaining=wire["credits"]["remaining"],
            warnings=tuple(wire.get("warnings") or ()),
            replayed=bool(wire.get("replayed")),
            error=wire.get("error"),
            created_at=datetime.fromisoformat(wire["createdAt"]),
            data=None if encoded is None else base64.b64decode(encoded),
            others=tuple(cls.of(other) for other in wire.get("others") or ()),
            raw={name: value for name, value in wire.items() if name != "b64_json"},
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How a picture that is being made goes: `fraction` is 0 to 1, or None where nobody knows."""

    id: str
    status: str
    phase: str | None = None
    fraction: float | None = None
    place: int | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    limit: int
    period: str
    remaining: int
    resets_at: datetime | None


@dataclass(frozen=True, slots=True)
class Account:
    """`credit_balance` is what can be spent now; `credits_held` is set aside for running generations."""

    user_id: str | None
    email: str | None
    credit_balance: int
    credits_held: int
    cap: Cap | None
    raw: Wire = field(default_factory=dict[str, Any], repr=False)

    @classmethod
    def of(cls, wire: Wire) -> "Account":
        cap = wire.get("cap")
        return cls(
            user_id=wire.get("userId"),
            email=wire.get("email"),
            credit_balance=wire["creditBalance"],
            credits_held=wire["creditsHeld"],
            cap=cap and Cap(cap["limit"], cap["period"], cap["remaining"], _moment(cap.get("resetsAt"))),
            raw=wire,
        )


@dataclass(frozen=True, slots=True)
class Model:
    """`credits` is the price of a plain picture; `parameters` say what it takes, `reason` why it cannot be used."""

    id: str
    name: str
    description: str
    available: bool
    reason: str | None
    status: str
    credits: int
    parameters: Wire
    expected_seconds: float
    raw: Wire = field(default_factory=dict[str, Any], repr=False)

    @classmethod
    def of(cls, wire: Wire) -> "Model":
        return cls(
            id=wire["id"],
            name=wire["name"],
            description=wire["description"],
            available=wire["available"],
            reason=wire.get("reason"),
            status=wire["status"],
            credits=wire["credits"]["base"],
            parameters=wire.get("parameters") or {},
            expected_seconds=wire.get("expectedSeconds") or 0.0,
            raw=wire,
        )


@dataclass(frozen=True, slots=True)
class UsageLine:
    """One line of the ledger; `amount` is negative for what was charged."""

    id: str
    amount: int
    type: str
    description: str
    balance_after: int
    created_at: datetime
    raw: Wire = field(default_factory=dict[str, Any], repr=False)

    @classmethod
    def of(cls, wire: Wire) -> "UsageLine":
        return cls(
            id=wire["id"],
            amount=wire["amount"],
            type=wire["type"],
            description=wire["description"],
            balance_after=wire["balanceAfter"],
            created_at=datetime.fromisoformat(wire["createdAt"]),
            raw=wire,
        )


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list, newest first; `total` is None where the server does not count."""

    items: tuple[T, ...]
    total: int | None
    raw: Wire = field(default_factory=dict[str, Any], repr=False)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
