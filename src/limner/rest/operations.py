"""What the REST API offers, operation by operation: the source of its OpenAPI description.

A test holds this list against the routes, and every answer of them against what stands here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from limner import errors
from limner.errors import ServiceError
from limner.rest import answers
from limner.rest.images import RestEdit, RestGenerate
from limner.rest.keys import ChangeKey, MakeKey, RotateKey
from limner.rest.webhooks import MakeWebhook
from limner.schemas import Account, CreateUpload, OpenUpload, Shape
from limner.schemas.prompts import FillPrompt, PromptLibrary, SavePrompt

Failure = type[ServiceError]

ALWAYS: tuple[Failure, ...] = (errors.Unauthorized, errors.RateLimited, errors.Internal)
SCOPED: tuple[Failure, ...] = (*ALWAYS, errors.InsufficientScope)
WITH_BODY: tuple[Failure, ...] = (errors.InvalidRequest, errors.PayloadTooLarge, errors.UnsupportedMedia)
BY_ID: tuple[Failure, ...] = (errors.InvalidRequest, errors.NotFound)
MAKING: tuple[Failure, ...] = (
    *SCOPED,
    *WITH_BODY,
    errors.NotFound,
    errors.UnknownModel,
    errors.UnsupportedOption,
    errors.InsufficientCredits,
    errors.SpendCapExceeded,
    errors.ModelNotAllowed,
    errors.AccountSuspended,
    errors.ConfirmationRequired,
    errors.IdempotencyConflict,
    errors.UnsupportedMedia,
    errors.ModerationBlocked,
    errors.NoImage,
    errors.UpstreamUnavailable,
    errors.UpstreamRateLimited,
    errors.ServerBusy,
    errors.ModelUnavailable,
    errors.UpstreamTimeout,
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or header, with its JSON Schema."""

    name: str
    schema: Mapping[str, Any]
    description: str = ""
    place: str = "query"


@dataclass(frozen=True, slots=True)
class Operation:
    """`answer` is None for 204; `also` are other successes by status; `media` other types of the answer."""

    method: str
    path: str
    summary: str
    answer: type[Shape] | None
    failures: tuple[Failure, ...]
    status: int = 200
    body: type[Shape] | None = None
    body_required: bool = True
    example: Mapping[str, Any] | None = None
    parameters: tuple[Parameter, ...] = ()
    also: Mapping[int, type[Shape]] = field(default_factory=dict[int, type[Shape]])
    either: type[Shape] | None = None
    media: tuple[str, ...] = ()

    @property
    def tag(self) -> str:
        return self.path.split("/")[3].capitalize()


TAGS: Mapping[str, str] = {
    "Images": "Make, change, find, follow, fetch and delete pictures.",
    "Account": "Who is calling, and what is left to spend.",
    "Usage": "Every credit transaction.",
    "Models": "What can be used now, and what it costs.",
    "Uploads": "Pictures to work from, sent by the user.",
    "Keys": "API keys: their scopes, spend caps and ends.",
    "Webhooks": "Addresses that are told what happened.",
    "Prompts": "Templates and styles that are kept.",
}


def _whole(name: str, least: int, most: int, description: str = "") -> Parameter:
    return Parameter(name, {"type": "integer", "minimum": least, "maximum": most}, description)


def _text(name: str, description: str = "") -> Parameter:
    return Parameter(name, {"type": "string", "maxLength": 200}, description)


PAGE = (_whole("limit", 1, 100, "20 unless given."), _whole("offset", 0, 2**53))
CURSOR = _text("cursor", "`nextCursor` of the page before.")
MOMENT = {"type": "string", "maxLength": 40, "examples": ["2026-01-31", "2026-01-31T12:00:00Z"]}
IDEMPOTENCY = Parameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255},
    "The same key, the same pictures, paid once.",
    "header",
)
PREFER = Parameter(
    "Prefer", {"type": "string", "examples": ["respond-async"]}, "`respond-async` answers 202 at once.", "header"
)

TEMPLATE = {
    "kind": "template",
    "name": "product-shot",
    "title": "Product shot",
    "text": "A photograph of {{subject}} on {{surface=white marble|raw oak}}, soft light",
    "settings": {"aspectRatio": "4:3"},
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        "/api/v1/images/generate",
        "Make pictures from a prompt",
        answers.MadeImages,
        MAKING,
        body=RestGenerate,
        example={"prompt": "a red boat at dawn", "aspectRatio": "16:9", "includeBytes": False},
        parameters=(IDEMPOTENCY, PREFER),
        also={202: answers.MadeImages},
        either=answers.QuoteAnswer,
    ),
    Operation(
        "POST",
        "/api/v1/images/edit",
        "Change or combine pictures by instruction",
        answers.MadeImages,
        MAKING,
        body=RestEdit,
        example={"instruction": "make it night", "images": ["0190a5b2-7c1e-7000-8000-000000000001"]},
        parameters=(IDEMPOTENCY, PREFER),
        also={202: answers.MadeImages},
        either=answers.QuoteAnswer,
    ),
    Operation(
        "GET",
        "/api/v1/images",
        "List pictures, newest first",
        answers.ImageList,
        (*SCOPED, errors.InvalidRequest),
        parameters=(
            *PAGE,
            CURSOR,
            Parameter("status", {"type": "string", "enum": ["queued", "running", "succeeded", "failed", "cancelled"]}),
            _text("modelId"),
            _text("q", "Words of the prompt."),
            _text("sha256", "Of the picture's bytes, in hexadecimal."),
        ),
    ),
    Operation(
        "GET",
        "/api/v1/images/{id}",
        "Get a picture; wait for a running one",
        answers.OneImage,
        (*SCOPED, *BY_ID),
        parameters=(
            _whole("wait", 0, 780, "Seconds to wait for a running one."),
            _whole("ttlSeconds", 60, 86400, "How long the link works."),
            Parameter("format", {"type": "string", "enum": ["metadata"]}, "`metadata` leaves the bytes out."),
        ),
    ),
    Operation(
        "GET",
        "/api/v1/images/{id}/events",
        "Follow a generation as server-sent events: queued, running, partial, done",
        None,
        (*SCOPED, *BY_ID),
        media=("text/event-stream",),
    ),
    Operation(
        "GET",
        "/api/v1/images/{id}/content",
        "The picture's bytes, in another width or format if asked",
        None,
        (*SCOPED, *BY_ID),
        parameters=(
            Parameter("width", {"type": "integer", "enum": [256, 512, 768, 1024, 1536]}),
            Parameter("format", {"type": "string", "enum": ["png", "jpeg", "webp"]}),
        ),
        media=("image/png", "image/jpeg", "image/webp"),
    ),
    Operation(
        "POST",
        "/api/v1/images/{id}/cancel",
        "Stop a generation, where that costs nothing",
        answers.OneImage,
        (*SCOPED, *BY_ID, errors.NotCancellable),
    ),
    Operation(
        "DELETE",
        "/api/v1/images/{id}",
        "Delete a picture and its prompt for good",
        None,
        (*SCOPED, *BY_ID, errors.NotCancellable),
        status=204,
    ),
    Operation("GET", "/api/v1/account", "Who is calling, and what is left to spend", Account, SCOPED),
    Operation(
        "GET",
        "/api/v1/usage",
        "Credit transactions, newest first; also as CSV",
        answers.UsageList,
        (*SCOPED, errors.InvalidRequest),
        parameters=(
            *PAGE,
            CURSOR,
            _text("keyId"),
            _text("modelId"),
            Parameter("from", MOMENT, "A day or a time, included."),
            Parameter("to", MOMENT, "A day or a time, left out."),
            Parameter("format", {"type": "string", "enum": ["json", "csv"]}),
        ),
        media=("text/csv",),
    ),
    Operation("GET", "/api/v1/models", "What can be used now, and what it costs", answers.ModelList, ALWAYS),
    Operation(
        "POST",
        "/api/v1/uploads",
        "A one-time link to send a picture to",
        OpenUpload,
        (*SCOPED, *WITH_BODY, errors.AccountSuspended, errors.ServerBusy),
        status=201,
        body=CreateUpload,
        example={"mediaType": "image/png"},
    ),
    Operation("GET", "/api/v1/keys", "List API keys", answers.KeyList, SCOPED),
    Operation(
        "POST",
        "/api/v1/keys",
        "Make an API key",
        answers.KeyAndSecret,
        (*SCOPED, *WITH_BODY, errors.ModelNotAllowed, errors.AccountSuspended),
        status=201,
        body=MakeKey,
        example={"name": "agent", "scopes": ["images:generate"], "cap": {"limit": 100, "period": "day"}},
    ),
    Operation(
        "GET",
        "/api/v1/keys/{id}",
        "Get an API key; `current` is the calling one",
        answers.OneKey,
        (*SCOPED, *BY_ID),
    ),
    Operation(
        "PATCH",
        "/api/v1/keys/{id}",
        "Set a spend cap; a key may lower its own and never raise it",
        answers.OneKey,
        (*SCOPED, *WITH_BODY, errors.NotFound),
        body=ChangeKey,
        example={"cap": {"limit": 50, "period": "week"}},
    ),
    Operation(
        "DELETE",
        "/api/v1/keys/{id}",
        "Revoke a key and every key it made",
        None,
        (*SCOPED, *BY_ID),
        status=204,
    ),
    Operation(
        "POST",
        "/api/v1/keys/{id}/rotate",
        "A new secret; the old one works on for a while",
        answers.KeyAndSecret,
        (*SCOPED, *WITH_BODY, errors.NotFound),
        body=RotateKey,
        body_required=False,
        example={"overlapSeconds": 3600},
    ),
    Operation("GET", "/api/v1/webhooks", "List webhooks", answers.WebhookList, SCOPED),
    Operation(
        "POST",
        "/api/v1/webhooks",
        "Register an address to be told at",
        answers.WebhookAndSecret,
        (*SCOPED, *WITH_BODY),
        status=201,
        body=MakeWebhook,
        example={"url": "https://example.org/hooks/limner", "events": ["image.succeeded", "image.failed"]},
    ),
    Operation("DELETE", "/api/v1/webhooks/{id}", "Delete a webhook", None, (*SCOPED, *BY_ID), status=204),
    Operation(
        "GET",
        "/api/v1/webhooks/{id}/deliveries",
        "What was sent to a webhook, newest first",
        answers.DeliveryList,
        (*SCOPED, *BY_ID),
        parameters=PAGE,
    ),
    Operation(
        "POST",
        "/api/v1/webhooks/{id}/deliveries/{delivery_id}/resend",
        "Send it again",
        answers.OneDelivery,
        (*SCOPED, *BY_ID),
        status=202,
    ),
    Operation(
        "GET",
        "/api/v1/prompts",
        "List templates and styles",
        answers.SavedPromptList,
        (*SCOPED, errors.InvalidRequest),
        parameters=(Parameter("kind", {"type": "string", "enum": ["template", "style"]}),),
    ),
    Operation(
        "POST",
        "/api/v1/prompts",
        "Keep a template or a style",
        answers.OneSavedPrompt,
        (*SCOPED, *WITH_BODY),
        status=201,
        body=SavePrompt,
        example=TEMPLATE,
    ),
    Operation("GET", "/api/v1/prompts/export", "Everything kept, to take elsewhere", PromptLibrary, SCOPED),
    Operation(
        "POST",
        "/api/v1/prompts/import",
        "Keep what an export holds; names that are there are replaced",
        answers.ImportedPrompts,
        (*SCOPED, *WITH_BODY),
        body=PromptLibrary,
        example={"version": 1, "prompts": [TEMPLATE]},
    ),
    Operation(
        "GET",
        "/api/v1/prompts/{id}",
        "Get a template or style by id or name",
        answers.OneSavedPrompt,
        (*SCOPED, errors.NotFound),
    ),
    Operation(
        "PUT",
        "/api/v1/prompts/{id}",
        "Replace a template or style",
        answers.OneSavedPrompt,
        (*SCOPED, *WITH_BODY, errors.NotFound),
        body=SavePrompt,
        example=TEMPLATE,
    ),
    Operation(
        "DELETE", "/api/v1/prompts/{id}", "Delete a template or style", None, (*SCOPED, errors.NotFound), status=204
    ),
    Operation(
        "POST",
        "/api/v1/prompts/{id}/fill",
        "Fill the placeholders: the body for /api/v1/images/generate",
        answers.FilledPrompt,
        (*SCOPED, *WITH_BODY, errors.NotFound),
        body=FillPrompt,
        example={"values": {"subject": "a red boat"}},
    ),
)
