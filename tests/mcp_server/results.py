"""Reading what a tool answered."""

import mcp_types


def text_of(result: mcp_types.CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if isinstance(block, mcp_types.TextContent))


def pictures_of(result: mcp_types.CallToolResult) -> list[mcp_types.ImageContent]:
    return [block for block in result.content if isinstance(block, mcp_types.ImageContent)]
