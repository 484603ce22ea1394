"""One MCP endpoint: the SDK's low-level server and stateless transport behind our guard."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import mcp_types
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from starlette.types import ASGIApp

from limner import __version__
from limner.mcp_server.tools import Toolbox, ToolCall

CACHE_HINTS: dict[Any, CacheHint] = {
    "tools/list": CacheHint(ttl_ms=300_000, scope="private"),
    "server/discover": CacheHint(ttl_ms=300_000, scope="public"),
}


class Endpoint:
    """`app` answers requests that passed the guard; `run` must be entered for as long as it does."""

    def __init__(self, *, name: str, title: str, instructions: str, toolbox: Toolbox, max_body_bytes: int) -> None:
        self._toolbox = toolbox
        server = Server(
            name,
            version=__version__,
            title=title,
            instructions=instructions,
            cache_hints=CACHE_HINTS,
            get_tool_input_schema=toolbox.input_schema,
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
        )
        self._manager = StreamableHTTPSessionManager(server, stateless=True, max_request_body_size=max_body_bytes)
        self.app: ASGIApp = StreamableHTTPASGIApp(self._manager)

    def run(self) -> AbstractAsyncContextManager[None]:
        return self._manager.run()

    async def _list_tools(
        self, context: ServerRequestContext[Any, Any], params: mcp_types.PaginatedRequestParams | None
    ) -> mcp_types.ListToolsResult:
        assert context.request is not None
        return mcp_types.ListToolsResult(tools=self._toolbox.listed(context.request.scope["limner.principal"]))

    async def _call_tool(
        self, context: ServerRequestContext[Any, Any], params: mcp_types.CallToolRequestParams
    ) -> mcp_types.CallToolResult:
        return await self._toolbox.call(ToolCall.of(context), params.name, params.arguments)
