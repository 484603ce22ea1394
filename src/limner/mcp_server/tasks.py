"""The Tasks extension (io.modelcontextprotocol/tasks, 2026-07-28): a handle at once, the result by polling.

A task is a view of what is there anyway: its id is the id of the call's first picture, and says how the result is to
be drawn. So there is nothing to keep, nothing to lose, and any process can answer.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import mcp_types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError

from limner.errors import NotCancellable, NotFound, ServiceError
from limner.images.beginning import Started
from limner.images.generations import Generation
from limner.images.service import Images
from limner.mcp_server.results import Inline, Results
from limner.mcp_server.tools import MODERN, ToolCall
from limner.mcp_server.waiting import phase
from limner.schemas import iso

Context = ServerRequestContext[Any, Any]
Answer = dict[str, Any]

EXTENSION = "io.modelcontextprotocol/tasks"
QUICK_SECONDS = 1
"""What is ready by then is handed over at once: a task would cost its client another request."""

POLL_MILLISECONDS = 2000


class TaskParams(mcp_types.RequestParams):
    task_id: str


class TaskUpdateParams(TaskParams):
    input_responses: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class TaskId:
    """The first picture of a call, how its result is drawn, and whether an earlier call had asked for it."""

    image_id: str
    inline: Inline
    replayed: bool

    @classmethod
    def read(cls, value: str) -> "TaskId":
        """Raises NotFound for what cannot be one."""
        image_id, *rest = value.split(".")
        match rest:
            case ["auto" | "full" | "none"] | ["auto" | "full" | "none", "replayed"]:
                return cls(image_id, cast("Inline", rest[0]), len(rest) == 2)
            case _:
                raise NotFound

    def __str__(self) -> str:
        return f"{self.image_id}.{self.inline}{'.replayed' if self.replayed else ''}"


class Tasks:
    """For a client that declares the extension; others never see a task (-32021)."""

    def __init__(self, images: Images, results: Results) -> None:
        self._images = images
        self._results = results

    def serve_on(self, server: Server[Any]) -> None:
        server.add_request_handler("tasks/get", TaskParams, self._get)
        server.add_request_handler("tasks/update", TaskUpdateParams, self._update)
        server.add_request_handler("tasks/cancel", TaskParams, self._cancel)

    def are_for(self, call: ToolCall) -> bool:
        """Whether this call may be answered by a task: its caller must also be allowed to look for the result."""
        return _declares(call.context) and call.principal.has("images:read")

    async def handle(self, started: Started, rows: Sequence[Generation], inline: Inline) -> Answer:
        """What a tool call answers in place of its result."""
        task_id = TaskId(started.generation_ids[0], inline, started.replayed)
        return {"resultType": "task", **await self._task(task_id, rows)}

    async def _get(self, context: Context, params: TaskParams) -> Answer:
        call, task_id, rows = await self._found(context, params)
        task = await self._task(task_id, rows)
        if task["status"] != "completed":
            return task
        started = Started(rows[0].call_id, tuple(row.id for row in rows), task_id.replayed, rows[0].account_id)
        call.outcomes.append(started)
        result = await self._results.of_call(call, started, rows, task_id.inline)
        return {**task, "result": result.model_dump(mode="json", by_alias=True, exclude_none=True)}

    async def _update(self, context: Context, params: TaskUpdateParams) -> Answer:
        """Our tasks ask for nothing; answers to what was never asked are ignored."""
        await self._found(context, params)
        return {}

    async def _cancel(self, context: Context, params: TaskParams) -> Answer:
        """Stops what can be stopped without anybody paying for nothing; the rest ends as it would have."""
        call, _, rows = await self._found(context, params)
        for row in rows:
            if not row.has_ended:
                with contextlib.suppress(NotCancellable), _as_protocol_errors():
                    await self._images.cancel(call.principal, row.id)
        return {}

    async def _found(self, context: Context, params: TaskParams) -> tuple[ToolCall, TaskId, list[Generation]]:
        """-32602 for a task that is not there or another account's alike."""
        _check(context, params)
        call = ToolCall.of(context)
        with _as_protocol_errors():
            task_id = TaskId.read(params.task_id)
            first = await self._images.get(call.principal, task_id.image_id)
            return call, task_id, await self._images.of_call(call.principal, first)

    async def _task(self, task_id: TaskId, rows: Sequence[Generation]) -> Answer:
        return {
            "taskId": str(task_id),
            "status": _status(rows),
            "statusMessage": await self._message(rows),
            "createdAt": iso(rows[0].created_at),
            "lastUpdatedAt": iso(max(_changed_at(row) for row in rows)),
            "ttlMs": None,
            "pollIntervalMs": POLL_MILLISECONDS,
        }

    async def _message(self, rows: Sequence[Generation]) -> str:
        open_rows = [row for row in rows if not row.has_ended]
        if not open_rows:
            return ", ".join(f"{row.id}: {row.status}" for row in rows)
        return ", ".join([f"{row.id}: {phase(await self._images.state(row.id))}" for row in open_rows])


def _status(rows: Sequence[Generation]) -> str:
    """A generation that failed is a result too: `failed` is for errors of the protocol alone."""
    if not all(row.has_ended for row in rows):
        return "working"
    return "cancelled" if all(row.status == "cancelled" for row in rows) else "completed"


def _changed_at(row: Generation) -> datetime:
    return row.completed_at or row.started_at or row.created_at


def _declares(context: Context) -> bool:
    capabilities = context.session.client_capabilities
    extensions = (capabilities.extensions if capabilities is not None else None) or {}
    return context.protocol_version >= MODERN and EXTENSION in extensions


def _check(context: Context, params: TaskParams) -> None:
    if context.protocol_version < MODERN:
        raise MCPError(mcp_types.METHOD_NOT_FOUND, "Method not found", context.method)
    if not _declares(context):
        needed: Answer = {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}
        raise MCPError(mcp_types.MISSING_REQUIRED_CLIENT_CAPABILITY, "Missing required client capability", needed)
    assert context.request is not None
    if context.request.headers.get("mcp-name") != params.task_id:
        raise MCPError(
            mcp_types.HEADER_MISMATCH, "Mcp-Name header does not match the request body's 'taskId' parameter"
        )


@contextlib.contextmanager
def _as_protocol_errors() -> Any:
    try:
        yield
    except NotFound:
        raise MCPError(mcp_types.INVALID_PARAMS, "Task not found") from None
    except NotCancellable:
        raise
    except ServiceError as error:
        raise MCPError(error.status, str(error), error.as_data()) from None
