"""Asks the owner in the middle of a call, where the client can be asked (2026-07-28).

The question goes back as the call's answer, and the client calls again with what the owner said. What comes
back with it is the client's word, so it is signed: for this caller, this tool and these arguments, for a while.
"""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

import mcp_types
import orjson

from limner.accounts.principal import Principal
from limner.credits.words import in_words
from limner.db.types import Clock
from limner.errors import ConfirmationRequired, InsufficientCredits, ServiceError
from limner.images.secrets import Secret

ANSWER_WITHIN = timedelta(minutes=15)
CONFIRM, BUY = "confirm", "buy"


class Asking:
    """`buy_url` is where credits can be bought; without it nobody is sent anywhere."""

    def __init__(self, secrets: Callable[[], Sequence[Secret]], clock: Clock, buy_url: str | None = None) -> None:
        self._secrets = secrets
        self._clock = clock
        self._buy_url = buy_url

    def question(
        self,
        error: ServiceError,
        principal: Principal,
        params: mcp_types.CallToolRequestParams,
        can_elicit: mcp_types.ElicitationCapability,
    ) -> mcp_types.InputRequiredResult | None:
        """What to ask instead of failing; None where there is nothing to ask, or it was asked already."""
        asked = (params.input_responses or {}).keys()
        if isinstance(error, ConfirmationRequired) and CONFIRM not in asked and _takes_forms(can_elicit):
            state = self._seal(principal, params, int((self._clock() + ANSWER_WITHIN).timestamp()))
            return mcp_types.InputRequiredResult(input_requests={CONFIRM: _confirm(error)}, request_state=state)
        if isinstance(error, InsufficientCredits) and BUY not in asked and can_elicit.url is not None and self._buy_url:
            return mcp_types.InputRequiredResult(input_requests={BUY: _buy(error, self._buy_url)})
        return None

    def is_confirmed(self, principal: Principal, params: mcp_types.CallToolRequestParams) -> bool:
        """Whether the owner agreed to exactly this call."""
        answer = (params.input_responses or {}).get(CONFIRM)
        until, _, _ = (params.request_state or "").partition(".")
        if not isinstance(answer, mcp_types.ElicitResult) or not until.isdigit() or len(until) > 12:
            return False
        agreed = answer.action == "accept" and (answer.content or {}).get("agree") is True
        return agreed and int(until) > self._clock().timestamp() and self._is_ours(principal, params, int(until))

    def _is_ours(self, principal: Principal, params: mcp_types.CallToolRequestParams, until: int) -> bool:
        told = (params.request_state or "").encode()
        return any(
            hmac.compare_digest(self._seal(principal, params, until, each).encode(), told) for each in self._secrets()
        )

    def _seal(
        self,
        principal: Principal,
        params: mcp_types.CallToolRequestParams,
        until: int,
        secret: Secret | None = None,
    ) -> str:
        call = orjson.dumps([principal.caller_id, params.name, _digest(params.arguments or {}), until])
        mac = hmac.digest((secret or self._secrets()[0]).value, b"mcp question\0" + call, sha256)
        return f"{until}.{urlsafe_b64encode(mac).decode().rstrip('=')}"


def _digest(arguments: Mapping[str, Any]) -> str:
    return sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()


def _takes_forms(can_elicit: mcp_types.ElicitationCapability) -> bool:
    """A bare capability, as of 2025-06-18, means forms."""
    return can_elicit.form is not None or can_elicit.url is None


def _confirm(error: ConfirmationRequired) -> mcp_types.ElicitRequest:
    agree = {"type": "boolean", "title": f"Spend {in_words(error.extra['wouldCharge'])}", "default": False}
    return mcp_types.ElicitRequest(
        params=mcp_types.ElicitRequestFormParams(
            message=f"{error.message} Go on?",
            requested_schema={"type": "object", "properties": {"agree": agree}, "required": ["agree"]},
        )
    )


def _buy(error: InsufficientCredits, url: str) -> mcp_types.ElicitRequest:
    message = f"{error.message} You can buy credits; the picture is made when you come back."
    return mcp_types.ElicitRequest(params=mcp_types.ElicitRequestURLParams(message=message, url=url))
