"""How the two compatible editions make one picture: they wait as long as it takes, and have no word for `running`."""

from collections.abc import Sequence
from typing import Any

import mcp_types
from pydantic import Field

from limner.credits.words import are_or_is, in_words
from limner.errors import Detail, InvalidRequest, ServiceError, UnknownModel, from_data
from limner.images.generations import Generation
from limner.images.requests import NewImages
from limner.images.service import Images
from limner.mcp_server.clients import PATIENCE_SECONDS
from limner.mcp_server.tools import ToolCall
from limner.mcp_server.waiting import Waits

RETRY_AFTER_SECONDS = 5


def one_of(models: Sequence[str], *, description: str) -> Any:
    """A field for a model: the schema lists those there are; for another id there is a code of its own (`check_model`)."""
    return Field(description=description, json_schema_extra={"enum": list(models)})


def check_model(field: str, model_id: str, allowed: Sequence[str]) -> None:
    """Raises UnknownModel for what this edition does not document, whatever the catalogue has."""
    if model_id not in allowed:
        raise UnknownModel(
            f"There is no model '{model_id[:100]}' here. Available: {', '.join(allowed)}.",
            next_step="Use one of those ids.",
            details=[Detail(field, "unknown model", "unknown_model")],
            extra={"allowed": list(allowed)},
        )


class StillRunning(Exception):
    """The wait ended before the picture did."""

    def __init__(self, row: Generation) -> None:
        self.row = row
        super().__init__(row.id)


async def make_one(images: Images, waits: Waits, call: ToolCall, new: NewImages) -> Generation:
    """The succeeded generation; raises what it failed with, or StillRunning."""
    started = await images.start(call.principal, call.ordering(new), has_left=call.has_left)
    row = (await waits.for_call(call, started, PATIENCE_SECONDS))[0]
    return succeeded(row)


def succeeded(row: Generation) -> Generation:
    if not row.has_ended:
        raise StillRunning(row)
    if row.status != "succeeded":
        raise _failure(row)
    return row


def still_running(row: Generation, request_id: str) -> mcp_types.CallToolResult:
    """A tool error that names the id and promises that nothing is paid twice."""
    message = f"Image {row.id} is still being made; {in_words(row.credits)} {are_or_is(row.credits)} held for it."
    next_step = "Repeat the same call to wait on for this image: that does not start or pay for another."
    error: dict[str, Any] = {
        "code": "running",
        "message": message,
        "details": [],
        "retryable": True,
        "retryAfterSeconds": RETRY_AFTER_SECONDS,
        "creditsCharged": 0,
        "nextStep": next_step,
        "generationId": row.id,
        "requestId": request_id,
    }
    return mcp_types.CallToolResult(
        content=[mcp_types.TextContent(type="text", text=f"running: {message} {next_step}")],
        structured_content={"error": error},
        is_error=True,
    )


def _failure(row: Generation) -> ServiceError:
    if row.error is None:
        return InvalidRequest("The generation was cancelled; nothing was charged.", generation_id=row.id)
    return from_data(row.error)
