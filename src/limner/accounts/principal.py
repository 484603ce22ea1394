"""Who is calling: an account, and the API key, connection or session that speaks for it."""

from dataclasses import dataclass
from typing import Literal

Scope = Literal["images:read", "images:generate", "account:read", "usage:read", "keys:write"]

SCOPES: tuple[Scope, ...] = ("images:read", "images:generate", "account:read", "usage:read", "keys:write")
DEFAULT_SCOPES: frozenset[Scope] = frozenset(SCOPES) - {"keys:write"}


@dataclass(frozen=True, slots=True)
class Principal:
    """What a door knows about the caller once it has been authenticated.

    `caller_id` names the key, connection or session: what paying once and rate limits go by.
    `cap_owner_ids` are the spend caps a hold counts against (a key's own, and its makers').
    """

    account_id: str
    caller_id: str
    scopes: frozenset[Scope]
    user_id: str | None = None
    email: str | None = None
    api_key_id: str | None = None
    connection_id: str | None = None
    models: frozenset[str] | None = None
    is_test: bool = False
    is_admin: bool = False
    suspended_reason: str | None = None
    cap_owner_ids: tuple[str, ...] = ()
    max_credits_per_call: int | None = None
    confirm_above_credits: int | None = None
    client_profile: str | None = None
    resource: str | None = None

    def has(self, scope: str) -> bool:
        """Generating implies reading what was generated."""
        return scope in self.scopes or (scope == "images:read" and "images:generate" in self.scopes)
