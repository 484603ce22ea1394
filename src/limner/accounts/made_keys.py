"""Keys made by keys: at most what their maker may, and never a way round its limits."""

from dataclasses import replace
from datetime import datetime

from limner.accounts import keys
from limner.accounts.keys import ApiKey, NewKey
from limner.db.base import Transaction
from limner.errors import Detail, InsufficientScope, InvalidRequest, ModelNotAllowed


def create(tx: Transaction, maker: ApiKey, new: NewKey, now: datetime) -> tuple[ApiKey, str]:
    """A key below `maker`, and its secret. What is left open becomes the maker's own; more than that is refused."""
    return keys.create(tx, maker.account_id, within(maker, new), now)


def within(maker: ApiKey, new: NewKey) -> NewKey:
    """`new` as a key of `maker`. Raises InsufficientScope, ModelNotAllowed or InvalidRequest where it asks for more."""
    if missing := sorted(new.scopes - maker.scopes):
        raise InsufficientScope(
            f"A key cannot give away the scope {missing[0]}, which it does not have.", extra={"scope": missing[0]}
        )
    return replace(
        new,
        parent_key_id=maker.id,
        models=_models(maker, new),
        expires_at=_expiry(maker, new),
        is_test=_test(maker, new),
        max_credits_per_call=_least(maker.max_credits_per_call, new.max_credits_per_call),
        confirm_above_credits=_least(maker.confirm_above_credits, new.confirm_above_credits),
    )


def is_below(tx: Transaction, key: ApiKey, maker_id: str) -> bool:
    """Whether a key is `maker_id` itself, or was made by it or by a key of it."""
    while key.id != maker_id:
        if key.parent_key_id is None:
            return False
        key = keys.get(tx, key.account_id, key.parent_key_id)
    return True


def _models(maker: ApiKey, new: NewKey) -> tuple[str, ...] | None:
    if maker.models is None or new.models is None:
        return maker.models if new.models is None else new.models
    if foreign := [model for model in new.models if model not in maker.models]:
        raise ModelNotAllowed(
            f"This key may not use {foreign[0]}, so neither may a key it makes.", extra={"allowed": list(maker.models)}
        )
    return new.models


def _expiry(maker: ApiKey, new: NewKey) -> datetime | None:
    if maker.expires_at is not None and new.expires_at is not None and new.expires_at > maker.expires_at:
        problem = "must not be later than its maker's expiry"
        raise InvalidRequest(f"expiresAt: {problem}.", details=[Detail("expiresAt", problem)])
    return new.expires_at or maker.expires_at


def _test(maker: ApiKey, new: NewKey) -> bool:
    """A test key never spends, nor does what it makes."""
    return maker.is_test or new.is_test


def _least(*limits: int | None) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)
