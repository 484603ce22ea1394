"""What a supplier's failure is called here: by HTTP status, unless an adapter knows the supplier's own words."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

import structlog

from limner.errors import (
    InvalidRequest,
    ModelUnavailable,
    ModerationBlocked,
    NoImage,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from limner.providers.base import Unbilled

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

OperatorTrouble = Literal["bad_key", "not_permitted", "payment_required", "quota_exhausted", "misconfigured"]
_LONGEST_WORDS = 400
_PAUSE_WHEN_NONE_IS_ASKED_SECONDS = 10
_KEY = re.compile(r"\b(sk|AIza|bfl|Bearer)[-_ ]?[\w*.-]{6,}")


def by_status(supplier: str, status: int, words: str, delay_seconds: float | None) -> Exception:
    """The failure an HTTP status stands for; `words` are the supplier's.

    429, 503 and 529 are answered before any work is done, so they come wrapped in `Unbilled`.
    """
    match status:
        case 401:
            return operator_trouble(supplier, "bad_key", words)
        case 402:
            return operator_trouble(supplier, "payment_required", words)
        case 403:
            return operator_trouble(supplier, "not_permitted", words)
        case 404 | 410:
            return ModelUnavailable(_sentence(f"{supplier} no longer offers this model", words))
        case 408 | 504 | 524:
            return UpstreamTimeout()
        case 429:
            return rate_limited(delay_seconds)
        case 503 | 529:
            return Unbilled(unavailable(supplier, f"HTTP {status}", words), delay_seconds=delay_seconds)
        case _ if 400 <= status < 500:
            return InvalidRequest(_sentence(f"{supplier} refused the request", words))
        case _ if 300 <= status < 400:
            return operator_trouble(supplier, "misconfigured", f"redirected: HTTP {status}")
        case _:
            return unavailable(supplier, f"HTTP {status}", words)


def rate_limited(delay_seconds: float | None) -> Unbilled:
    """`retry_after_seconds` is always set, because the doors must name a pause even where the supplier did not."""
    pause = math.ceil(delay_seconds) if delay_seconds else _PAUSE_WHEN_NONE_IS_ASKED_SECONDS
    return Unbilled(UpstreamRateLimited(retry_after_seconds=pause), delay_seconds=delay_seconds)


def unavailable(supplier: str, event: str, words: str = "") -> UpstreamUnavailable:
    """The supplier's fault, not the user's: its words go to the log only."""
    log.warning("provider_unavailable", provider=supplier, cause=event, answer=_shown(words))
    return UpstreamUnavailable()


def operator_trouble(supplier: str, reason: OperatorTrouble, words: str) -> UpstreamUnavailable:
    """The operator's own key, quota or billing. The user cannot help it, so the supplier's words go to the log only;
    the reason is for an operator who is the user too."""
    log.error("provider_account_trouble", provider=supplier, reason=reason, answer=_shown(words))
    return UpstreamUnavailable(extra={"operator": True, "reason": reason})


def moderated(stage: Literal["input", "output"], reason: str) -> ModerationBlocked:
    what = "request" if stage == "input" else "picture it had made"
    return ModerationBlocked(
        _sentence(f"The provider declined the {what}", reason), extra={"stage": stage, "reason": _shown(reason)}
    )


def no_image(why: str) -> NoImage:
    return NoImage(_sentence("The provider answered without a picture", why))


def after_the_order(error: Exception) -> Exception:
    """The failure without its `Unbilled`: once work has begun, the order must not be placed again."""
    return error.error if isinstance(error, Unbilled) else error


def asked_pause_seconds(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """The pause of `Retry-After` (seconds or a date) or OpenAI's `retry-after-ms`; None where there is none."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _number(value)
    return seconds if seconds is not None else _seconds_until(value, now or datetime.now(UTC))


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _seconds_until(date: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())


def _sentence(start: str, words: str) -> str:
    shown = _shown(words)
    return f"{start}: {shown}{'' if shown.endswith(('.', '!', '?', '…')) else '.'}" if shown else f"{start}."


def _shown(words: str) -> str:
    """The supplier's words on one line, cut, and without anything that looks like a key."""
    return _KEY.sub(r"\1…", " ".join(words.split()))[:_LONGEST_WORDS]
