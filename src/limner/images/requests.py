"""What a caller asks for, the rules it must pass before anything is held, and what it is compared by."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from limner.accounts.principal import Principal
from limner.catalog.catalog import Catalog
from limner.catalog.models import Model, Options, Plan
from limner.credits.words import in_words
from limner.errors import (
    AccountSuspended,
    ConfirmationRequired,
    InsufficientScope,
    ModelNotAllowed,
    SpendCapExceeded,
)
from limner.images.generations import Operation

Reference = str | bytes
"""An image id, an upload id, an https URL, or the bytes of a picture."""


@dataclass(frozen=True, slots=True)
class NewImages:
    """One call for `n` pictures. `prompt` is the instruction of an edit; `images` its inputs.

    `nearest_size` lets a ratio the model has no exact size for be served by the nearest (with a warning);
    `confirmed` says that the owner was asked; `waits` is false when the caller asked not to wait;
    `wait_name` is what the caller will call the wait by, should it cancel it with a request of its own;
    `partial_images` is how many unfinished previews are wanted (suppliers bill them).
    """

    prompt: str
    operation: Operation = "generate"
    model_id: str | None = None
    options: Options = field(default_factory=Options)
    style: str | None = None
    n: int = 1
    references: tuple[Reference, ...] = ()
    images: tuple[Reference, ...] = ()
    mask: Reference | None = None
    idempotency_key: str | None = None
    nearest_size: bool = False
    confirmed: bool = False
    waits: bool = True
    wait_name: str | None = None
    partial_images: int = 0

    @property
    def has_inputs(self) -> bool:
        return bool(self.references or self.images or self.mask)

    def with_counts(self) -> Options:
        return replace(
            self.options, references=len(self.references), images=len(self.images), mask=self.mask is not None
        )


def plan(principal: Principal, new: NewImages, catalog: Catalog, *, bills: bool) -> Plan:
    """Who may, what the model can, what it costs: everything that is refused without asking the database."""
    check_may_make(principal)
    model = catalog.find(new.model_id) if new.model_id is not None else _default_for(principal, catalog)
    _check_model(principal, model)
    planned = catalog.plan(model, new.with_counts(), nearest_size=new.nearest_size)
    _check_price(principal, new, price(principal, planned, bills=bills) * new.n)
    return planned


def check_may_make(principal: Principal) -> None:
    """AccountSuspended or InsufficientScope for a caller who may not make pictures."""
    if principal.suspended_reason is not None:
        raise AccountSuspended(
            f"This account is suspended: {principal.suspended_reason}.", extra={"reason": principal.suspended_reason}
        )
    if not principal.has("images:generate"):
        raise scope_missing("images:generate")


def price(principal: Principal, planned: Plan, *, bills: bool) -> int:
    """Credits for each picture: nothing for a test key, and nothing where the server does not bill."""
    return planned.credits if bills and not principal.is_test else 0


def scope_missing(scope: str) -> InsufficientScope:
    return InsufficientScope(f"This needs the scope {scope}.", extra={"scope": scope})


def comparable(new: NewImages, planned: Plan) -> Mapping[str, Any]:
    """Everything that shapes the picture or its price, and nothing that only shapes the answer."""
    return {
        "operation": new.operation,
        "prompt": new.prompt,
        "style": new.style,
        "model": planned.model.id,
        "options": asdict(planned.options),
        "n": new.n,
        "references": [_name(each) for each in new.references],
        "images": [_name(each) for each in new.images],
        "mask": None if new.mask is None else _name(new.mask),
    }


def _default_for(principal: Principal, catalog: Catalog) -> Model:
    return catalog.find("limner:sketch") if principal.is_test else catalog.default


def _check_model(principal: Principal, model: Model) -> None:
    if principal.is_test and model.provider != "limner":
        raise ModelNotAllowed(
            "A test key uses the built-in model only.",
            next_step="Use limner:sketch, or a live key.",
            extra={"allowed": ["limner:sketch"]},
        )
    if principal.models is not None and not principal.models & {model.id, *model.aliases}:
        allowed = sorted(principal.models)
        raise ModelNotAllowed(
            f"This key may not use {model.id}. Allowed: {', '.join(allowed)}.", extra={"allowed": allowed}
        )


def _check_price(principal: Principal, new: NewImages, total: int) -> None:
    most = principal.max_credits_per_call
    if most is not None and total > most:
        raise SpendCapExceeded(
            f"This call costs {in_words(total)} and this key may spend {most} per call.",
            next_step="Make a cheaper call, or ask the owner of the key to raise its limit per call.",
            extra={"needed": total, "limit": most, "period": "call", "remaining": most, "resetsAt": None},
        )
    threshold = principal.confirm_above_credits
    if threshold is not None and total > threshold and not new.confirmed:
        raise ConfirmationRequired(
            f"This call costs {in_words(total)}, and the owner wants to be asked above {threshold}.",
            extra={"wouldCharge": total, "threshold": threshold},
        )


def _name(reference: Reference) -> str:
    if isinstance(reference, bytes):
        return f"sha256:{hashlib.sha256(reference).hexdigest()}"
    return reference
