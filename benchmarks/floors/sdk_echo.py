"""The official SDK's low-level server with one tool that answers at once: no key, no limit, no database."""

import sys
from contextlib import asynccontextmanager

import mcp_types
import uvicorn
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from starlette.applications import Starlette
from starlette.routing import Route

FACTS = {"userId": None, "email": "owner@example.org", "creditBalance": 100, "creditsHeld": 0, "cap": None}
SCHEMA = {"type": "object", "properties": {}}
TOOL = mcp_types.Tool(name="get_account", description="Whose account this is.", input_schema=SCHEMA)


async def list_tools(context, params):
    return mcp_types.ListToolsResult(tools=[TOOL])


async def call_tool(context, params):
    text = mcp_types.TextContent(type="text", text=str(FACTS))
    return mcp_types.CallToolResult(content=[text], structured_content=FACTS)


server = Server("echo", on_list_tools=list_tools, on_call_tool=call_tool, get_tool_input_schema=lambda name: SCHEMA)
manager = StreamableHTTPSessionManager(server, stateless=True)


@asynccontextmanager
async def lifespan(app):
    async with manager.run():
        yield


app = Starlette(routes=[Route("/api/mcp", StreamableHTTPASGIApp(manager))], lifespan=lifespan)

if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
