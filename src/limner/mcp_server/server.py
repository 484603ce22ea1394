"""One MCP endpoint: an edition on the SDK's low-level server and stateless transport, behind our guard."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, cast

import mcp_types
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from starlette.types import ASGIApp

from limner import __version__
from limner.accounts.principal import Principal
from limner.mcp_server import prompts
from limner.mcp_server.completion import Completions
from limner.mcp_server.direct import Direct
from limner.mcp_server.resources import MINUTES, Shelf
from limner.mcp_server.saved_prompts import SavedPrompts
from limner.mcp_server.tasks import EXTENSION as TASKS
from limner.mcp_server.tasks import Tasks
from limner.mcp_server.tools import Toolbox

Context = ServerRequestContext[Any, Any]

_SAME_FOR_ALL = CacheHint(ttl_ms=60 * MINUTES, scope="public")
CACHE_HINTS: dict[Any, CacheHint] = {
    "server/discover": CacheHint(ttl_ms=5 * MINUTES, scope="public"),
    "tools/list": CacheHint(ttl_ms=5 * MINUTES, scope="private"),  # it depends on the key's scopes
    "prompts/list": CacheHint(ttl_ms=MINUTES, scope="private"),  # an account has its own beside ours
    "resources/list": _SAME_FOR_ALL,
    "resources/templates/list": _SAME_FOR_ALL,
}


@dataclass(frozen=True, slots=True)
class Edition:
    """What one endpoint shows; without a shelf there are neither resources nor prompts."""

    name: str
    title: str
    instructions: str
    toolbox: Toolbox
    shelf: Shelf | None = None
    completions: Completions | None = None
    saved: SavedPrompts | None = None
    tasks: Tasks | None = None
    icons: Sequence[mcp_types.Icon] = ()
    extensions: Mapping[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])


class Endpoint:
    """`app` answers requests that passed the guard; `run` must be entered for as long as it does."""

    def __init__(self, edition: Edition, *, max_body_bytes: int) -> None:
        self._edition = edition
        server = self._server()
        self._manager = StreamableHTTPSessionManager(server, stateless=True, max_request_body_size=max_body_bytes)
        self.app: ASGIApp = Direct(server, StreamableHTTPASGIApp(self._manager), edition.toolbox.answers_at_once)

    def run(self) -> AbstractAsyncContextManager[None]:
        return self._manager.run()

    def scope_of(self, tool: str) -> str | None:
        """The scope a tool needs; None for one that is not there."""
        return self._edition.toolbox.scope_of(tool)

    def _server(self) -> Server[Any]:
        edition = self._edition
        has_more = edition.shelf is not None
        server: Server[Any] = Server(
            edition.name,
            version=__version__,
            title=edition.title,
            instructions=edition.instructions,
            icons=list(edition.icons) or None,
            cache_hints=CACHE_HINTS,
            get_tool_input_schema=edition.toolbox.input_schema,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_prompts=self._list_prompts if has_more else None,
            on_get_prompt=self._get_prompt if has_more else None,
            on_list_resources=self._list_resources if has_more else None,
            on_list_resource_templates=self._list_templates if has_more else None,
            on_read_resource=self._read_resource if has_more else None,
            on_completion=self._complete if edition.completions is not None else None,
        )
        server.extensions = dict(edition.extensions)
        if edition.tasks is not None:
            edition.tasks.serve_on(server)
            server.extensions[TASKS] = {}
        return server

    async def _list_tools(
        self, context: Context, params: mcp_types.PaginatedRequestParams | None
    ) -> mcp_types.ListToolsResult:
        return mcp_types.ListToolsResult(tools=self._edition.toolbox.listed(_principal(context)))

    async def _call_tool(
        self, context: Context, params: mcp_types.CallToolRequestParams
    ) -> mcp_types.CallToolResult | mcp_types.InputRequiredResult:
        answer = await self._edition.toolbox.call(context, params)
        return cast("mcp_types.CallToolResult", answer)  # its type knows of no extensions

    async def _list_prompts(
        self, context: Context, params: mcp_types.PaginatedRequestParams | None
    ) -> mcp_types.ListPromptsResult:
        saved = self._edition.saved
        own = [] if saved is None else await saved.listed(_principal(context))
        return mcp_types.ListPromptsResult(prompts=[*prompts.listed(), *own])

    async def _get_prompt(
        self, context: Context, params: mcp_types.GetPromptRequestParams
    ) -> mcp_types.GetPromptResult:
        saved = self._edition.saved
        if saved is not None and not prompts.is_ours(params.name):
            own = await saved.get(_principal(context), params.name, params.arguments or {})
            if own is not None:
                return own
        return prompts.get(params.name, params.arguments or {})

    async def _list_resources(
        self, context: Context, params: mcp_types.PaginatedRequestParams | None
    ) -> mcp_types.ListResourcesResult:
        return mcp_types.ListResourcesResult(resources=self._shelf.listed())

    async def _list_templates(
        self, context: Context, params: mcp_types.PaginatedRequestParams | None
    ) -> mcp_types.ListResourceTemplatesResult:
        return mcp_types.ListResourceTemplatesResult(resource_templates=self._shelf.templates())

    async def _read_resource(
        self, context: Context, params: mcp_types.ReadResourceRequestParams
    ) -> mcp_types.ReadResourceResult:
        return await self._shelf.read(_principal(context), params.uri)

    async def _complete(self, context: Context, params: mcp_types.CompleteRequestParams) -> mcp_types.CompleteResult:
        assert self._edition.completions is not None
        saved, ref = self._edition.saved, params.ref
        own: Sequence[str] | None = None
        if saved is not None and isinstance(ref, mcp_types.PromptReference) and not prompts.is_ours(ref.name):
            own = await saved.values(_principal(context), ref.name, params.argument.name)
        return self._edition.completions.complete(params, own)

    @property
    def _shelf(self) -> Shelf:
        assert self._edition.shelf is not None
        return self._edition.shelf


def _principal(context: Context) -> Principal:
    assert context.request is not None
    return context.request.scope["limner.principal"]
