"""FastMCP with one tool that answers at once."""

import sys

import uvicorn
from fastmcp import FastMCP

server = FastMCP("echo")


@server.tool
def get_account() -> dict:
    """Whose account this is."""
    return {"userId": None, "email": "owner@example.org", "creditBalance": 100, "creditsHeld": 0, "cap": None}


if __name__ == "__main__":
    app = server.http_app(path="/api/mcp", stateless_http=True)
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
