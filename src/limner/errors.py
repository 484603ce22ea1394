"""The failures we can name: one class per stable code (docs/rest.md lists them for callers)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing wrong with a request: where it stands, and what is wrong there."""

    path: str
    message: str
    code: str = "invalid"


class ServiceError(Exception):
    """A failure with a stable code, shown by every door in its own way.

    `message` says what happened, `next_step` what the caller can do about it. `retryable` is true
    only where repeating the same request can help and cannot be paid for twice.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    message: str = "Something went wrong on the server."
    next_step: str = ""

    def __init__(
        self,
        message: str | None = None,
        *,
        next_step: str | None = None,
        details: Sequence[Detail] = (),
        retry_after_seconds: int | None = None,
        generation_id: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.message = message or type(self).message
        self.next_step = next_step if next_step is not None else type(self).next_step
        self.details = tuple(details)
        self.retry_after_seconds = retry_after_seconds
        self.generation_id = generation_id
        self.extra = extra or {}
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def as_data(self) -> dict[str, Any]:
        """The public error object, as every door shows it and a failed generation keeps it."""
        return {
            "code": self.code,
            "message": self.message,
            "details": [{"path": each.path, "message": each.message, "code": each.code} for each in self.details],
            "retryable": self.retryable,
            "retryAfterSeconds": self.retry_after_seconds,
            "creditsCharged": 0,
            "nextStep": self.next_step,
            **({"generationId": self.generation_id} if self.generation_id else {}),
            **self.extra,
        }


# --- the request itself -------------------------------------------------------------------------


class InvalidRequest(ServiceError):
    code = "invalid_request"
    status = 400
    message = "The request is not valid."
    next_step = "Correct the fields named in details and send it again."


class CallerLeft(InvalidRequest):
    """Nobody reads it: it ends a request whose caller hung up before anything was begun."""

    message = "The caller left before anything was begun."


class UnknownModel(ServiceError):
    code = "unknown_model"
    status = 400
    message = "There is no such model."
    next_step = "List the models and use one of their ids."


class UnsupportedOption(ServiceError):
    code = "unsupported_option"
    status = 400
    message = "The model cannot do that."
    next_step = "Use one of the allowed values, or another model."


class NotFound(ServiceError):
    code = "not_found"
    status = 404
    message = "There is nothing with that id."
    next_step = "Check the id; list what is there to find the right one."


class PayloadTooLarge(ServiceError):
    code = "payload_too_large"
    status = 413
    message = "The request body is too large."
    next_step = "Send less, or pass pictures as upload ids instead of data."


class UnsupportedMedia(ServiceError):
    code = "unsupported_media"
    status = 415
    message = "That is not a kind of data this server takes."
    next_step = "Send PNG, JPEG or WebP."


# --- who may do what ----------------------------------------------------------------------------


class Unauthorized(ServiceError):
    code = "unauthorized"
    status = 401
    message = "No valid credentials were sent."
    next_step = "Send an API key of this server as 'Authorization: Bearer sk_…'."


class InsufficientScope(ServiceError):
    code = "insufficient_scope"
    status = 403
    message = "These credentials do not allow that."
    next_step = "Use a key or connection that has the scope named."


class Forged(ServiceError):
    """A signed-in browser was made to send this by somebody else's page."""

    code = "insufficient_scope"
    status = 403
    message = "This request did not come from one of this server's own pages."
    next_step = "Open the page on this server and try again."


class ModelNotAllowed(ServiceError):
    code = "model_not_allowed"
    status = 403
    message = "This key may not use that model."
    next_step = "Use one of the models the key allows, or ask its owner to allow more."


class AccountSuspended(ServiceError):
    code = "account_suspended"
    status = 403
    message = "This account is suspended."
    next_step = "Ask the operator of this server."


class ConfirmationRequired(ServiceError):
    code = "confirmation_required"
    status = 403
    message = "The owner of this key wants to be asked before a call this dear."
    next_step = "Ask the user, who can raise the limit of this key in the dashboard; or make a cheaper call."


# --- money --------------------------------------------------------------------------------------


class InsufficientCredits(ServiceError):
    code = "insufficient_credits"
    status = 402
    message = "There are not enough credits."
    next_step = "Buy credits or ask the owner of the account; then send the request again."


class SpendCapExceeded(ServiceError):
    code = "spend_cap_exceeded"
    status = 402
    message = "This call would go over a spend cap."
    next_step = "Wait until the cap resets, make a cheaper call, or ask the owner to raise it."


# --- state --------------------------------------------------------------------------------------


class IdempotencyConflict(ServiceError):
    code = "idempotency_conflict"
    status = 409
    message = "That idempotency key was already used for a different request."
    next_step = "Use a new idempotency key for a new picture, or repeat the first request exactly."


class NotCancellable(ServiceError):
    code = "not_cancellable"
    status = 409
    message = "The generation can no longer be stopped without being paid for."
    next_step = "Wait for it: it will finish and be charged."


class UploadUsed(ServiceError):
    code = "upload_used"
    status = 409
    message = "Something was already sent to this upload link."
    next_step = "Create a new upload."


# --- limits -------------------------------------------------------------------------------------


class RateLimited(ServiceError):
    code = "rate_limited"
    status = 429
    retryable = True
    message = "Too many requests."
    next_step = "Wait as long as retryAfterSeconds says and send it again."


class ServerBusy(ServiceError):
    code = "server_busy"
    status = 503
    retryable = True
    message = "Too many generations are waiting."
    next_step = "Wait as long as retryAfterSeconds says and send it again."


# --- suppliers ----------------------------------------------------------------------------------


class ModerationBlocked(ServiceError):
    """`extra` carries `stage` (`input` or `output`) and `reason` in the supplier's words."""

    code = "moderation_blocked"
    status = 422
    message = "The provider declined this request."
    next_step = "Rephrase the prompt and try again."


class NoImage(ServiceError):
    code = "no_image"
    status = 502
    retryable = True
    message = "The provider answered without a picture."
    next_step = "Try again, or rephrase the prompt so that it asks for a picture."


class UpstreamUnavailable(ServiceError):
    code = "upstream_unavailable"
    status = 503
    retryable = True
    message = "The provider cannot be used right now."
    next_step = "Try again in a little while, or use another model."


class UpstreamRateLimited(ServiceError):
    code = "upstream_rate_limited"
    status = 503
    retryable = True
    message = "The provider is limiting requests right now."
    next_step = "Wait as long as retryAfterSeconds says, or use another model."


class UpstreamTimeout(ServiceError):
    code = "upstream_timeout"
    status = 504
    message = "The provider did not answer in time."
    next_step = "Try again if you still want the picture; this attempt was not charged."


class ModelUnavailable(ServiceError):
    """`extra` carries `replacedBy` where the catalogue knows a successor."""

    code = "model_unavailable"
    status = 503
    message = "That model cannot be used on this server."
    next_step = "List the models and use one that is available."


class Internal(ServiceError):
    retryable = True
    message = "Something went wrong on the server; it has been logged."
    next_step = "Try again; if it happens again, give the operator the request id."


_SHOWN_BY_ALL = (
    "code",
    "message",
    "details",
    "retryable",
    "retryAfterSeconds",
    "creditsCharged",
    "nextStep",
    "generationId",
)


def from_data(data: Mapping[str, Any]) -> ServiceError:
    """The failure a generation kept; `Internal` for a code that is no longer known."""
    kind = next((kind for kind in ServiceError.__subclasses__() if kind.code == data["code"]), Internal)
    return kind(
        data["message"],
        next_step=data["nextStep"],
        details=[Detail(each["path"], each["message"], each["code"]) for each in data["details"]],
        retry_after_seconds=data["retryAfterSeconds"],
        generation_id=data.get("generationId"),
        extra={name: value for name, value in data.items() if name not in _SHOWN_BY_ALL},
    )
