"""What a tool is to us, and how a call reaches it: typed arguments in, a result or a coded error out."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import mcp_types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from limner.accounts.principal import Principal, Scope
from limner.errors import ServiceError
from limner.http.connections import has_left
from limner.http.errors import named
from limner.images.beginning import Started
from limner.images.requests import NewImages, scope_missing
from limner.mcp_server.asking import Asking
from limner.mcp_server.cancelling import CallName, Waiting
from limner.mcp_server.clients import Client, Profile, profile_of
from limner.schemas import Shape, json_schema, parse

S = TypeVar("S", bound=Shape)

Answer = mcp_types.CallToolResult | mcp_types.InputRequiredResult | dict[str, Any]
"""A dict is a result in the shape of an extension that the client declared: the SDK passes it on as it is."""

MODERN = "2026-07-28"
"""From here on a client cancels by hanging up, and can be asked through an answer: before, that takes a stream to it which
a stateless server does not have."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """Who calls, with what client, the way back for progress, and which outcomes the answer hands over.

    `waiting` is where a request that cancels this one looks for its `name`; `is_confirmed` says that the owner was
    asked about this very call and agreed.
    """

    principal: Principal
    client: Client
    profile: Profile
    wants_progress: bool
    request_id: str
    outcomes: list[Started]
    waiting: Waiting
    name: CallName
    is_confirmed: bool
    context: ServerRequestContext[Any, Any]

    @classmethod
    def of(cls, context: ServerRequestContext[Any, Any]) -> "ToolCall":
        assert context.request is not None
        assert context.request_id is not None
        scope = context.request.scope
        principal, client = scope["limner.principal"], scope["limner.client"]
        return cls(
            principal=principal,
            client=client,
            profile=profile_of(client, principal.client_profile, context.request.headers.get("user-agent", "")),
            wants_progress=bool(context.meta and "progress_token" in context.meta),
            request_id=scope.get("limner.request_id", ""),
            outcomes=scope["limner.outcomes"],
            waiting=scope["limner.waiting"],
            name=CallName(principal.caller_id, scope["limner.session"], context.request_id),
            is_confirmed=False,
            context=context,
        )

    def ordering(self, new: NewImages) -> NewImages:
        """What is asked for, with what this call knows of how it is asked."""
        cancels_by_request = self.context.protocol_version < MODERN
        name = self.name.digest if cancels_by_request else None
        return replace(new, confirmed=self.is_confirmed, wait_name=name)

    def has_left(self) -> bool:
        return self.context.request is not None and has_left(self.context.request.scope)

    @property
    def takes_large_answers(self) -> bool:
        """A plain answer may be of any size; one event of a stream that has begun may not, for some clients."""
        stream = self.context.request.scope["limner.stream"] if self.context.request is not None else None
        return not (self.profile.limits_events and stream is not None and stream.has_begun)

    async def report(self, progress: float, total: float | None, message: str) -> None:
        await self.context.session.report_progress(progress, total, message)


@dataclass(frozen=True, slots=True)
class Tool(Generic[S]):
    """`scope` is what its caller needs: without it, the tool is not listed and not served.

    `waits`: its answer may take long, so its caller may want to hear how it goes, or leave.
    """

    name: str
    title: str
    description: str
    shape: type[S]
    scope: Scope
    call: Callable[[ToolCall, S], Awaitable[Answer]]
    output_schema: Mapping[str, Any] | None = None
    spends: bool = False
    reads: bool = True
    waits: bool = True
    icons: Sequence[mcp_types.Icon] = ()
    meta: Mapping[str, Any] | None = None
    input_schema: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_schema", json_schema(self.shape))

    def listed(self) -> mcp_types.Tool:
        return mcp_types.Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=self.input_schema,
            output_schema=dict(self.output_schema) if self.output_schema else None,
            annotations=mcp_types.ToolAnnotations(
                read_only_hint=self.reads,
                destructive_hint=None if self.reads else False,
                open_world_hint=self.spends,
            ),
            icons=list(self.icons) or None,
            _meta=dict(self.meta) if self.meta else None,
        )


class Toolbox:
    """The tools of one edition, in their order; with `asking`, what the owner must decide is asked where it can be."""

    def __init__(self, tools: Sequence[Tool[Any]], asking: Asking | None = None) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._asking = asking

    def listed(self, principal: Principal) -> list[mcp_types.Tool]:
        """A connection sees every tool: its user can be asked for the scope it lacks."""
        may_ask = principal.connection_id is not None
        return [tool.listed() for tool in self._tools.values() if may_ask or principal.has(tool.scope)]

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        tool = self._tools.get(name)
        return tool.input_schema if tool else None

    def scope_of(self, name: str) -> Scope | None:
        tool = self._tools.get(name)
        return tool.scope if tool else None

    def answers_at_once(self, name: str) -> bool:
        """Also for a name that no tool has."""
        tool = self._tools.get(name)
        return tool is None or not tool.waits

    async def call(self, context: ServerRequestContext[Any, Any], params: mcp_types.CallToolRequestParams) -> Answer:
        """Business errors become results the model can read; an unknown tool is a JSON-RPC error (-32602)."""
        tool = self._tools.get(params.name)
        if tool is None:
            raise MCPError(mcp_types.INVALID_PARAMS, f"Unknown tool: {params.name[:100]}")
        call = ToolCall.of(context)
        if self._asking is not None and self._asking.is_confirmed(call.principal, params):
            call = replace(call, is_confirmed=True)
        try:
            return await self._called(tool, call, params)
        except ServiceError as error:
            return self._question(error, call, params) or error_result(error, call.request_id)
        except Exception as problem:  # a bug: `named` logs it, and the model reads an error with its request id
            return error_result(named(problem, tool=tool.name), call.request_id)

    async def _called(self, tool: Tool[Any], call: ToolCall, params: mcp_types.CallToolRequestParams) -> Answer:
        if not call.principal.has(tool.scope):
            raise scope_missing(tool.scope)
        return await tool.call(call, parse(tool.shape, dict(params.arguments or {})))

    def _question(
        self, error: ServiceError, call: ToolCall, params: mcp_types.CallToolRequestParams
    ) -> mcp_types.InputRequiredResult | None:
        capabilities = call.context.session.client_capabilities
        if self._asking is None or call.context.protocol_version < MODERN or capabilities is None:
            return None
        if capabilities.elicitation is None:
            return None
        return self._asking.question(error, call.principal, params, capabilities.elicitation)


def error_result(error: ServiceError, request_id: str) -> mcp_types.CallToolResult:
    """`code: sentence. next step.` for those who read text, the object for those who read structure."""
    return mcp_types.CallToolResult(
        content=[mcp_types.TextContent(type="text", text=error_text(error))],
        structured_content={"error": {**error.as_data(), "requestId": request_id}},
        is_error=True,
    )


def error_text(error: ServiceError) -> str:
    wait = f" Wait {error.retry_after_seconds} s." if error.retry_after_seconds else ""
    generation = f" Generation: {error.generation_id}." if error.generation_id else ""
    return f"{error.code}: {error.message} {error.next_step}{wait}{generation}".strip()
